//! Recorded documents with their exact message, each a test of its own (tests/vectors, Apache-2.0, from moto's tests).

use serde_json::Value;

use super::read;
use crate::policy::aws::kind::Kind;
use crate::policy::aws::message::Code;

const CASES: &str = include_str!("../../../../tests/vectors/iam_policy_validation_cases.jsonl");

fn cases() -> Vec<Value> {
    CASES.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Reads the case's document as a managed policy and compares the outcome word for word.
fn check(id: &str) {
    let case = cases().into_iter().find(|case| case["id"] == id).expect("a case of that id");
    let text = match &case["document"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    let outcome = read(&text, Kind::Managed);
    if case["expect"] == "valid" {
        let refusal = outcome.err().map(|invalid| invalid.to_string());
        assert_eq!(refusal, None, "{id}: {text}");
    } else {
        let invalid = outcome.expect_err(&text);
        assert_eq!(case["expect"], invalid.code.name(), "{id}: {invalid}");
        assert_eq!(invalid.code, Code::MalformedPolicyDocument);
        assert_eq!(case["message"], invalid.message, "{id}: {invalid}: {text}");
        let line = text.lines().nth(usize::try_from(invalid.line).unwrap() - 1).expect("a line of the text");
        assert!((1..=line.chars().count() + 1).contains(&usize::try_from(invalid.column).unwrap()), "{id}");
        assert!(!invalid.advice.is_empty());
    }
}

macro_rules! recorded {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(&stringify!($name).replace('_', "-"));
            }
        )*

        #[test]
        fn every_recorded_case_is_listed_here() {
            let listed: Vec<String> = [$(stringify!($name)),*].map(|name| name.replace('_', "-")).into();
            let recorded: Vec<String> =
                cases().iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(listed, recorded);
        }
    };
}

recorded! {
    moto_invalid_0 moto_invalid_1 moto_invalid_2 moto_invalid_3 moto_invalid_4 moto_invalid_5 moto_invalid_6
    moto_invalid_7 moto_invalid_8 moto_invalid_9 moto_invalid_10 moto_invalid_11 moto_invalid_12
    moto_invalid_13 moto_invalid_14 moto_invalid_15 moto_invalid_16 moto_invalid_17 moto_invalid_18
    moto_invalid_19 moto_invalid_20 moto_invalid_21 moto_invalid_22 moto_invalid_23 moto_invalid_24
    moto_invalid_25 moto_invalid_26 moto_invalid_27 moto_invalid_28 moto_invalid_29 moto_invalid_30
    moto_invalid_31 moto_invalid_32 moto_invalid_33 moto_invalid_34 moto_invalid_35 moto_invalid_36
    moto_invalid_37 moto_invalid_38 moto_invalid_39 moto_invalid_40 moto_invalid_41 moto_invalid_42
    moto_invalid_43 moto_invalid_44 moto_invalid_45 moto_invalid_46 moto_invalid_47 moto_invalid_48
    moto_invalid_49 moto_invalid_50 moto_invalid_51 moto_invalid_52 moto_invalid_53 moto_invalid_54
    moto_invalid_55 moto_invalid_56 moto_invalid_57 moto_invalid_58 moto_invalid_59 moto_invalid_60
    moto_invalid_61 moto_invalid_62 moto_invalid_63 moto_invalid_64 moto_invalid_65 moto_invalid_66
    moto_invalid_67 moto_invalid_68 moto_invalid_69 moto_invalid_70 moto_invalid_71 moto_invalid_72
    moto_invalid_73 moto_invalid_74 moto_invalid_75 moto_invalid_76 moto_invalid_77 moto_valid_0
    moto_valid_1 moto_valid_2 moto_valid_3 moto_valid_4 moto_valid_5 moto_valid_6 moto_valid_7 moto_valid_8
    moto_valid_9 moto_valid_10 moto_valid_11 moto_valid_12 moto_valid_13 moto_valid_14 moto_valid_15
    moto_valid_16 moto_valid_17 moto_valid_18 moto_valid_19 moto_valid_20 moto_valid_21 moto_valid_22
    moto_valid_23 moto_valid_24 moto_valid_25 moto_valid_26 moto_valid_27 moto_valid_28 moto_valid_29
    moto_valid_30 moto_valid_31 moto_valid_32 moto_valid_33 moto_valid_34 moto_valid_35 moto_valid_36
    moto_valid_37 moto_valid_38 moto_valid_39 moto_valid_40 moto_valid_41 moto_valid_42 moto_valid_43
    moto_valid_44 moto_valid_45 moto_valid_46 moto_valid_47 moto_valid_48 moto_valid_49 moto_valid_50
    moto_valid_51 moto_valid_52 moto_valid_53
}
