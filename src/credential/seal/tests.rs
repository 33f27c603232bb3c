//! What is sealed stays shut, and the derivation stays as it is.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL};

use super::{BadMasterKey, MasterKey};
use crate::clock::{SequenceEntropy, SystemEntropy};

fn key(seed: u64) -> MasterKey {
    MasterKey::fresh(&SequenceEntropy::seeded(seed))
}

#[test]
fn what_is_sealed_opens_for_the_same_key_and_purpose_only() {
    let (one, two) = (key(1), key(2));
    for plain in [&b""[..], b"x", &[7; 5000]] {
        let sealed = one.seal("signing key", plain, &SystemEntropy);
        assert_eq!(one.open("signing key", &sealed).unwrap().expose(), plain);
        assert!(one.open("access key", &sealed).is_none());
        assert!(one.open("", &sealed).is_none());
        assert!(two.open("signing key", &sealed).is_none());
    }
}

#[test]
fn any_change_keeps_it_shut() {
    let key = key(1);
    let sealed = key.seal("p", b"secret", &SystemEntropy);
    assert!(key.open("p", &sealed).is_some());
    for at in 0..sealed.len() {
        for bit in [1, 0x80] {
            let mut changed = sealed.clone();
            changed[at] ^= bit;
            assert!(key.open("p", &changed).is_none(), "byte {at}");
        }
        assert!(key.open("p", &sealed[..at]).is_none(), "cut to {at}");
    }
    assert!(key.open("p", &[sealed.as_slice(), &[0]].concat()).is_none());
}

#[test]
fn sealing_twice_shows_nothing() {
    let key = key(1);
    let plain = b"a secret that must not be seen";
    let (one, two) = (key.seal("p", plain, &SystemEntropy), key.seal("p", plain, &SystemEntropy));
    assert_ne!(one, two);
    assert!(!one.windows(8).any(|part| plain.windows(8).any(|other| part == other)));
}

#[test]
fn a_key_survives_its_file() {
    let key = MasterKey::fresh(&SystemEntropy);
    let line = key.encode();
    assert!(line.expose().ends_with('\n') && line.expose().len() == 45);
    let sealed = key.seal("p", b"x", &SystemEntropy);
    for text in [line.expose().clone(), line.expose().trim().to_owned(), line.expose().replace('\n', "\r\n")]
    {
        let again = MasterKey::parse(&text).unwrap();
        assert!(again.open("p", &sealed).is_some() && again.derive("d") == key.derive("d"));
    }
}

#[test]
fn a_key_is_its_owners_and_of_a_group_only_when_it_is_roots() {
    for (owner, mode) in [(1000, 0o600), (1000, 0o400), (0, 0o600), (0, 0o440), (0, 0o640)] {
        assert!(!MasterKey::is_exposed(owner, mode), "{owner} {mode:o}");
    }
    for (owner, mode) in
        [(1000, 0o440), (1000, 0o640), (1000, 0o604), (0, 0o444), (0, 0o660), (0, 0o450), (0, 0o601)]
    {
        assert!(MasterKey::is_exposed(owner, mode), "{owner} {mode:o}");
    }
}

// K-17
#[test]
fn texts_that_are_no_random_key_are_refused() {
    let texts = [
        String::new(),
        "\n".to_owned(),
        "password".to_owned(),
        BASE64.encode(&[1, 2, 3]),
        BASE64.encode(&(0..33).collect::<Vec<u8>>()),
        BASE64_NOPAD.encode(&(0..32).collect::<Vec<u8>>()),
        BASE64URL.encode(&(223..=254).collect::<Vec<u8>>()),
        format!("{}\n\n", BASE64.encode(&(0..32).collect::<Vec<u8>>())),
        format!(" {}", BASE64.encode(&(0..32).collect::<Vec<u8>>())),
    ];
    for text in texts {
        assert_eq!(MasterKey::parse(&text).unwrap_err(), BadMasterKey::Malformed, "{text:?}");
    }
    for byte in [0, 0xff] {
        assert_eq!(MasterKey::parse(&BASE64.encode(&[byte; 32])).unwrap_err(), BadMasterKey::Weak);
    }
}

#[test]
fn derived_keys_differ_by_purpose_and_never_print() {
    let (one, two) = (key(1), key(2));
    assert!(one.derive("pepper") == key(1).derive("pepper"));
    assert!(one.derive("pepper") != one.derive("lease") && one.derive("pepper") != two.derive("pepper"));
    assert!(one.derive("a").expose() != one.bytes.expose());
    assert_eq!(format!("{one:?} {:?}", one.derive("a")), "MasterKey(…) Secret(…)");
}

// Pins the derivation: a change would make every hash and sealed secret in existing stores unusable.
#[test]
fn the_derivation_never_changes() {
    let key = MasterKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    let pepper = data_encoding::HEXLOWER.encode(key.derive("pepper").expose());
    assert_eq!(pepper, "a6cec7052b4d708a181da680fa9ae55ee1915bff7bcc3755613dfa858efc320a");
    let sealed = key.seal("p", b"x", &SequenceEntropy::seeded(1));
    assert_eq!(
        data_encoding::HEXLOWER.encode(&sealed),
        "0191bef87171c3e08549cb679aaa0ef8b9b625ccd63ebe6bb866a25e0537"
    );
}
