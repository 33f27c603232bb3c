//! What the reader accepts, what it refuses, and where it says so.

use super::{DEPTH_MAX, FaultKind, Node, Position, Value, read};

fn fault(text: &str) -> (FaultKind, u32, u32) {
    let fault = read(text, 1000).unwrap_err();
    (fault.kind, fault.at.line, fault.at.column)
}

#[test]
fn values_know_their_line_and_column() {
    let Node { value: Value::Object(members), at } =
        read("{\n  \"é\": [1, \"x\",\r\n\ttrue], \"b\": null }\n", 100).unwrap()
    else {
        panic!("an object")
    };
    assert_eq!(at, Position::START);
    let [first, second] = members.as_slice() else { panic!("two members") };
    assert_eq!((&*first.key, first.at.line, first.at.column), ("é", 2, 3));
    let Value::List(items) = &first.value.value else { panic!("a list") };
    let places: Vec<_> = items.iter().map(|item| (item.at.line, item.at.column)).collect();
    assert_eq!(places, [(2, 9), (2, 12), (3, 2)]);
    assert_eq!((&*second.key, second.at.line, second.at.column), ("b", 3, 9));
    assert_eq!(second.value, Node { at: Position { line: 3, column: 14 }, value: Value::Null });
}

#[test]
fn escapes_are_resolved_and_numbers_kept_as_text() {
    let cases = [
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""a\u0041\u00e9\uD83D\uDE00z""#, "aAé😀z"),
        (r#""\u0100""#, "Ā"),
        (r#""""#, ""),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text, 100).unwrap().value, Value::Text(expected.into()), "{text}");
    }
    for number in ["0", "-0", "10", "2.50", "-1.5e+10", "1E9", "123456789012345678901234567890"] {
        assert_eq!(read(number, 100).unwrap().value, Value::Number(number));
    }
}

#[test]
fn what_is_not_strict_json_is_refused_where_it_stands() {
    let cases = [
        ("", FaultKind::End, 1, 1),
        (" ", FaultKind::End, 1, 2),
        ("{\"a\":1", FaultKind::End, 1, 7),
        ("\"abc", FaultKind::End, 1, 5),
        ("{\"a\":1}x", FaultKind::Trailing, 1, 8),
        ("1 2", FaultKind::Trailing, 1, 3),
        ("[1,]", FaultKind::Unexpected, 1, 4),
        ("{,}", FaultKind::Unexpected, 1, 2),
        ("{a:1}", FaultKind::Unexpected, 1, 2),
        ("{\"a\" 1}", FaultKind::Unexpected, 1, 6),
        ("[1 2]", FaultKind::Unexpected, 1, 4),
        ("'a'", FaultKind::Unexpected, 1, 1),
        ("// no\n1", FaultKind::Unexpected, 1, 1),
        ("[NaN]", FaultKind::Unexpected, 1, 2),
        ("nul", FaultKind::End, 1, 4),
        ("True", FaultKind::Unexpected, 1, 1),
        ("\"a\nb\"", FaultKind::Unexpected, 1, 3),
        ("\u{b}1", FaultKind::Unexpected, 1, 1),
        ("\u{a0}1", FaultKind::Unexpected, 1, 1),
        ("\u{feff}1", FaultKind::Character, 1, 1),
        ("\n\"aĀ\"", FaultKind::Character, 2, 3),
        ("[01]", FaultKind::Number, 1, 2),
        ("1.", FaultKind::Number, 1, 1),
        ("-", FaultKind::Number, 1, 1),
        (".5", FaultKind::Unexpected, 1, 1),
        ("+1", FaultKind::Unexpected, 1, 1),
        ("1e", FaultKind::Number, 1, 1),
        (r#""ab\x""#, FaultKind::Escape, 1, 4),
        (r#""\u12G4""#, FaultKind::Escape, 1, 2),
        (r#""\u+123""#, FaultKind::Escape, 1, 2),
        (r#""\uD800""#, FaultKind::Escape, 1, 2),
        (r#""\uD800\u0041""#, FaultKind::Escape, 1, 2),
        (r#""\uDC00""#, FaultKind::Escape, 1, 2),
        ("{\"a\":1,\n\"\\u0061\":2}", FaultKind::Duplicate, 2, 1),
    ];
    for (text, kind, line, column) in cases {
        assert_eq!(fault(text), (kind, line, column), "{text:?}");
    }
}

#[test]
fn a_repeated_key_is_found_among_many() {
    let keys: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
    assert!(read(&format!("{{{keys}\"k\":0}}"), 1000).is_ok());
    assert_eq!(fault(&format!("{{{keys}\n\"k7\":0}}")), (FaultKind::Duplicate, 2, 1));
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(DEPTH_MAX), 1000).is_ok());
    assert_eq!(fault(&nested(DEPTH_MAX + 1)), (FaultKind::Depth, 1, 33));
    assert_eq!(fault(&"[".repeat(900)), (FaultKind::Depth, 1, 33));
    assert!(read("[1]", 3).is_ok());
    assert_eq!(read("[12]", 3).unwrap_err().kind, FaultKind::Size);
}
