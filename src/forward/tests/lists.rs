//! Lists against upstreams that page, and upstreams that do not.

use std::rc::Rc;

use tokio::io::AsyncWriteExt as _;

use super::upstream::{Raw, head, raw};
use super::{ask, content, name, only, settings};
use crate::admit::fault::Fault;
use crate::forward::{Failure, Forwarder};
use crate::registry::operation::{Operation, Page};

/// Serves `entries` in pages as `n` and `last` ask for, but never more than `most` at a time.
async fn paging(key: &'static str, entries: Vec<String>, most: usize) -> Raw {
    let entries = Rc::new(entries);
    raw(move |mut stream, _| {
        let entries = Rc::clone(&entries);
        async move {
            loop {
                let head = head(&mut stream).await;
                let Some(target) = head.split(' ').nth(1) else { return };
                let query = target.split_once('?').unwrap_or_default().1;
                let asked =
                    |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
                let last = asked("last").unwrap_or_default().replace("%2F", "/");
                let n = asked("n").map_or(most, |n| n.parse().unwrap()).min(most);
                let rest: Vec<_> = entries.iter().filter(|entry| **entry > last).collect();
                let page: Vec<_> = rest.iter().take(n).collect();
                let link = if rest.len() > n { "Link: </next>; rel=\"next\"\r\n" } else { "" };
                let body = serde_json::json!({ key: page }).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\n{link}Content-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    })
    .await
}

fn page(limit: Option<u32>, last: Option<&str>) -> Page {
    Page { limit, last: last.map(str::to_owned) }
}

#[test]
fn r26_a_catalog_shows_full_pages_of_visible_names_and_no_trace_of_others() {
    super::local(async {
        let entries = (0..3000)
            .map(|n| format!("{}/r{n:04}", if n % 100 == 0 { "mine" } else { "hidden" }))
            .collect::<Vec<_>>();
        let mut entries = entries;
        entries.sort();
        let upstream = paging("repositories", entries, 1000).await;
        let forwarder = Forwarder::new(settings(&upstream.url)).unwrap();
        let mine = only(|repository| repository.namespace() == "mine");
        let mut all = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let found = forwarder.catalog(&page(Some(7), last.as_deref()), &mine).await.unwrap();
            last = found.repositories.last().map(ToString::to_string);
            let full = found.repositories.len() == 7;
            all.extend(found.repositories);
            assert!(full || !found.more);
            if !found.more {
                break;
            }
        }
        assert_eq!((all.len(), all[0].as_str(), all[29].as_str()), (30, "mine/r0000", "mine/r2900"));
        // Exactly full, with hidden names behind: no further page.
        let hidden = only(|repository| repository.as_str() < "hidden/r0008");
        let found = forwarder.catalog(&page(Some(7), None), &hidden).await.unwrap();
        assert_eq!((found.repositories.len(), found.more), (7, false));
        assert_eq!(forwarder.catalog(&page(Some(0), None), &mine).await.unwrap().repositories, []);
        assert_eq!(
            forwarder.catalog(&page(None, None), only(|_| true)).await.unwrap().repositories.len(),
            100
        );
        assert_eq!(
            forwarder.catalog(&page(Some(u32::MAX), None), only(|_| true)).await.unwrap().repositories.len(),
            1000
        );
    });
}

#[test]
fn tags_are_sorted_and_cut_whether_the_upstream_pages_or_not() {
    super::local(async {
        let mut tags: Vec<_> = (0..250).map(|n| format!("v{n}")).collect();
        tags.sort();
        for most in [7, 100, 100_000] {
            let upstream = paging("tags", tags.clone(), most).await;
            let forwarder = Forwarder::new(settings(&upstream.url)).unwrap();
            let all = forwarder.tags(&name("a/b"), &page(None, None)).await.unwrap();
            assert_eq!((all.tags.len(), all.more), (250, false));
            let some = forwarder.tags(&name("a/b"), &page(Some(3), Some(&tags[10]))).await.unwrap();
            assert_eq!(some.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), tags[11..14]);
            assert!(some.more);
            let end = forwarder.tags(&name("a/b"), &page(Some(3), Some(&tags[246]))).await.unwrap();
            assert_eq!((end.tags.len(), end.more), (3, false));
            let none = forwarder.tags(&name("a/b"), &page(Some(0), None)).await.unwrap();
            assert_eq!((none.tags.len(), none.more), (0, false));
        }
    });
}

#[test]
fn r28_the_link_of_a_tag_list_names_only_what_is_shown() {
    super::local(async {
        let upstream = paging("tags", vec!["a".into(), "b".into(), "c".into()], 100).await;
        let forwarder = Forwarder::new(settings(&upstream.url)).unwrap();
        let list = |limit| Operation::TagList { repository: name("x/y"), page: page(limit, None) };
        let answer = ask(&forwarder, list(Some(2))).await.unwrap();
        assert_eq!(answer.headers()["link"], "</v2/x/y/tags/list?last=b&n=2>; rel=\"next\"");
        assert_eq!(content(answer).await.unwrap(), r#"{"name":"x/y","tags":["a","b"]}"#);
        for limit in [None, Some(0), Some(3)] {
            assert!(!ask(&forwarder, list(limit)).await.unwrap().headers().contains_key("link"));
        }
    });
}

#[test]
fn lists_that_do_not_parse_or_advance_or_end_are_faults() {
    super::local(async {
        let stuck = "HTTP/1.1 200 OK\r\nLink: </x>; rel=\"next\"\r\nContent-Length: 37\r\n\r\n{\"repositories\":[\"a/b\"],\"tags\":[\"a\"]}";
        for answer in [
            stuck,
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[[",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        ] {
            let upstream = super::upstream::always(answer).await;
            let forwarder = Forwarder::new(settings(&upstream.url)).unwrap();
            let catalog = forwarder.catalog(&page(None, None), only(|_| false)).await;
            assert!(matches!(catalog, Err(Fault::UpstreamBroken(_))), "{answer}: {catalog:?}");
            let tags = forwarder.tags(&name("a/b"), &page(None, None)).await;
            assert!(matches!(tags, Err(Failure::Fault(Fault::UpstreamBroken(_)))), "{answer}: {tags:?}");
        }
    });
}
