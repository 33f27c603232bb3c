//! Issuers that are where they should not be, or answer what they should not.

use super::upstream::{always, head, raw};
use crate::forward::issuers::{Internal, Issuers};
use crate::ids::issuer::{DocumentUrl, Issuer, Origin};
use crate::token::federation::Library as _;
use tokio::io::AsyncWriteExt as _;

fn inside(origins: &[&str]) -> Issuers {
    let internal = |origin: &&str| Internal { origin: Origin::parse(origin).unwrap(), ca: None, token: None };
    Issuers { ca: None, internal: origins.iter().map(internal).collect() }
}

async fn read(issuers: &Issuers, issuer: &str, url: &str) -> Result<String, String> {
    let (issuer, url) = (Issuer::parse(issuer).unwrap(), DocumentUrl::parse(url).unwrap());
    let read = issuers.read(&issuer, &url).await.map_err(|unread| unread.to_string())?;
    Ok(String::from_utf8(read).unwrap())
}

#[test]
fn internal_addresses_are_for_issuers_that_the_operator_named() {
    super::local(async {
        let origin = always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        let url = format!("{}/keys?p=1", origin.url);
        assert_eq!(read(&inside(&[&origin.url]), &origin.url, &url).await.unwrap(), "{}");
        assert_eq!(origin.connections.get(), 1);
        let refused = read(&inside(&[]), &origin.url, &url).await.unwrap_err();
        assert!(refused.contains("not https"), "{refused}");
        // An issuer outside cannot send us inside, nor to what only another issuer is vouched for.
        let refused = read(&inside(&[&origin.url]), "https://issuer.test", &url).await.unwrap_err();
        assert!(refused.contains("not https"), "{refused}");
        let encrypted = url.replace("http:", "https:");
        let refused = read(&inside(&[&origin.url]), "https://issuer.test", &encrypted).await.unwrap_err();
        assert!(refused.contains("no address on the public Internet"), "{refused}");
        for host in [
            "localhost",
            "127.1",
            "0x7f.1",
            "2130706433",
            "[::ffff:127.0.0.1]",
            "169.254.169.254",
            "10.0.0.1",
        ] {
            let refused = read(&inside(&[]), "https://issuer.test", &format!("https://{host}/keys")).await;
            let refused = refused.unwrap_err();
            assert!(refused.contains("no address on the public Internet"), "{host}: {refused}");
        }
        assert_eq!(origin.connections.get(), 1);
    });
}

#[test]
fn only_a_plain_answer_of_a_decent_size_is_taken() {
    super::local(async {
        let elsewhere = always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        let mut answers = vec![
            "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
            "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{}".to_owned(),
            format!("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{}", " ".repeat(300_000)),
            "nonsense\r\n\r\n".to_owned(),
            String::new(),
        ];
        for status in ["301", "302", "303", "307", "308"] {
            let location = &elsewhere.url;
            answers.push(format!(
                "HTTP/1.1 {status} Moved\r\nLocation: {location}/k\r\nContent-Length: 0\r\n\r\n"
            ));
        }
        for answer in answers {
            let origin = raw(move |mut stream, _| {
                let answer = answer.clone();
                async move {
                    head(&mut stream).await;
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            })
            .await;
            let issuers = inside(&[&origin.url, &elsewhere.url]);
            assert!(read(&issuers, &origin.url, &format!("{}/keys", origin.url)).await.is_err());
        }
        assert_eq!(elsewhere.connections.get(), 0, "redirects are not followed");
    });
}

#[test]
fn a_token_is_shown_only_where_it_is_for() {
    super::local(async {
        let (asked, mut heads) = tokio::sync::mpsc::unbounded_channel();
        let origin = raw(move |mut stream, _| {
            let asked = asked.clone();
            async move {
                asked.send(head(&mut stream).await).ok();
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.ok();
            }
        })
        .await;
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "secret-token\n").unwrap();
        let mut issuers = inside(&[&origin.url]);
        issuers.internal[0].token = Some(file.clone());
        read(&issuers, &origin.url, &format!("{}/keys", origin.url)).await.unwrap();
        let head = heads.recv().await.unwrap().to_ascii_lowercase();
        assert!(
            head.starts_with("get /keys http/1.1\r\n")
                && head.contains("authorization: bearer secret-token\r\n")
        );
        issuers.internal[0].token = None;
        read(&issuers, &origin.url, &format!("{}/keys", origin.url)).await.unwrap();
        assert!(!heads.recv().await.unwrap().to_ascii_lowercase().contains("authorization"));
        std::fs::write(&file, "two\nlines").unwrap();
        issuers.internal[0].token = Some(file);
        let refused = read(&issuers, &origin.url, &format!("{}/keys", origin.url)).await.unwrap_err();
        assert!(refused.contains("this is no token"), "{refused}");
    });
}
