//! Reads bytes as the beginning of a connection with a PROXY header, and checks that pieces are read like the whole.

use portcullis::client::proxy::{MAX, Reading, Source, read};

/// `data` is what a peer sends first.
pub(crate) fn check(data: &[u8]) {
    let whole = read(data);
    match whole {
        Ok(Reading::Complete { length, source }) => {
            assert!(length <= data.len().min(MAX));
            assert_eq!(read(&data[..length]), whole, "what comes behind it changes nothing");
            for end in 0..length {
                assert_eq!(read(&data[..end]), Ok(Reading::Partial), "{end} of {}", data.escape_ascii());
            }
            if let Source::Stated(ip) = source {
                assert!(!ip.to_canonical().is_unspecified() && !ip.to_canonical().is_multicast());
            }
        }
        Ok(Reading::Partial) => assert!(data.len() < MAX, "nobody is waited for that long"),
        Err(_) => {
            let more = [data, b"\r\n"].concat();
            assert!(read(&more).is_err(), "what is wrong stays wrong: {}", data.escape_ascii());
        }
    }
}
