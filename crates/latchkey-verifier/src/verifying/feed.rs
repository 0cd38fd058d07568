//! The revocation feed of an issuer: a signed list of its revocations (docs/revocation.md of Latchkey). Each
//! time is the last second whose tokens are invalid.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::Deserialize;

use crate::Thumbprint;
use crate::algorithm::Algorithms;
use crate::check::Unobserved;
use crate::jws::{Header, NOT_ALLOWED, Parts};
use crate::key_set::KeySet;
use crate::media_type::same_media_type;
use crate::members::Members;
use crate::verifying::named_key::check_key;

/// The limit exceeds the largest feed: ten thousand single tokens, as many clients, and as many grants,
/// sessions and accounts of people.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;
const TYP: &str = "latchkey-revocations+jwt";

/// The revocations of an issuer.
#[derive(Debug, Deserialize)]
pub(crate) struct Feed {
    iss: Box<str>,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    issued_until: Option<u64>,
    clients: HashMap<Box<str>, FeedEntry>,
    keys: HashMap<Box<str>, u64>,
    tokens: HashSet<Box<str>>,
    #[serde(default)]
    people: FeedPeople,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FeedPeople {
    issued_until: Option<u64>,
    accounts: HashMap<Box<str>, u64>,
    sessions: HashMap<Box<str>, u64>,
    grants: HashMap<Box<str>, u64>,
    consents: HashMap<Box<str>, u64>,
}

#[derive(Debug, Deserialize)]
struct FeedEntry {
    issued_until: Option<u64>,
    #[serde(default)]
    credentials: HashMap<Box<str>, u64>,
}

/// The facts about a token that decide whether it is revoked.
pub(crate) struct TokenFacts<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) jti: &'a str,
    pub(crate) iat: u64,
    pub(crate) kid: Option<&'a str>,
    pub(crate) sub: &'a str,
    pub(crate) sid: Option<&'a str>,
    /// Tokens of people have it.
    pub(crate) grant_id: Option<&'a str>,
}

/// Why a document is no feed of the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidFeed {
    #[error("no JWS of a revocation feed")]
    Malformed,
    #[error("no key of the issuer signed it")]
    SignatureInvalid,
    #[error("it is of another issuer")]
    OtherIssuer,
    #[error("it has expired")]
    Expired,
}

impl Feed {
    /// The key that a feed names; anyone may have written it.
    pub(crate) fn kid(jws: &str) -> Option<String> {
        let header = jws.split('.').next()?;
        let header = String::from_utf8(BASE64URL.decode(header).ok()?).ok()?;
        Members::parse(&header).ok()?.text("kid").ok()?.map(str::to_owned)
    }

    /// Verifies a feed of this issuer.
    pub(crate) fn read(
        jws: &str,
        issuer: &str,
        keys: &KeySet,
        allowed: Algorithms,
        now: u64,
    ) -> Result<Self, InvalidFeed> {
        let parts = Parts::split_unbounded(jws, &mut Unobserved).map_err(|_| InvalidFeed::Malformed)?;
        let (header, _) = parts.members(&mut Unobserved).map_err(|_| InvalidFeed::Malformed)?;
        let header = Header::read(&header, &NOT_ALLOWED, allowed, &mut Unobserved);
        let header = header.map_err(|_| InvalidFeed::Malformed)?;
        let is_feed = header.typ.is_some_and(|typ| same_media_type(typ, TYP));
        if !is_feed {
            return Err(InvalidFeed::Malformed);
        }
        let key = check_key(&header, keys, &mut Unobserved).map_err(|_| InvalidFeed::SignatureInvalid)?;
        if !key.verifies(parts.signed.as_bytes(), &parts.signature) {
            return Err(InvalidFeed::SignatureInvalid);
        }
        let feed: Self = serde_json::from_str(&parts.claims).map_err(|_| InvalidFeed::Malformed)?;
        if *feed.iss != *issuer {
            return Err(InvalidFeed::OtherIssuer);
        }
        if feed.exp <= now { Err(InvalidFeed::Expired) } else { Ok(feed) }
    }

    /// Whether the token is revoked.
    pub(crate) fn revokes(&self, token: &TokenFacts<'_>) -> bool {
        let is_by = |until: &u64| token.iat <= *until;
        let by_issuer = self.issued_until.as_ref().is_some_and(is_by);
        let by_key = token.kid.and_then(|kid| self.keys.get(kid)).is_some_and(is_by);
        let by_token = self.tokens.contains(token.jti);
        by_issuer || by_key || by_token || self.revokes_person(token) || self.revokes_client(token)
    }

    fn revokes_person(&self, token: &TokenFacts<'_>) -> bool {
        let Some(grant_id) = token.grant_id else { return false };
        let FeedPeople { issued_until, accounts, sessions, grants, consents } = &self.people;
        let account = || Thumbprint::from_bytes(token.sub.as_bytes()).to_string();
        let by_account = (!accounts.is_empty()).then(|| accounts.get(account().as_str())).flatten();
        let by_session = token.sid.and_then(|sid| sessions.get(sid));
        let consent =
            || Thumbprint::from_bytes(format!("{} {}", token.client_id, token.sub).as_bytes()).to_string();
        let by_consent = (!consents.is_empty()).then(|| consents.get(consent().as_str())).flatten();
        let all = [issued_until.as_ref(), by_account, by_session, grants.get(grant_id), by_consent];
        all.into_iter().flatten().any(|until| token.iat <= *until)
    }

    fn revokes_client(&self, token: &TokenFacts<'_>) -> bool {
        if self.clients.is_empty() {
            return false;
        }
        let name = Thumbprint::from_bytes(token.client_id.as_bytes()).to_string();
        let Some(client) = self.clients.get(name.as_str()) else { return false };
        let is_by = |until: &u64| token.iat <= *until;
        let by_credential = || match credential_tag(token.jti) {
            Some(tag) => client.credentials.get(tag).is_some_and(is_by),
            // It was issued before tokens named their credential, so it may be of any.
            None => client.credentials.values().any(is_by),
        };
        client.issued_until.as_ref().is_some_and(is_by) || by_credential()
    }
}

/// The tag of its credential in a `jti`: the first eight digits of a UUID of version 8 (RFC 9562 §5.8).
fn credential_tag(jti: &str) -> Option<&str> {
    let is_in_place = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'8',
        19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let is_tagged = jti.len() == 36 && jti.bytes().enumerate().all(is_in_place);
    is_tagged.then(|| &jti[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGGED: &str = "0123abcd-0000-8000-8000-000000000000";

    #[test]
    fn each_feed_member_revokes_its_tokens() {
        let [name, account, consent] = ["shipping", "usr_a", "shipping usr_a"]
            .map(|id| Thumbprint::from_bytes(id.as_bytes()).to_string());
        let people = |members: &str| format!(r#""people":{{{members}}}"#);
        let client = |members: &str| format!(r#""clients":{{"{name}":{{{members}}}}}"#);
        for (member, jti, kid, revoked) in [
            (r#""issued_until":100"#.to_owned(), "1", "k", true),
            (r#""issued_until":99"#.to_owned(), "1", "k", false),
            (r#""keys":{"k":100}"#.to_owned(), "1", "k", true),
            (r#""keys":{"k":99}"#.to_owned(), "1", "k", false),
            (r#""keys":{"k":100}"#.to_owned(), "1", "other", false),
            (r#""tokens":["1"]"#.to_owned(), "1", "k", true),
            (r#""tokens":["1"]"#.to_owned(), "2", "k", false),
            (client(r#""issued_until":100"#), "1", "k", true),
            (client(r#""issued_until":99"#), "1", "k", false),
            (client(r#""credentials":{"0123abcd":100}"#), TAGGED, "k", true),
            (client(r#""credentials":{"0123abcd":99}"#), TAGGED, "k", false),
            (client(r#""credentials":{"ffffffff":100}"#), TAGGED, "k", false),
            (client(r#""credentials":{"ffffffff":100}"#), "6f1d9a60-0000-4000-8000-000000000000", "k", true),
            (r#""clients":{"shipping":{"issued_until":100}}"#.to_owned(), "1", "k", false),
            (people(r#""issued_until":100"#), "1", "k", true),
            (people(r#""issued_until":99"#), "1", "k", false),
            (people(&format!(r#""accounts":{{"{account}":100}}"#)), "1", "k", true),
            (people(&format!(r#""accounts":{{"{account}":99}}"#)), "1", "k", false),
            (people(r#""accounts":{"usr_a":100}"#), "1", "k", false),
            (people(r#""sessions":{"s":100,"t":200}"#), "1", "k", true),
            (people(r#""sessions":{"s":99,"t":200}"#), "1", "k", false),
            (people(r#""grants":{"g":100}"#), "1", "k", true),
            (people(r#""grants":{"g":99,"h":200}"#), "1", "k", false),
            (people(&format!(r#""consents":{{"{consent}":100}}"#)), "1", "k", true),
            (people(&format!(r#""consents":{{"{consent}":99,"{account}":100}}"#)), "1", "k", false),
        ] {
            let mut json = r#"{"iss":"i","iat":1,"exp":9"#.to_owned();
            for (name, empty) in [("clients", "{}"), ("keys", "{}"), ("tokens", "[]")] {
                if !member.starts_with(&format!("\"{name}\"")) {
                    json.push_str(&format!(",\"{name}\":{empty}"));
                }
            }
            let feed: Feed = serde_json::from_str(&format!("{json},{member}}}")).unwrap();
            let (client_id, sub, sid, grant_id) = ("shipping", "usr_a", Some("s"), Some("g"));
            let token = TokenFacts { client_id, jti, iat: 100, kid: Some(kid), sub, sid, grant_id };
            assert_eq!(feed.revokes(&token), revoked, "{member} {jti}");
            if member.starts_with("\"people\"") {
                let of_client = TokenFacts { grant_id: None, ..token };
                assert!(!feed.revokes(&of_client), "a client's own token is of no person: {member}");
            }
        }
    }

    #[test]
    fn only_version_8_uuids_have_a_credential_tag() {
        assert_eq!(credential_tag(TAGGED), Some("0123abcd"));
        let [version, variant] = ["-4000-8", "-8000-0"].map(|other| TAGGED.replace("-8000-8", other));
        for jti in ["", "1", &TAGGED[..35], &TAGGED.to_uppercase(), &version, &variant] {
            assert_eq!(credential_tag(jti), None, "{jti}");
        }
    }
}
