//! Which manifests a client takes, as far as it names them.
//!
//! Only a type that is named counts: what a registry makes of a wildcard, or of nothing at all, differs from one to the other,
//! so that is asked there.

use http::header::{self, HeaderMap};

/// The types that a registry is asked for; with each of them named, it converts nothing.
const KINDS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// Whether a client names any type that a manifest usually has.
pub(super) fn names_any(headers: &HeaderMap) -> bool {
    KINDS.iter().any(|kind| names(headers, kind))
}

/// Whether a client names this type.
pub(super) fn names(headers: &HeaderMap, media_type: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| is_wanted(one, media_type))
}

/// Whether one element of `Accept` is `media_type`, and neither malformed nor refused by `q=0`.
fn is_wanted(element: &str, media_type: &str) -> bool {
    let mut parts = element.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
    named
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, weight)) if name.trim().eq_ignore_ascii_case("q") => {
                weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)
            }
            Some(_) => true,
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use http::header::{ACCEPT, HeaderMap};

    use super::{KINDS, names, names_any};

    fn accept(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_what_is_named_and_not_refused_is_taken() {
        let [index, manifest, ..] = KINDS;
        for good in [
            vec![manifest.to_owned()],
            vec![format!("text/plain, {manifest};q=0.5"), "*/*".to_owned()],
            vec![index.to_owned(), manifest.to_uppercase()],
            vec![format!("{manifest} ; q=1.0;level=1")],
        ] {
            let lines: Vec<&str> = good.iter().map(String::as_str).collect();
            assert!(names(&accept(&lines), manifest) && names_any(&accept(&lines)), "{good:?}");
        }
        let refused = format!("{manifest};q=0");
        let malformed = format!("{manifest};what");
        let longer = format!("{manifest}x");
        for wrong in ["*/*", "application/*", "application/json", &refused, &malformed, &longer] {
            assert!(!names(&accept(&[wrong]), manifest) && !names_any(&accept(&[wrong])), "{wrong}");
        }
        assert!(!names_any(&HeaderMap::new()) && !names(&accept(&[index]), manifest));
    }
}
