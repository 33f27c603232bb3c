//! Headers by the letter of the specification, and everything else.

use super::{MAX, Malformed, Reading, Source, read};

const FIRST: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

/// A header of version 2.
fn second(command: u8, protocol: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, protocol][..], &length, body].concat()
}

fn four(source: [u8; 4]) -> Vec<u8> {
    [&source[..], &[198, 51, 100, 2, 0xdc, 4, 1, 0xbb]].concat()
}

fn six(source: &str) -> Vec<u8> {
    let source: std::net::Ipv6Addr = source.parse().unwrap();
    [&source.octets()[..], &[0; 20]].concat()
}

fn source(bytes: &[u8]) -> Option<String> {
    match read(bytes) {
        Ok(Reading::Complete { length, source }) => {
            assert_eq!(length, bytes.len());
            Some(match source {
                Source::Stated(ip) => ip.to_string(),
                Source::Peer => "peer".to_owned(),
            })
        }
        Ok(Reading::Partial) => Some("partial".to_owned()),
        Err(_) => None,
    }
}

#[test]
fn headers_of_both_versions_name_a_client() {
    let cases: [(&str, Vec<u8>); 12] = [
        ("192.0.2.1", FIRST.to_vec()),
        ("2001:db8::1", b"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n".to_vec()),
        ("::ffff:10.0.0.1", b"PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n".to_vec()),
        ("peer", b"PROXY UNKNOWN\r\n".to_vec()),
        ("peer", b"PROXY UNKNOWN ffff:f...f:ffff not looked at 65535 65535\r\n".to_vec()),
        ("192.0.2.1", second(0x21, 0x11, &four([192, 0, 2, 1]))),
        ("2001:db8::1", second(0x21, 0x21, &six("2001:db8::1"))),
        ("peer", second(0x20, 0, &[])),
        ("peer", second(0x20, 0x31, &[0; 216])),
        ("192.0.2.1", second(0x21, 0x11, &[four([192, 0, 2, 1]), vec![4, 0, 1, 0]].concat())),
        ("192.0.2.1", second(0x21, 0x11, &[four([192, 0, 2, 1]), vec![5, 0, 0, 1, 0, 2, 104, 50]].concat())),
        ("peer", second(0x20, 0, &[0; MAX - 16])),
    ];
    for (expected, bytes) in cases {
        assert_eq!(source(&bytes).as_deref(), Some(expected), "{}", bytes.escape_ascii());
    }
}

#[test]
fn what_comes_behind_a_header_is_left_alone() {
    for header in [FIRST.to_vec(), second(0x21, 0x11, &four([192, 0, 2, 1])), b"PROXY UNKNOWN\r\n".to_vec()] {
        let all = [&header[..], b"\x16\x03\x01PROXY \r\n\r\n"].concat();
        let Ok(Reading::Complete { length, .. }) = read(&all) else { panic!("{}", all.escape_ascii()) };
        assert_eq!(length, header.len());
        for end in 0..header.len() {
            assert_eq!(read(&header[..end]), Ok(Reading::Partial), "{}", header[..end].escape_ascii());
        }
    }
}

/// H-17, H-19, H-20, H-21
#[test]
fn whatever_the_specification_does_not_allow_is_refused() {
    let mut cases: Vec<Vec<u8>> = [
        "GET / HTTP/1.1\r\n",
        "\x16\x03\x01\x02\0",
        "proxy TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 010.0.0.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 10.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n",
        "PROXY TCP4 0.0.0.0 198.51.100.2 1 2\r\n",
        "PROXY TCP4 224.0.0.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY UNKNOWN\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY \r\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    let good = four([192, 0, 2, 1]);
    cases.extend([
        [b"PROXY UNKNOWN ", &[b'x'; 100][..], b"\r\n"].concat(),
        [b"PROXY ", &[b'x'; 101][..]].concat(),
        b"PROXY UNKNOWN \xff\r\n".to_vec(),
        second(0x11, 0x11, &good),
        second(0x22, 0x11, &good),
        second(0x31, 0x11, &good),
        second(0x21, 0x00, &[]),
        second(0x21, 0x12, &good),
        second(0x21, 0x31, &[0; 216]),
        second(0x21, 0x11, &good[..11]),
        second(0x21, 0x21, &good),
        second(0x21, 0x21, &six("ff02::1")),
        second(0x21, 0x21, &six("::ffff:0.0.0.0")),
        second(0x21, 0x11, &[good.clone(), vec![4]].concat()),
        second(0x21, 0x11, &[good.clone(), vec![4, 0, 2, 0]].concat()),
        second(0x21, 0x11, &[good.clone(), vec![3, 0, 4, 1, 2, 3, 4]].concat()),
        second(0x21, 0x11, &[good.clone(), vec![3, 0, 0]].concat()),
        second(0x20, 0, &[0; MAX - 15]),
        second(0x20, 0, &[0; 65_535])[..16].to_vec(),
        second(0x30, 0, &[])[..13].to_vec(),
    ]);
    for bytes in cases {
        assert_eq!(source(&bytes), None, "{}", bytes.escape_ascii());
    }
    assert_eq!(read(b"GET "), Err(Malformed::Absent));
}

#[test]
fn a_checksum_that_is_right_is_accepted() {
    let mut bytes = second(0x21, 0x11, &[four([192, 0, 2, 1]), vec![3, 0, 4, 0, 0, 0, 0]].concat());
    let at = bytes.len() - 4;
    let sum = super::second::checksum(&bytes, at);
    bytes[at..].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(source(&bytes).as_deref(), Some("192.0.2.1"));
    bytes[20] ^= 1;
    assert_eq!(source(&bytes), None);
}
