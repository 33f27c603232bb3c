//! What an account says of its identities: who may make them, how long what they are given is good, who may be invited.
//!
//! It is written as the API shows it, so a setting that cannot be obeyed cannot be stored. Nothing here asks who wants
//! it changed.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// All of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySettings {
    /// Whether service IDs are made only by whom a role of its own names.
    pub restrict_create_service_id: Restriction,
    /// The same of the keys of users.
    pub restrict_create_platform_apikey: Restriction,
    /// Whether users see each other.
    pub restrict_user_list_visibility: Visibility,
    /// Who can be invited.
    pub restrict_user_domains: Vec<UserDomains>,
    /// What a login needs besides.
    pub mfa: Mfa,
    /// Who needs something else; nobody can.
    pub user_mfa: [(); 0],
    /// How long a login is renewed.
    pub session_expiration_in_seconds: Seconds<900, 86_400>,
    /// How long one lasts that is not renewed.
    pub session_invalidation_in_seconds: Seconds<900, 7_200>,
    /// How many logins an identity can have; they are not counted.
    pub max_sessions_per_identity: Unlimited,
    /// How long access tokens are good.
    pub system_access_token_expiration_in_seconds: Seconds<900, 3_600>,
    /// How long refresh tokens are good.
    pub system_refresh_token_expiration_in_seconds: Seconds<900, 259_200>,
}

/// What is changed in an account; what is `None` stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the other fields are those of the settings")]
pub struct SettingsChange {
    /// From where it may be used, as IBM Cloud writes it; empty for from everywhere.
    pub allowed_ip_addresses: Option<String>,
    /// Whether images of all registries are refused on public endpoints.
    pub private_only: Option<bool>,
    pub restrict_create_service_id: Option<Restriction>,
    pub restrict_create_platform_apikey: Option<Restriction>,
    pub restrict_user_list_visibility: Option<Visibility>,
    pub restrict_user_domains: Option<Vec<UserDomains>>,
    pub mfa: Option<Mfa>,
    pub user_mfa: Option<[(); 0]>,
    pub session_expiration_in_seconds: Option<Seconds<900, 86_400>>,
    pub session_invalidation_in_seconds: Option<Seconds<900, 7_200>>,
    pub max_sessions_per_identity: Option<Unlimited>,
    pub system_access_token_expiration_in_seconds: Option<Seconds<900, 3_600>>,
    pub system_refresh_token_expiration_in_seconds: Option<Seconds<900, 259_200>>,
}

/// Whether making something takes the role that is named after it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Restriction {
    /// It does not.
    NotRestricted,
    /// Nobody has said so, and it does not.
    #[default]
    NotSet,
    /// It does.
    Restricted,
}

/// Whom users see.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    /// Each other.
    NotRestricted,
    /// Themselves, unless a policy shows them more.
    #[default]
    Restricted,
}

/// What a login needs besides. Nobody logs in with a password here, so the two that ask for nothing are the same.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mfa {
    /// Nothing.
    #[default]
    None,
    /// Nothing, and a password is not enough.
    NoneNoRopc,
}

/// No limit: the only number that can be set.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Unlimited {
    /// That.
    #[default]
    #[serde(rename = "NOT_SET")]
    NotSet,
}

/// Who of a realm can be invited.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserDomains {
    /// The realm.
    pub realm_id: String,
    /// What their addresses look like.
    #[serde(default)]
    pub invitation_email_allow_patterns: Vec<String>,
    /// Whether it matters.
    #[serde(default)]
    pub restrict_invitation: bool,
}

/// How long something is good, as whole seconds in a string; `None` for as long as ever.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Seconds<const LEAST: u32, const MOST: u32>(pub Option<u32>);

/// Neither.
const NOT_SET: &str = "NOT_SET";

/// The realm of all users.
const REALM: &str = "IBMid";

/// How many patterns one realm can have, and how long each can be.
const PATTERNS_MAX: usize = 100;

impl<const LEAST: u32, const MOST: u32> Seconds<LEAST, MOST> {
    /// The shorter of this and what it is without.
    #[must_use]
    pub fn within(self, ever: Duration) -> Duration {
        self.0.map_or(ever, |seconds| ever.min(Duration::from_secs(seconds.into())))
    }

    /// Whether so many seconds are more.
    const fn passed(self, seconds: i64) -> bool {
        match self.0 {
            Some(most) => seconds >= most as i64,
            None => false,
        }
    }
}

impl<const LEAST: u32, const MOST: u32> Serialize for Seconds<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(seconds) => to.collect_str(&seconds),
            None => to.serialize_str(NOT_SET),
        }
    }
}

impl<'de, const LEAST: u32, const MOST: u32> Deserialize<'de> for Seconds<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text == NOT_SET {
            return Ok(Self(None));
        }
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = text.parse().ok().filter(|seconds| plain && (LEAST..=MOST).contains(seconds));
        let wrong = || {
            D::Error::custom(format!("write a whole number from \"{LEAST}\" to \"{MOST}\", or \"{NOT_SET}\""))
        };
        seconds.map(|seconds| Self(Some(seconds))).ok_or_else(wrong)
    }
}

/// What became of a login that is to be renewed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Session {
    /// It goes on.
    Lasting,
    /// It was not renewed for too long.
    Inactive,
    /// Its time is over.
    Over,
}

impl IdentitySettings {
    /// Puts a change in, as far as it is of identities.
    ///
    /// # Errors
    /// What is wrong with it, for the caller.
    pub fn put(&mut self, change: SettingsChange) -> Result<(), String> {
        fn set<T>(field: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *field = value;
            }
        }
        set(&mut self.restrict_create_service_id, change.restrict_create_service_id);
        set(&mut self.restrict_create_platform_apikey, change.restrict_create_platform_apikey);
        set(&mut self.restrict_user_list_visibility, change.restrict_user_list_visibility);
        set(&mut self.mfa, change.mfa);
        set(&mut self.session_expiration_in_seconds, change.session_expiration_in_seconds);
        set(&mut self.session_invalidation_in_seconds, change.session_invalidation_in_seconds);
        set(
            &mut self.system_access_token_expiration_in_seconds,
            change.system_access_token_expiration_in_seconds,
        );
        set(
            &mut self.system_refresh_token_expiration_in_seconds,
            change.system_refresh_token_expiration_in_seconds,
        );
        change.restrict_user_domains.into_iter().flatten().try_for_each(|one| self.put_domains(one))
    }

    /// One realm's; with nothing but the realm's name, none any more.
    fn put_domains(&mut self, one: UserDomains) -> Result<(), String> {
        if one.realm_id != REALM {
            return Err(format!(
                "`restrict_user_domains`: users are of the realm `{REALM}` here, and of no other"
            ));
        }
        let patterns = &one.invitation_email_allow_patterns;
        let fits = |pattern: &String| (1..=254).contains(&pattern.len());
        if patterns.len() > PATTERNS_MAX || !patterns.iter().all(fits) {
            return Err(format!(
                "`invitation_email_allow_patterns` holds {PATTERNS_MAX} patterns of 254 characters at most"
            ));
        }
        self.restrict_user_domains.clear();
        if one.restrict_invitation || !patterns.is_empty() {
            self.restrict_user_domains.push(one);
        }
        Ok(())
    }

    /// Whether somebody of that address can be invited.
    #[must_use]
    pub fn invites(&self, address: &str) -> bool {
        let address = address.to_ascii_lowercase();
        self.restrict_user_domains.iter().filter(|one| one.restrict_invitation).all(|one| {
            let fits =
                |pattern: &String| matches(pattern.to_ascii_lowercase().as_bytes(), address.as_bytes());
            one.invitation_email_allow_patterns.iter().any(fits)
        })
    }

    /// What became of a login that began and was last renewed so many seconds ago.
    #[must_use]
    pub const fn session(&self, began: i64, renewed: i64) -> Session {
        // A refresh token that was given when they were good for longer is not.
        let stale = self.system_refresh_token_expiration_in_seconds.passed(renewed);
        if stale || self.session_expiration_in_seconds.passed(began) {
            Session::Over
        } else if self.session_invalidation_in_seconds.passed(renewed) {
            Session::Inactive
        } else {
            Session::Lasting
        }
    }
}

/// Whether a pattern fits: `**` is any text, `*` any without `.` and `@`. The time that it takes is bounded by the product
/// of the lengths, whatever the pattern.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Which beginnings of the text the pattern read so far fits.
    let mut fits = vec![false; text.len() + 1];
    if let Some(first) = fits.first_mut() {
        *first = true;
    }
    let mut rest = pattern;
    while let Some((first, tail)) = rest.split_first() {
        let (wide, tail) = match (first, tail.split_first()) {
            (b'*', Some((b'*', tail))) => (Some(true), tail),
            (b'*', _) => (Some(false), tail),
            (_, _) => (None, tail),
        };
        let mut next = Vec::with_capacity(fits.len());
        let mut before = false;
        for (at, here) in fits.iter().enumerate() {
            let last = at.checked_sub(1).and_then(|at| text.get(at));
            let reached = match (wide, last) {
                (Some(wide), Some(last)) => *here || (before && (wide || !matches!(last, b'.' | b'@'))),
                (Some(_), None) => *here,
                (None, Some(last)) => {
                    last == first && at.checked_sub(1).and_then(|at| fits.get(at)) == Some(&true)
                }
                (None, None) => false,
            };
            next.push(reached);
            before = reached;
        }
        (fits, rest) = (next, tail);
    }
    fits.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{IdentitySettings, Seconds, Session, SettingsChange, matches};

    fn changed(text: &str) -> Result<IdentitySettings, String> {
        let change: SettingsChange = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut settings = IdentitySettings::default();
        settings.put(change).map(|()| settings)
    }

    #[test]
    fn what_is_stored_is_what_is_shown_and_reads_back_as_itself() {
        let text = r#"{"restrict_create_service_id":"RESTRICTED","mfa":"NONE_NO_ROPC","session_expiration_in_seconds":"86400",
            "restrict_user_domains":[{"realm_id":"IBMid","invitation_email_allow_patterns":["*@x.test"],"restrict_invitation":true}]}"#;
        let settings = changed(text).unwrap();
        let shown = serde_json::to_value(&settings).unwrap();
        assert_eq!(shown["session_expiration_in_seconds"], "86400");
        assert_eq!(shown["system_access_token_expiration_in_seconds"], "NOT_SET");
        assert_eq!(shown["user_mfa"], serde_json::json!([]));
        assert_eq!(serde_json::from_value::<IdentitySettings>(shown).unwrap(), settings);
        assert_eq!(serde_json::from_str::<IdentitySettings>("{}").unwrap(), IdentitySettings::default());
    }

    #[test]
    fn what_cannot_be_obeyed_cannot_be_set() {
        for wrong in [
            r#"{"mfa":"TOTP"}"#,
            r#"{"user_mfa":[{"iam_id":"IBMid-1","mfa":"NONE"}]}"#,
            r#"{"max_sessions_per_identity":"5"}"#,
            r#"{"session_expiration_in_seconds":"899"}"#,
            r#"{"session_expiration_in_seconds":"86401"}"#,
            r#"{"session_expiration_in_seconds":"+900"}"#,
            r#"{"session_expiration_in_seconds":900}"#,
            r#"{"restrict_create_service_id":"restricted"}"#,
            r#"{"restrict_user_domains":[{"realm_id":"other","restrict_invitation":true}]}"#,
            r#"{"anything":"else"}"#,
        ] {
            assert!(changed(wrong).is_err(), "{wrong}");
        }
        assert!(changed(r#"{"max_sessions_per_identity":"NOT_SET","user_mfa":[]}"#).is_ok());
    }

    #[test]
    fn patterns_read_dots_and_ats_as_ends_unless_the_star_is_doubled() {
        let fits = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(fits("*@example.test", "ann@example.test"));
        assert!(!fits("*@example.test", "ann.b@example.test"));
        assert!(fits("**@example.test", "ann.b@example.test"));
        assert!(!fits("*@example.test", "ann@example.test.evil"));
        assert!(!fits("**@*.test", "a@b.c.test"));
        assert!(fits("**", "") && fits("*", "") && !fits("", "a") && fits("", ""));
        let many = "**a".repeat(80);
        assert!(!fits(&many, &"b".repeat(254)));
    }

    #[test]
    fn who_can_be_invited_is_restricted_only_where_that_is_said() {
        let with = |restrict: bool| {
            let one = format!(
                r#"{{"restrict_user_domains":[{{"realm_id":"IBMid","invitation_email_allow_patterns":["*@x.test"],"restrict_invitation":{restrict}}}]}}"#
            );
            changed(&one).unwrap()
        };
        assert!(with(true).invites("Ann@X.test") && !with(true).invites("ann@y.test"));
        assert!(with(false).invites("ann@y.test"));
        let mut settings = with(true);
        let nothing = serde_json::from_str(r#"{"restrict_user_domains":[{"realm_id":"IBMid"}]}"#).unwrap();
        settings.put(nothing).unwrap();
        assert_eq!(settings, IdentitySettings::default());
    }

    #[test]
    fn a_session_ends_at_the_second_that_is_set() {
        let set = r#"{"session_expiration_in_seconds":"7200","session_invalidation_in_seconds":"900"}"#;
        let settings = changed(set).unwrap();
        assert_eq!(settings.session(7199, 899), Session::Lasting);
        assert_eq!(settings.session(7199, 900), Session::Inactive);
        assert_eq!(settings.session(7200, 0), Session::Over);
        assert_eq!(IdentitySettings::default().session(i64::MAX, i64::MAX), Session::Lasting);
        let shortened = changed(r#"{"system_refresh_token_expiration_in_seconds":"1800"}"#).unwrap();
        assert_eq!(shortened.session(86_400, 1799), Session::Lasting);
        assert_eq!(shortened.session(86_400, 1800), Session::Over, "whatever was said when it was given");
        let short = Seconds::<900, 3600>(Some(900));
        assert_eq!(short.within(Duration::from_secs(3600)), Duration::from_secs(900));
        assert_eq!(short.within(Duration::from_secs(60)), Duration::from_secs(60));
    }
}
