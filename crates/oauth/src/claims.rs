//! Claims of an access token that is a JWT (RFC 7519, RFC 9068).
//!
//! They are not verified, so they serve only for explanations. The token itself is never shown.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use mailhaul_mail::Secret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::clock;

/// Audiences of Microsoft's tokens that open mailboxes by IMAP: Exchange Online by its address in
/// each cloud, and by its id.
const EXCHANGE_ONLINE: [&str; 6] = [
    "https://outlook.office365.com",
    "https://outlook.office.com",
    "https://outlook.office365.us",
    "https://outlook-dod.office365.us",
    "https://partner.outlook.cn",
    "00000002-0000-0ff1-ce00-000000000000",
];
/// Issuers of Microsoft's tokens, in each cloud.
const MICROSOFT: [&str; 5] = [
    "https://sts.windows.net/",
    "https://login.microsoftonline.com/",
    "https://login.microsoftonline.us/",
    "https://login.partner.microsoftonline.cn/",
    "https://sts.chinacloudapi.cn/",
];
/// Microsoft's name of the application permission.
const AS_APPLICATION: &str = "IMAP.AccessAsApp";
/// Microsoft's name of the delegated permission.
const AS_USER: &str = "IMAP.AccessAsUser.All";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Services that the token is for (`aud`).
    pub audience: Vec<String>,
    /// Issuer (`iss`).
    pub issuer: Option<String>,
    /// Subject (`sub`), often an id.
    pub subject: Option<String>,
    /// Address of the user who signed in (`upn`, `preferred_username`, `unique_name`, `email`, or
    /// `sub` if it is an address).
    pub owner: Option<String>,
    /// Application (`appid`, `azp`, `client_id`).
    pub application: Option<String>,
    /// Permissions of an application (`roles`).
    pub roles: Vec<String>,
    /// Permissions in the name of a user (`scp`, `scope`).
    pub scopes: Vec<String>,
    /// Start of validity (`nbf`), in seconds since 1970.
    pub not_before: Option<i64>,
    /// End of validity (`exp`), in seconds since 1970.
    pub expires: Option<i64>,
}

/// Reads the claims of a token; `None` if it is opaque, like Google's.
pub fn describe(token: &Secret) -> Option<Claims> {
    let text = std::str::from_utf8(token.expose()).ok()?;
    let mut parts = text.split('.');
    let (header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    object(header)?.contains_key("alg").then_some(())?;
    Some(Claims::of(&object(payload)?))
}

/// Explains why a mail server may have refused the token for this user, by this machine's clock;
/// `None` if the token is opaque.
pub fn explain_refused(token: &Secret, user: &str) -> Option<String> {
    let claims = describe(token)?;
    let wrong = claims.misfits(user, clock::now());
    let wrong = if wrong.is_empty() { String::new() } else { format!("; {}", wrong.join("; ")) };
    Some(format!("claims of the token: {claims}{wrong}"))
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let octets = Zeroizing::new(URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?);
    serde_json::from_slice(&octets).ok()
}

impl Claims {
    fn of(claims: &Map<String, Value>) -> Self {
        let one = |name: &str| claims.get(name).and_then(Value::as_str).map(clean);
        let first = |names: &[&str]| names.iter().find_map(|name| one(name));
        // A list, or words separated by spaces.
        let many = |name: &str| match claims.get(name) {
            Some(Value::String(words)) => words.split_whitespace().map(clean).collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(clean).collect(),
            _ => Vec::new(),
        };
        // Seconds, whole or with a fraction (RFC 7519, section 2).
        #[expect(clippy::cast_possible_truncation, reason = "out of range means as far away as possible")]
        let moment = |name: &str| {
            claims.get(name).and_then(|it| it.as_i64().or_else(|| it.as_f64().map(|it| it as i64)))
        };
        let subject = one("sub");
        let address = subject.clone().filter(|it| it.contains('@'));
        let scopes: Vec<String> = many("scp");
        Self {
            audience: many("aud"),
            issuer: one("iss"),
            owner: first(&["upn", "preferred_username", "unique_name", "email"]).or(address),
            subject,
            application: first(&["appid", "azp", "client_id"]),
            roles: many("roles"),
            scopes: if scopes.is_empty() { many("scope") } else { scopes },
            not_before: moment("nbf"),
            expires: moment("exp"),
        }
    }

    /// True if Microsoft issued it, by its own claim.
    pub fn is_microsofts(&self) -> bool {
        self.issuer.as_ref().is_some_and(|issuer| MICROSOFT.iter().any(|it| issuer.starts_with(it)))
    }

    /// Reasons why the token does not open this user's mailbox at `now` (seconds since 1970); empty
    /// if none is known.
    pub fn misfits(&self, user: &str, now: i64) -> Vec<String> {
        [
            self.ended(now),
            self.not_begun(now),
            self.of_another(user),
            self.for_another(),
            self.without_permission(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Explanation if the token has expired.
    pub fn ended(&self, now: i64) -> Option<String> {
        let ago = now.saturating_sub(self.expires?);
        (ago >= 0).then(|| {
            let ago = clock::span(ago.unsigned_abs());
            format!("it expired {ago} ago by this machine's clock; if it is new, one of the clocks is wrong")
        })
    }

    /// Explanation if the token is not valid yet.
    pub fn not_begun(&self, now: i64) -> Option<String> {
        let wait = self.not_before?.saturating_sub(now);
        (wait > 0).then(|| {
            let wait = clock::span(wait.unsigned_abs());
            format!("by this machine's clock it becomes valid in {wait}; this clock or the token server's is wrong")
        })
    }

    /// Explanation if the token belongs to another user.
    pub fn of_another(&self, user: &str) -> Option<String> {
        let owner = self.owner.as_ref().filter(|owner| !owner.eq_ignore_ascii_case(user))?;
        Some(format!("it belongs to {owner}, and opens {user} only if that mailbox is shared with {owner}"))
    }

    /// Explanation if Microsoft issued it for another service than Exchange Online.
    pub fn for_another(&self) -> Option<String> {
        let is_exchange = |audience: &String| {
            EXCHANGE_ONLINE.iter().any(|it| audience.trim_end_matches('/').eq_ignore_ascii_case(it))
        };
        if !self.is_microsofts() || self.audience.iter().any(is_exchange) {
            return None;
        }
        Some(format!(
            "its audience is {}, not https://outlook.office365.com; set -Scope to https://outlook.office365.com/.default for an \
             application",
            list(&self.audience)
        ))
    }

    /// Explanation if Microsoft issued it without the permission for IMAP.
    pub fn without_permission(&self) -> Option<String> {
        if !self.is_microsofts() {
            return None;
        }
        let has = |all: &[String], one: &str| all.iter().any(|it| it.eq_ignore_ascii_case(one));
        if self.scopes.is_empty() {
            return (!has(&self.roles, AS_APPLICATION)).then(|| {
                format!(
                    "it lacks the application permission {AS_APPLICATION} (it has: {}); add it to the application (Office 365 \
                     Exchange Online), and let an administrator consent",
                    list(&self.roles)
                )
            });
        }
        (!has(&self.scopes, AS_USER)).then(|| {
            let scopes = list(&self.scopes);
            format!("it lacks the permission {AS_USER} (it has: {scopes}); set -Scope to https://outlook.office.com/{AS_USER} offline_access")
        })
    }
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = |it: &Option<i64>| {
            it.map(|it| Timestamp::from_second(it).map_or_else(|_| it.to_string(), |it| it.to_string()))
        };
        let some = |it: &[String]| (!it.is_empty()).then(|| list(it));
        let parts = [
            ("audience", some(&self.audience)),
            ("issuer", self.issuer.clone()),
            ("owner", self.owner.clone().or_else(|| self.subject.clone())),
            ("application", self.application.clone()),
            ("roles", some(&self.roles)),
            ("scope", some(&self.scopes)),
            ("valid from", moment(&self.not_before)),
            ("until", moment(&self.expires)),
        ];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?))).collect();
        f.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

fn list(words: &[String]) -> String {
    const SHOWN: usize = 10;
    if words.is_empty() {
        return "none".to_owned();
    }
    let more = if words.len() > SHOWN { " ..." } else { "" };
    format!("{}{more}", words[..words.len().min(SHOWN)].join(" "))
}

/// Claim text that is safe to display: truncated, control characters replaced.
fn clean(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn token(claims: &Value) -> Secret {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256" })), part(claims)))
    }

    fn claims(claims: &Value) -> Claims {
        describe(&token(claims)).unwrap()
    }

    fn application() -> Value {
        json!({
            "aud": "https://outlook.office365.com",
            "iss": "https://sts.windows.net/5f/",
            "appid": "1234",
            "sub": "77-88",
            "roles": ["IMAP.AccessAsApp"],
            "nbf": NOW - 60,
            "exp": NOW + 3600,
        })
    }

    fn with(name: &str, value: Value) -> Claims {
        let mut all = application();
        all[name] = value;
        claims(&all)
    }

    #[test]
    fn a_token_that_fits_is_described_and_nothing_else() {
        let fine = claims(&application());
        assert!(
            fine.misfits("ann@example.org", NOW).is_empty(),
            "{:?}",
            fine.misfits("ann@example.org", NOW)
        );
        assert_eq!(
            fine.to_string(),
            "audience https://outlook.office365.com, issuer https://sts.windows.net/5f/, owner 77-88, application 1234, roles \
             IMAP.AccessAsApp, valid from 2027-01-15T07:59:00Z, until 2027-01-15T09:00:00Z"
        );
        assert!(with("aud", json!("00000002-0000-0ff1-ce00-000000000000")).misfits("a", NOW).is_empty());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let user = json!({
            "aud": "https://outlook.office.com",
            "iss": "https://login.microsoftonline.com/5f/v2.0",
            "upn": "Ann@Example.org",
            "scp": "openid IMAP.AccessAsUser.All",
        });
        assert!(claims(&user).misfits("ann@example.org", NOW).is_empty());
        for (claims, word) in [
            (with("exp", json!(NOW - 300)), "it expired 5 minutes ago"),
            (with("exp", json!(NOW)), "it expired 0 seconds ago"),
            (with("nbf", json!(NOW + 300)), "it becomes valid in 5 minutes"),
            (
                with("aud", json!("https://graph.microsoft.com/")),
                "its audience is https://graph.microsoft.com/",
            ),
            (with("aud", json!([])), "its audience is none"),
            (with("roles", json!(["Mail.ReadWrite"])), "IMAP.AccessAsApp (it has: Mail.ReadWrite)"),
            (with("scp", json!("Mail.Read")), "IMAP.AccessAsUser.All (it has: Mail.Read)"),
            (claims(&user), "it belongs to Ann@Example.org"),
        ] {
            let told = claims.misfits("bob@example.org", NOW);
            assert!(told.len() == 1 && told[0].contains(word), "{word}: {told:?}");
        }
        // Audiences and permissions of other issuers have their own meaning.
        assert!(with("iss", json!("https://id.example.org/")).for_another().is_none());
        assert!(claims(&json!({ "sub": "ann@example.org" })).of_another("bob@example.org").is_some());
    }

    #[test]
    fn what_is_no_jwt_says_nothing_and_odd_ones_do_no_harm() {
        for opaque in ["ya29.a0Af", "a.b.c", "", "..", "e30.e30.e30", "eyJhbGciOjF9.WzFd.x", "a.b.c.d"] {
            assert_eq!(describe(&Secret::new(opaque)), None, "{opaque}");
        }
        assert_eq!(describe(&Secret::new(*b"\xff.\xff.\xff")), None);
        let odd = json!({ "aud": 5, "exp": 1e300, "nbf": -1e300, "roles": [1, "a\u{1b}[2J"], "sub": {}, "scp": "" });
        let odd = claims(&odd);
        assert_eq!((odd.expires, odd.roles.as_slice()), (Some(i64::MAX), ["a[2J".to_owned()].as_slice()));
        assert!(odd.misfits("ann", NOW).is_empty());
        assert_eq!(claims(&json!({})).to_string(), "nothing");
        assert!(claims(&json!({ "exp": i64::MIN, "nbf": i64::MAX })).misfits("ann", i64::MIN).len() == 2);
    }

    #[test]
    fn the_token_is_never_in_the_words() {
        let token = token(&application());
        let words = explain_refused(&token, "ann@example.org").unwrap();
        let text = std::str::from_utf8(token.expose()).unwrap();
        for part in text.split('.') {
            assert!(!words.contains(part), "{words}");
        }
    }
}
