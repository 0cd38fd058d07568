//! The claims of a tenant's revocation feed, which verifiers poll (docs/revocation.md). The feed is public,
//! so it contains digests instead of client ids and accounts, and no response reveals which client ids exist.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp};

use crate::{RevocationFacts, RevokedSubject};

/// The signed revocations of a tenant. Each time is the last second in which revoked tokens were issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationFeed {
    pub iss: String,
    pub iat: Timestamp,
    pub exp: Timestamp,
    /// All tokens of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_until: Option<Timestamp>,
    /// The tokens of clients, by [`RevocationFeed::name`].
    pub clients: BTreeMap<String, RevokedClient>,
    /// The tokens that were signed with a key, by `kid`.
    pub keys: BTreeMap<String, Timestamp>,
    /// Single tokens, by `jti`.
    pub tokens: Vec<String>,
    #[serde(default, skip_serializing_if = "RevokedPeople::is_empty")]
    pub people: RevokedPeople,
}

/// The revocations of people. Tokens of people have a `grant_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedPeople {
    /// All tokens of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_until: Option<Timestamp>,
    /// The tokens of accounts, by [`RevocationFeed::name`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, Timestamp>,
    /// The tokens of sessions, by `sid`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sessions: BTreeMap<String, Timestamp>,
    /// The tokens of grants, by `grant_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<String, Timestamp>,
    /// The tokens of one person at one client, by the [`RevocationFeed::name`] of the client's id, a space
    /// and the account.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consents: BTreeMap<String, Timestamp>,
}

impl RevokedPeople {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedClient {
    /// All tokens of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_until: Option<Timestamp>,
    /// The tokens of credentials, by the first eight digits of `jti`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<String, Timestamp>,
}

impl RevocationFeed {
    /// The `typ` of the feed. No `typ` of an access token begins like this.
    pub const TYP: &str = "latchkey-revocations+jwt";
    /// How long a feed is valid. A verifier that cannot fetch a new feed by then has no revocations.
    pub const LIFETIME: Lifetime = Lifetime::from_seconds(180);

    /// The feed of these facts. Equal facts produce equal feeds.
    #[must_use]
    pub fn new(facts: &RevocationFacts, issuer: &str, now: Timestamp) -> Self {
        let mut feed = Self {
            iss: issuer.to_owned(),
            iat: now,
            exp: now + Self::LIFETIME,
            issued_until: None,
            clients: BTreeMap::new(),
            keys: BTreeMap::new(),
            tokens: Vec::new(),
            people: RevokedPeople::default(),
        };
        for (subject, until) in facts.of_access_tokens(now) {
            match subject {
                RevokedSubject::Tenant => feed.issued_until = Some(until),
                RevokedSubject::Client(client) | RevokedSubject::AccessTokens(client) => {
                    let of_client = feed.clients.entry(Self::name(client.as_str())).or_default();
                    of_client.issued_until = of_client.issued_until.max(Some(until));
                }
                RevokedSubject::Credential(client, tag) => {
                    let of_client = feed.clients.entry(Self::name(client.as_str())).or_default();
                    of_client.credentials.insert(tag.to_string(), until);
                }
                RevokedSubject::SigningKey(kid) => drop(feed.keys.insert(kid, until)),
                RevokedSubject::Token(_, jti) => feed.tokens.push(jti),
                RevokedSubject::People => feed.people.issued_until = Some(until),
                RevokedSubject::Account(sub) => {
                    feed.people.accounts.insert(Self::name(&sub), until);
                }
                RevokedSubject::Consent(client, sub) => {
                    feed.people.consents.insert(Self::name(&format!("{client} {sub}")), until);
                }
                RevokedSubject::Session(sid) => drop(feed.people.sessions.insert(sid, until)),
                RevokedSubject::Grant(id) => drop(feed.people.grants.insert(id, until)),
            }
        }
        feed.tokens.sort_unstable();
        feed
    }

    /// The name of a client or an account in the feed: SHA-256 of its id, base64url.
    #[must_use]
    pub fn name(id: &str) -> String {
        BASE64URL.encode(digest(&SHA256, id.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::{ClientId, CredentialTag, Revocation, SecretId};

    // [revocation ours c]
    #[test]
    fn feed_lists_revocations_without_client_names() {
        let tenant = TenantId::parse("acme").unwrap();
        let billing = ClientId::parse("billing").unwrap();
        let tag = CredentialTag::of_secret(&tenant, &billing, &SecretId::new("s1"));
        let at = Timestamp::from_seconds;
        let revocations = [
            (RevokedSubject::Tenant, 1),
            (RevokedSubject::AccessTokens(billing.clone()), 1),
            (RevokedSubject::Client(billing.clone()), 2),
            (RevokedSubject::Credential(billing.clone(), tag), 3),
            (RevokedSubject::SigningKey("oauth2-key-1".to_owned()), 4),
            (RevokedSubject::Token(billing.clone(), "b".to_owned()), 5),
            (RevokedSubject::Token(billing.clone(), "a".to_owned()), 5),
            (RevokedSubject::People, 6),
            (RevokedSubject::Account("usr_a".to_owned()), 7),
            (RevokedSubject::Session("s".to_owned()), 8),
            (RevokedSubject::Grant("g".to_owned()), 9),
            (RevokedSubject::Consent(billing, "usr_a".to_owned()), 10),
        ];
        let expires_at = at(900);
        let revocations =
            revocations.map(|(subject, until)| Revocation { subject, issued_until: at(until), expires_at });
        let facts = RevocationFacts::new(tenant.clone(), revocations);
        let feed = RevocationFeed::new(&facts, "https://acme.example", at(100));
        let text = serde_json::to_string(&feed).unwrap();
        let [name, account, consent] = ["billing", "usr_a", "billing usr_a"].map(RevocationFeed::name);
        let expected = format!(
            r#"{{"iss":"https://acme.example","iat":100,"exp":280,"issued_until":1,"clients":{{"{name}":{{"issued_until":2,"credentials":{{"{tag}":3}}}}}},"keys":{{"oauth2-key-1":4}},"tokens":["a","b"],"people":{{"issued_until":6,"accounts":{{"{account}":7}},"sessions":{{"s":8}},"grants":{{"g":9}},"consents":{{"{consent}":10}}}}}}"#
        );
        assert_eq!(text, expected);
        assert!(!text.contains("billing") && !text.contains("usr_a"));
        assert_eq!(serde_json::from_str::<RevocationFeed>(&text).unwrap(), feed);
        let none = RevocationFeed::new(&RevocationFacts::none(tenant), "https://acme.example", at(100));
        let empty =
            r#"{"iss":"https://acme.example","iat":100,"exp":280,"clients":{},"keys":{},"tokens":[]}"#;
        assert_eq!(serde_json::to_string(&none).unwrap(), empty);
    }
}
