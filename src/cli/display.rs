//! How results look: as a table, as named values, as a tree, or as JSON. Pure text; nothing is printed here.

use clap::{Args, ValueEnum};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

/// Spaces between columns, as in the IBM Cloud CLI.
const GAP: usize = 3;

/// How a command shows what it did.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Display {
    /// Print JSON instead of text
    #[arg(short, long, ignore_case = true, value_name = "FORMAT")]
    pub(super) output: Option<Output>,
    /// Print only what was asked for
    #[arg(short, long)]
    pub(super) quiet: bool,
}

impl Display {
    /// Whether the standard output is for a program.
    pub(super) const fn is_json(self) -> bool {
        matches!(self.output, Some(Output::Json))
    }
}

/// A format other than text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Output {
    Json,
}

/// Columns under headings.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings and no rows.
    pub(super) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| tame(cell.as_ref())).collect());
    }

    /// The lines, each column as wide on a terminal as its widest cell there.
    pub(super) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0) + GAP).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| {
                let rest = width.saturating_sub(cell.width());
                format!("{cell}{:rest$}", "")
            });
            cells.collect::<String>().trim_end().to_owned()
        };
        self.rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// Names and values, one pair a line, values aligned.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = Table { rows: Vec::new() };
    for (name, value) in pairs {
        table.row([name, &value]);
    }
    table.render()
}

/// JSON for people: two spaces of indentation.
pub(super) fn json(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// Text from elsewhere, made harmless for a terminal: no control characters, so no escape sequences.
pub(super) fn tame(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

/// Bytes as the registry plug-in writes them: `2.7 MB`, decimal.
pub(super) fn size(bytes: u64) -> String {
    let mut unit = "B";
    let mut tenths = bytes.saturating_mul(10);
    for larger in ["kB", "MB", "GB", "TB"] {
        if tenths < 10_000 {
            break;
        }
        tenths = tenths.div_ceil(1000);
        unit = larger;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenth == 0 || whole >= 100 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

/// A span of seconds as people say it: `3 days ago`.
pub(super) fn ago(seconds: i64) -> String {
    const SPANS: [(i64, &str); 6] = [
        (31_536_000, "year"),
        (2_592_000, "month"),
        (604_800, "week"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
    ];
    for (length, name) in SPANS {
        let count = seconds / length;
        if count >= 1 {
            return format!("{count} {name}{} ago", if count == 1 { "" } else { "s" });
        }
    }
    "less than a minute ago".to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Table, ago, pairs, size};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_three_spaces() {
        let mut table = Table::new(&["UUID", "Name", "Locked"]);
        table.row(["ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b", "think-registry-demo", "false"]);
        assert_eq!(
            table.render(),
            "UUID                                             Name                  Locked\n\
             ServiceId-ba934ca1-36a4-4d6c-a649-af45a2fc184b   think-registry-demo   false"
        );
    }

    #[test]
    fn letters_that_take_two_columns_or_none_misalign_nothing() {
        let mut table = Table::new(&["Name", "Locked"]);
        table.row(["鳥の名前", "false"]);
        table.row(["cafe\u{301}", "true"]);
        table.row(["owl", "true"]);
        assert_eq!(
            table.render(),
            "Name       Locked\n鳥の名前   false\ncafe\u{301}       true\nowl        true"
        );
    }

    #[test]
    fn values_line_up_and_lines_have_no_trailing_spaces() {
        assert_eq!(
            pairs([("ID", "x".to_owned()), ("Description", String::new())]),
            "ID            x\nDescription"
        );
    }

    #[test]
    fn escape_sequences_in_names_reach_no_terminal() {
        let mut table = Table::new(&["Name"]);
        table.row(["\u{1b}[2Jevil"]);
        assert!(!table.render().contains('\u{1b}'));
    }

    #[test]
    fn sizes_and_ages_are_rounded_for_people() {
        assert_eq!(
            [size(0), size(999), size(2_700_000), size(1_000), size(640_000_000)],
            ["0 B", "999 B", "2.7 MB", "1 kB", "640 MB"]
        );
        assert_eq!(
            [ago(5), ago(60), ago(7_200), ago(86_400 * 200)],
            ["less than a minute ago", "1 minute ago", "2 hours ago", "6 months ago"]
        );
    }
}
