//! The lines of the audit stream. Each line has its number in the chain of its tenant, the digest of the line
//! before it, and its own digest. So a reader notices a line that was changed, removed or moved.
//!
//! A line contains no personal data, only a salted digest of it. The data and the salt stay in the store
//! until the person is deleted, and the chain can still be verified without them.

mod verification;

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64URL, Engine as _};
use secrets::KeyedDigest;
use serde_json::{Value, json};
use tenancy::TenantId;
use values::Timestamp;

pub use verification::{AuditFault, AuditHead, AuditVerification, VerifiedAudit};

use crate::audit::AuditRecord;
use crate::kinds::authority::Actor;

/// The key for the digests of one record.
pub type AuditSalt = [u8; 32];

/// The kinds of actors whose names are personal data. The name of an account is a generated identifier, and a
/// client is not a person.
const PERSONAL_KINDS: [&str; 2] = ["cli", "user"];
/// The members of `detail` whose values are personal.
const PERSONAL_FIELDS: [&str; 1] = ["contacts"];

/// The chain of a tenant, up to its last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditChain {
    /// Identifies the chain. A restored store begins new chains.
    pub chain: String,
    /// The position of the last record in the store.
    pub position: i64,
    /// The number of the last line; 0 before the first.
    pub sequence: u64,
    /// The digest of the last line; empty before the first.
    pub digest: String,
    /// Lines that may not have been written yet. They are kept as text, so that a line that is written twice
    /// is the same to the byte, even if the store or the program has changed.
    pub pending: String,
}

impl AuditChain {
    #[must_use]
    pub const fn new(chain: String) -> Self {
        Self { chain, position: 0, sequence: 0, digest: String::new(), pending: String::new() }
    }

    /// Begins the chain `chain` after a failover that lost records up to number `until`, which lines of this
    /// chain may contain. The first line says which lines and numbers are withdrawn. The lines after it have
    /// the records that the store has in their place.
    #[must_use]
    pub fn withdrawing(&self, chain: String, tenant: &TenantId, until: i64, at: Timestamp) -> Self {
        let numbers = json!({ "from": self.position.saturating_add(1), "to": until });
        let detail = json!({ "chain": self.chain, "after": self.sequence, "numbers": numbers });
        let what = ("audit.withdrawn", tenant.to_string(), detail);
        let record = AuditRecord::new(Actor::named("latchkey", None), at, tenant.clone(), what);
        let mut next = Self { position: self.position, ..Self::new(chain) };
        next.add(self.position, &record, &[0; 32]);
        next
    }

    /// Appends a line. Returns whether the line has digests with the salt. The caller must then store the
    /// salt.
    pub fn add(&mut self, position: i64, record: &AuditRecord, salt: &AuditSalt) -> bool {
        let mut record = json!(record);
        let has_digests = hide_personal(&mut record, &KeyedDigest::new(salt));
        let sequence = self.sequence.saturating_add(1);
        let mut line = json!({
            "audit": record,
            "chain": self.chain,
            "position": position,
            "previous": self.digest,
            "sequence": sequence,
        });
        let digest = digest_of(&line);
        line["digest"] = json!(digest);
        (self.position, self.sequence, self.digest) = (position, sequence, digest);
        self.pending.push_str(&line.to_string());
        self.pending.push('\n');
        has_digests
    }
}

/// The digest of a line without its `digest` member. The JSON text is canonical: members in the order of
/// their names, no spaces (RFC 8785).
fn digest_of(line: &Value) -> String {
    BASE64URL.encode(digest(&SHA256, line.to_string().as_bytes()))
}

/// Replaces personal data by digests. Returns whether there was any.
fn hide_personal(record: &mut Value, salted: &KeyedDigest) -> bool {
    let mut has_digests = false;
    let mut hide = |member: &str, value: &mut Value, kind: &str| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let digest = BASE64URL.encode(salted.of([member.as_bytes(), text.as_bytes()]));
        *value = format!("{kind}hmac-sha256:{digest}").into();
        has_digests = true;
    };
    if let Some(source) = record.get_mut("source") {
        hide("source", source, "");
    }
    for member in ["actor", "subject"] {
        let name = &mut record[member];
        let kind = name.as_str().and_then(|name| name.split_once(':')).map(|(kind, _)| kind);
        if let Some(kind) = PERSONAL_KINDS.into_iter().find(|personal| kind == Some(personal)) {
            hide(member, name, &format!("{kind}:"));
        }
    }
    for field in PERSONAL_FIELDS {
        if let Some(value) = record["detail"].get_mut(field) {
            hide(field, value, "");
        }
    }
    has_digests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(actor: &str, source: Option<&str>, subject: &str, detail: Value) -> AuditRecord {
        let (at, tenant) = (Timestamp::from_seconds(120), TenantId::parse("acme").unwrap());
        let what = ("client.changed", subject.to_owned(), detail);
        AuditRecord::new(Actor::named(actor, source.map(str::to_owned)), at, tenant, what)
    }

    #[test]
    fn line_is_canonical_and_contains_previous_digest() {
        let mut chain = AuditChain::new("c".to_owned());
        assert!(!chain.add(7, &record("config", None, "svc", json!({ "b": 1, "a": "é\u{1}" })), &[7; 32]));
        let first = chain.digest.clone();
        assert!(!chain.add(9, &record("client:acme/ops", None, "svc", json!({})), &[8; 32]));
        let line = |detail: &str, actor: &str, digest: &str, position: u8, previous: &str, sequence: u8| {
            format!(
                r#"{{"audit":{{"action":"client.changed","actor":"{actor}","at":"1970-01-01T00:02:00Z","detail":{detail},"subject":"svc","tenant":"acme"}},"chain":"c","digest":"{digest}","position":{position},"previous":"{previous}","sequence":{sequence}}}"#
            )
        };
        let expected = [
            line(r#"{"a":"é\u0001","b":1}"#, "config", &first, 7, "", 1),
            line("{}", "client:acme/ops", &chain.digest, 9, &first, 2),
        ];
        assert_eq!(chain.pending.lines().collect::<Vec<_>>(), expected);
        assert_eq!((chain.position, chain.sequence), (9, 2));
        // Computes the digest as another program would.
        let content = expected[0].replace(&format!(r#""digest":"{first}","#), "");
        assert_eq!(BASE64URL.encode(digest(&SHA256, content.as_bytes())), first);
    }

    // [parties #17]
    #[test]
    fn personal_texts_are_replaced_by_digests() {
        let detail = json!({ "contacts": { "before": "[]", "after": "[ada@example.com]" }, "name": { "after": "Shop" } });
        let of = |salt: u8| {
            let mut chain = AuditChain::new("c".to_owned());
            let record = record("user:ada", Some("192.0.2.7"), "user:ada", detail.clone());
            assert!(chain.add(1, &record, &[salt; 32]));
            serde_json::from_str::<Value>(&chain.pending).unwrap()["audit"].clone()
        };
        let (line, other) = (of(1), of(2));
        for personal in ["ada", "192.0.2.7", "example.com"] {
            assert!(!line.to_string().contains(personal), "{line}");
        }
        assert_eq!(line["detail"]["name"], json!({ "after": "Shop" }));
        for (member, begin) in [("source", "hmac-sha256:"), ("actor", "user:hmac-sha256:")] {
            let (text, other) = (line[member].as_str().unwrap(), &other[member]);
            assert!(text.starts_with(begin) && text.len() == begin.len() + 43 && text != other, "{text}");
        }
        assert_ne!(line["actor"], line["subject"], "each member has a digest of its own");
        let text = KeyedDigest::new(&[1; 32]).of([b"source".as_slice(), b"192.0.2.7"]);
        assert_eq!(line["source"], format!("hmac-sha256:{}", BASE64URL.encode(text)));
        let mut chain = AuditChain::new("c".to_owned());
        let pseudonym = record("account:usr_x", None, "usr_x", json!({}));
        assert!(!chain.add(1, &pseudonym, &[1; 32]));
        assert!(chain.pending.contains("account:usr_x"));
    }
}
