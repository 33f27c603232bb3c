//! From nodes and a record to text, by Go's rules for truth, comparison and printing. It reads nothing.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::read::{Call, Function, Node, What};
use super::{Fault, Value};

/// The widest column that a format may ask for.
const WIDTH_MAX: usize = 1_000;

/// The most bytes that a record is printed as, and that a function takes: `with` could double a text again and again.
const TEXT_MAX: usize = 1 << 20;

/// Looks up every field that the nodes name.
pub(super) fn check(nodes: &[Node], dot: &Value) -> Result<(), Fault> {
    for node in nodes {
        match node {
            Node::If { condition, moves, then, otherwise } => {
                check_call(condition, dot)?;
                let field = moves.then(|| field_of(condition, dot)).flatten();
                check(then, field.unwrap_or(dot))?;
                check(otherwise, dot)?;
            }
            Node::Print(call) => check_call(call, dot)?,
            Node::Text(_) => {}
        }
    }
    Ok(())
}

fn check_call(call: &Call, dot: &Value) -> Result<(), Fault> {
    if let What::Field(path) = &call.what {
        field(path, dot, call.at)?;
    }
    call.arguments.iter().try_for_each(|argument| check_call(argument, dot))
}

fn field_of<'v>(call: &Call, dot: &'v Value) -> Option<&'v Value> {
    match &call.what {
        What::Field(path) => field(path, dot, call.at).ok(),
        What::Function(_) | What::Value(_) => None,
    }
}

fn field<'v>(path: &[String], dot: &'v Value, at: usize) -> Result<&'v Value, Fault> {
    path.iter().try_fold(dot, |value, name| {
        let members: &[(&str, Value)] = match value {
            Value::Record(members) => members,
            Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Text(_) => &[],
        };
        let found = members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            let known: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
            let known =
                if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) };
            Fault::new(at, format!("there is no field `{name}`{known}"))
        })
    })
}

/// Writes what the nodes print.
pub(super) fn write(nodes: &[Node], dot: &Value, out: &mut String) -> Result<(), Fault> {
    for node in nodes {
        match node {
            Node::If { condition, moves, then, otherwise } => {
                let value = value(condition, dot)?;
                match (is_true(&value), moves) {
                    (true, true) => write(then, &value, out)?,
                    (true, false) => write(then, dot, out)?,
                    (false, _) => write(otherwise, dot, out)?,
                }
            }
            Node::Print(call) => {
                out.push_str(&shown(&value(call, dot)?));
                if out.len() > TEXT_MAX {
                    return Err(too_long(call.at));
                }
            }
            Node::Text(text) => out.push_str(text),
        }
    }
    Ok(())
}

fn value(call: &Call, dot: &Value) -> Result<Value, Fault> {
    match &call.what {
        What::Field(path) => field(path, dot, call.at).cloned(),
        What::Function(function) => {
            let mut room = TEXT_MAX;
            let mut values = Vec::with_capacity(call.arguments.len());
            for argument in &call.arguments {
                let value = value(argument, dot)?;
                room = room.checked_sub(length(&value)).ok_or_else(|| too_long(argument.at))?;
                values.push(value);
            }
            apply(*function, &values, call.at)
        }
        What::Value(value) => Ok(value.clone()),
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Flag(_) | Value::Number(_) => 0,
        Value::List(values) => values.iter().map(length).sum(),
        Value::Record(members) => members.iter().map(|(_, value)| length(value)).sum(),
        Value::Text(text) => text.len(),
    }
}

fn too_long(at: usize) -> Fault {
    Fault::new(at, format!("this makes a text of more than {TEXT_MAX} bytes"))
}

fn apply(function: Function, values: &[Value], at: usize) -> Result<Value, Fault> {
    let (first, rest) = values.split_first().map_or((&Value::Flag(false), values), |split| split);
    let against_next = || rest.first().map_or(Ok(Ordering::Equal), |next| compared(first, next, at));
    Ok(match function {
        Function::And => {
            values.iter().find(|value| !is_true(value)).or(values.last()).unwrap_or(first).clone()
        }
        Function::Or => values.iter().find(|value| is_true(value)).or(values.last()).unwrap_or(first).clone(),
        Function::Not => Value::Flag(!is_true(first)),
        Function::Eq => {
            let mut equal = false;
            for other in rest {
                equal |= compared(first, other, at)? == Ordering::Equal;
            }
            Value::Flag(equal)
        }
        Function::Ne => Value::Flag(against_next()? != Ordering::Equal),
        Function::Lt => Value::Flag(against_next()? == Ordering::Less),
        Function::Le => Value::Flag(against_next()? != Ordering::Greater),
        Function::Gt => Value::Flag(against_next()? == Ordering::Greater),
        Function::Ge => Value::Flag(against_next()? != Ordering::Less),
        Function::Len => match first {
            Value::List(values) => Value::number(values.len()),
            Value::Text(text) => Value::number(text.len()),
            Value::Flag(_) | Value::Number(_) | Value::Record(_) => {
                return Err(Fault::new(at, "only a text or a list has a length"));
            }
        },
        Function::Print => Value::Text(printed(values)),
        Function::Println => {
            let all: Vec<String> = values.iter().map(shown).collect();
            Value::Text(format!("{}\n", all.join(" ")))
        }
        Function::Printf => Value::Text(formatted(&shown(first), rest, at)?),
    })
}

/// What Go takes for true: what is not zero and not empty.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Flag(flag) => *flag,
        Value::List(values) => !values.is_empty(),
        Value::Number(number) => *number != 0,
        Value::Record(_) => true,
        Value::Text(text) => !text.is_empty(),
    }
}

fn compared(one: &Value, other: &Value, at: usize) -> Result<Ordering, Fault> {
    match (one, other) {
        (Value::Flag(one), Value::Flag(other)) => Ok(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => Ok(one.cmp(other)),
        (Value::Text(one), Value::Text(other)) => Ok(one.cmp(other)),
        (Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Record(_) | Value::Text(_), _) => {
            Err(Fault::new(at, "these values cannot be compared: both must be texts, or both numbers"))
        }
    }
}

/// As Go's `%v` prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::Flag(flag) => flag.to_string(),
        Value::List(values) => format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::Number(number) => number.to_string(),
        Value::Record(members) => {
            let members: Vec<String> = members.iter().map(|(_, value)| shown(value)).collect();
            format!("{{{}}}", members.join(" "))
        }
        Value::Text(text) => text.clone(),
    }
}

/// Go's `Print`: a blank between two values neither of which is a text.
fn printed(values: &[Value]) -> String {
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    let mut out = String::new();
    let mut before: Option<&Value> = None;
    for value in values {
        if before.is_some_and(|before| !is_text(before) && !is_text(value)) {
            out.push(' ');
        }
        out.push_str(&shown(value));
        before = Some(value);
    }
    out
}

/// Go's `Printf`, with `%s`, `%v`, `%d`, `%q`, `%t` and `%%`, a width, and `-` or `0` before it.
fn formatted(format: &str, values: &[Value], at: usize) -> Result<String, Fault> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((plain, verb)) = rest.split_once('%') {
        out.push_str(plain);
        let after = verb.trim_start_matches(['-', '0']);
        let flags = verb.strip_suffix(after).unwrap_or_default();
        let tail = after.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let width = after.strip_suffix(tail).unwrap_or_default();
        let width: usize = if width.is_empty() { 0 } else { width.parse().unwrap_or(usize::MAX) };
        if width > WIDTH_MAX {
            return Err(Fault::new(at, format!("a width is at most {WIDTH_MAX}")));
        }
        let mut letters = tail.chars();
        let verb = letters.next();
        rest = letters.as_str();
        if verb == Some('%') {
            out.push('%');
            continue;
        }
        let Some(value) = values.next() else { return Err(Fault::new(at, "printf has too few values")) };
        let text = match (verb, value) {
            (Some('v'), _) | (Some('s'), Value::Text(_)) => shown(value),
            (Some('d'), Value::Number(number)) => number.to_string(),
            (Some('q'), Value::Text(text)) => format!("{text:?}"),
            (Some('t'), Value::Flag(flag)) => flag.to_string(),
            (verb, _) => {
                let verb = verb.map_or_else(String::new, String::from);
                return Err(Fault::new(at, format!("%{verb} does not fit its value: use %v")));
            }
        };
        let _ = if flags.contains('-') {
            write!(out, "{text:<width$}")
        } else if flags.contains('0') {
            write!(out, "{text:0>width$}")
        } else {
            write!(out, "{text:>width$}")
        };
    }
    out.push_str(rest);
    if values.next().is_some() { Err(Fault::new(at, "printf has too many values")) } else { Ok(out) }
}
