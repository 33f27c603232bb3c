//! The grammar of a template: from words to nodes. It evaluates nothing.

use super::word::{Kind, Word};
use super::{Fault, Value};

/// How deep parentheses and conditions may nest.
const DEPTH_MAX: usize = 32;

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Whether the condition holds decides; with `with`, its value is what `.` means inside.
    If { condition: Call, moves: bool, then: Vec<Node>, otherwise: Vec<Node> },
    /// Prints a value.
    Print(Call),
    /// Prints itself.
    Text(String),
}

/// A value that is computed.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) at: usize,
    pub(super) what: What,
    pub(super) arguments: Vec<Call>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Field(Vec<String>),
    Function(Function),
    Value(Value),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Function {
    And,
    Eq,
    Ge,
    Gt,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "and" => Self::And,
            "eq" => Self::Eq,
            "ge" => Self::Ge,
            "gt" => Self::Gt,
            "le" => Self::Le,
            "len" => Self::Len,
            "lt" => Self::Lt,
            "ne" => Self::Ne,
            "not" => Self::Not,
            "or" => Self::Or,
            "print" => Self::Print,
            "printf" => Self::Printf,
            "println" => Self::Println,
            _ => return None,
        })
    }
}

/// What ended a list of nodes.
enum Stop {
    Else(usize),
    End,
    Text,
}

/// Reads all words.
pub(super) fn nodes(words: &[Word]) -> Result<Vec<Node>, Fault> {
    let mut parser = Parser { words, next: 0 };
    let (nodes, end) = parser.nodes(0)?;
    let last = words.get(parser.next.saturating_sub(1)).map_or(1, |word| word.at);
    match end {
        Stop::Text => Ok(nodes),
        Stop::Else(at) => Err(Fault::new(at, "nothing is open that `else` could belong to")),
        Stop::End => Err(Fault::new(last, "nothing is open that `end` could close")),
    }
}

struct Parser<'a> {
    words: &'a [Word],
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.next)
    }

    fn take(&mut self) -> Option<&'a Word> {
        let word = self.peek();
        self.next += 1;
        word
    }

    fn name(&mut self, wanted: &str) -> bool {
        let is = self.peek().is_some_and(|word| word.kind == Kind::Name(wanted.to_owned()));
        self.next += usize::from(is);
        is
    }

    fn close(&mut self) -> Result<(), Fault> {
        match self.take() {
            Some(Word { kind: Kind::Close, .. }) | None => Ok(()),
            Some(word) => Err(Fault::new(word.at, "nothing may follow here but `}}`")),
        }
    }

    fn nodes(&mut self, depth: usize) -> Result<(Vec<Node>, Stop), Fault> {
        let mut nodes = Vec::new();
        while let Some(word) = self.take() {
            if let Kind::Text(text) = &word.kind {
                nodes.push(Node::Text(text.clone()));
                continue;
            }
            let at = word.at;
            if depth > DEPTH_MAX {
                return Err(Fault::new(at, "this is nested too deeply"));
            }
            if self.name("end") {
                self.close()?;
                return Ok((nodes, Stop::End));
            }
            if self.name("else") {
                return Ok((nodes, Stop::Else(at)));
            }
            if self.name("if") {
                nodes.push(self.condition(false, at, depth + 1)?);
            } else if self.name("with") {
                nodes.push(self.condition(true, at, depth + 1)?);
            } else {
                nodes.push(Node::Print(self.pipe(depth)?));
                self.close()?;
            }
        }
        Ok((nodes, Stop::Text))
    }

    /// What follows `if` or `with`, to its `end`.
    fn condition(&mut self, moves: bool, at: usize, depth: usize) -> Result<Node, Fault> {
        let condition = self.pipe(depth)?;
        self.close()?;
        let (then, mut end) = self.nodes(depth)?;
        let mut otherwise = Vec::new();
        if let Stop::Else(at) = end {
            if self.name("if") {
                otherwise.push(self.condition(false, at, depth + 1)?);
                return Ok(Node::If { condition, moves, then, otherwise });
            }
            self.close()?;
            (otherwise, end) = self.nodes(depth)?;
        }
        match end {
            Stop::End => Ok(Node::If { condition, moves, then, otherwise }),
            Stop::Else(at) => Err(Fault::new(at, "there is an `else` already")),
            Stop::Text => Err(Fault::new(at, "its `{{end}}` is missing")),
        }
    }

    /// Commands that hand their value on as the next one's last.
    fn pipe(&mut self, depth: usize) -> Result<Call, Fault> {
        let mut call = self.command(depth)?;
        let mut length = depth;
        while let Some(sign) = self.peek().filter(|word| word.kind == Kind::Sign('|')) {
            self.next += 1;
            length += 1;
            if length > DEPTH_MAX {
                return Err(Fault::new(sign.at, "this is nested too deeply"));
            }
            let mut next = self.command(depth)?;
            next.arguments.push(call);
            call = next;
        }
        checked(call)
    }

    fn command(&mut self, depth: usize) -> Result<Call, Fault> {
        let mut call = self.operand(depth)?;
        while self.peek().is_some_and(|word| !matches!(word.kind, Kind::Close | Kind::Sign('|' | ')'))) {
            let argument = checked(self.operand(depth)?)?;
            call.arguments.push(argument);
        }
        Ok(call)
    }

    fn operand(&mut self, depth: usize) -> Result<Call, Fault> {
        let before = self.words.get(self.next.saturating_sub(1)).map_or(1, |word| word.at);
        let Some(word) = self.take() else { return Err(Fault::new(before, "a value is missing")) };
        let what = match &word.kind {
            Kind::Close | Kind::Open | Kind::Sign(')' | '|') => {
                return Err(Fault::new(word.at, "a value is missing"));
            }
            Kind::Sign(_) if depth >= DEPTH_MAX => {
                return Err(Fault::new(word.at, "this is nested too deeply"));
            }
            Kind::Sign(_) => {
                let inner = self.pipe(depth + 1)?;
                return match self.take() {
                    Some(Word { kind: Kind::Sign(')'), .. }) => Ok(inner),
                    Some(_) | None => Err(Fault::new(word.at, "its `)` is missing")),
                };
            }
            Kind::Field(path) => What::Field(path.clone()),
            Kind::Name(name) => named(name, word.at)?,
            Kind::Number(number) => What::Value(Value::Number(*number)),
            Kind::Text(text) => What::Value(Value::Text(text.clone())),
        };
        Ok(Call { at: word.at, what, arguments: Vec::new() })
    }
}

fn named(name: &str, at: usize) -> Result<What, Fault> {
    match (name, Function::named(name)) {
        (_, Some(function)) => Ok(What::Function(function)),
        ("true" | "false", None) => Ok(What::Value(Value::Flag(name == "true"))),
        ("range" | "define" | "template" | "block" | "break" | "continue", None) => {
            Err(Fault::new(at, format!("`{name}` is not supported: each image is printed by itself")))
        }
        (_, None) => Err(Fault::new(
            at,
            format!(
                "there is no function `{name}`: use and, eq, ge, gt, le, len, lt, ne, not, or, print, printf, println"
            ),
        )),
    }
}

/// Whether the number of values is one that it takes.
fn checked(call: Call) -> Result<Call, Fault> {
    let given = call.arguments.len();
    let problem = match &call.what {
        What::Field(_) | What::Value(_) if given > 0 => Some("this takes no values"),
        What::Field(_) | What::Value(_) => None,
        What::Function(function) => match function {
            Function::Eq if given < 2 => Some("this takes two values or more"),
            Function::Ge | Function::Gt | Function::Le | Function::Lt | Function::Ne if given != 2 => {
                Some("this takes two values")
            }
            Function::Len | Function::Not if given != 1 => Some("this takes one value"),
            Function::And | Function::Or | Function::Printf if given < 1 => {
                Some("this takes one value or more")
            }
            Function::And
            | Function::Eq
            | Function::Ge
            | Function::Gt
            | Function::Le
            | Function::Len
            | Function::Lt
            | Function::Ne
            | Function::Not
            | Function::Or
            | Function::Print
            | Function::Printf
            | Function::Println => None,
        },
    };
    problem.map_or(Ok(()), |what| Err(Fault::new(call.at, what))).map(|()| call)
}
