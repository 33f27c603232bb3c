//! Every format of one report whose texts try to break out of it.

use super::{Report, csv, html, junit, oscal};
use crate::clock::UnixTime;
use crate::compliance::goal::{Profile, Severity};
use crate::compliance::verdict::{Judged, Judgement, Status, Verdict};
use crate::ids::account::AccountId;

/// One verdict of each status; the texts try to break out of every format.
fn report() -> Report {
    let at = UnixTime::from_seconds(1_700_000_000);
    let verdict = |(number, status): (usize, Status)| {
        let hostile = "=cmd(\"x\"),<script>alert('&')</script>\u{1b}\nline".to_owned();
        let judged = Judged { resource: "r,1".to_owned(), status, found: hostile.clone(), fix: hostile };
        let judgement = Judgement { expected: "nothing odd".to_owned(), resources: vec![judged] };
        let id = format!("30006{number}");
        Verdict::of((&id, "Check # <things>"), Some(3), Severity::High, judgement, at)
    };
    let goals: Vec<Verdict> = Status::ALL.into_iter().enumerate().map(verdict).collect();
    let profile = Profile {
        id: "p".to_owned(),
        name: "A <profile>".to_owned(),
        description: "For tests".to_owned(),
        goals: Vec::new(),
    };
    Report::of(&profile, &AccountId::parse("123456789012").unwrap(), at, goals, Vec::new())
}

#[test]
fn the_score_counts_what_applies() {
    let summary = report().summary;
    assert_eq!((summary.total, summary.pass, summary.fail, summary.not_applicable), (4, 1, 1, 1));
    assert_eq!(summary.score, 33);
    assert_eq!(super::Summary::of(&[]).score, 100);
}

#[test]
fn no_text_breaks_out_of_a_cell_or_becomes_a_formula() {
    let text = csv::render(&report());
    assert!(text.starts_with("profile,id,description,"));
    assert!(text.contains("\"'=cmd(\"\"x\"\"),<script>"), "{text}");
    let rows = text.split("\r\n").count();
    assert_eq!(rows, 5, "a line break within a cell is no new row");
}

#[test]
fn no_text_breaks_out_of_an_element() {
    for text in [html::render(&report()), junit::render(&report())] {
        assert!(!text.contains("<script") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("&lt;script&gt;alert(&#39;&amp;&#39;)"));
    }
}

#[test]
fn a_page_refers_to_nothing_outside_itself() {
    let page = html::render(&report());
    for outside in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn a_test_case_fails_errs_or_is_skipped_as_its_goal_does() {
    let text = junit::render(&report());
    assert!(text.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""));
    for (element, times) in [("<testcase ", 4), ("<failure ", 1), ("<error ", 1), ("<skipped ", 1)] {
        assert_eq!(text.matches(element).count(), times, "{element}");
    }
}

#[test]
fn every_finding_has_its_observation_and_ids_are_uuids_of_version_4() {
    let document = oscal::render(&report());
    let result = &document["assessment-results"]["results"][0];
    let findings = result["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 4);
    for (finding, observation) in findings.iter().zip(result["observations"].as_array().unwrap()) {
        let id = uuid::Uuid::parse_str(finding["uuid"].as_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 4);
        assert_eq!(finding["related-observations"][0]["observation-uuid"], observation["uuid"]);
        assert!(finding["target"]["target-id"].as_str().unwrap().starts_with("goal-30006"));
    }
    assert_eq!(oscal::render(&report()), document, "the same report is the same document");
}
