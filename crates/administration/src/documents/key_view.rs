//! Keys as interfaces show them: where each key is in its life cycle, and which keys verifiers have.

use keys::life_cycle::{BrokenTokens, KeyPolicy, KeyTimes};
use keys::{KeyError, KeyId, KeyRecord, KeyRecords, KeyStage, SigningKey};
use serde_json::json;
use values::Timestamp;

use super::{
    BrokenTokensView, Instant, KeyStatusView, KeyView, PublicKeyView, UnopenedKeyView, VerifierView,
};
use crate::edit::key_advance::polls;
use crate::store::{TenantKeys, VerifierFetch};

impl KeyView {
    /// The view of a row at this time.
    pub(crate) fn new(record: &KeyRecord, now: Timestamp) -> Self {
        let state = match record.state(now) {
            KeyStage::Announced => "announced",
            KeyStage::Active => "active",
            KeyStage::Retiring => "retiring",
            KeyStage::Removed => "removed",
        };
        let KeyTimes { active_from, retiring_from, removed_at, .. } = KeyTimes::from_key(record).as_shown();
        Self {
            kid: record.id.to_string(),
            algorithm: record.algorithm.as_str().to_owned(),
            state: state.to_owned(),
            thumbprint: record.thumbprint.clone(),
            announced_at: record.shown.announced_at.unwrap_or(record.announced_at).into(),
            active_from: active_from.into(),
            retiring_from: retiring_from.map(Instant),
            removed_at: removed_at.map(Instant),
            destroyed: record.sealed_private_key.is_empty(),
        }
    }

    /// The views of all rows, in the order of their numbers.
    pub(crate) fn all(records: &KeyRecords, now: Timestamp) -> Vec<Self> {
        records.keys.iter().map(|record| Self::new(record, now)).collect()
    }
}

impl PublicKeyView {
    pub(crate) fn from_key(key: &SigningKey) -> Self {
        Self { jwk: json!(key.jwk), pem: key.public_pem() }
    }
}

impl From<BrokenTokens> for BrokenTokensView {
    fn from(BrokenTokens { key, until }: BrokenTokens) -> Self {
        Self { kid: key.to_string(), until: until.into() }
    }
}

impl KeyStatusView {
    /// The status of a tenant's keys and of their verifiers.
    pub(crate) fn new(
        state: &TenantKeys,
        policy: &KeyPolicy,
        mut fetches: Vec<VerifierFetch>,
        now: Timestamp,
    ) -> Self {
        let signing = signing(&state.records, policy, now);
        let announced = in_stage(&state.records, policy, KeyStage::Announced, now);
        let announced = announced.min_by_key(|record| (record.active_from, record.id));
        fetches.retain(|fetch| polls(fetch, policy, now));
        fetches.sort_by(|a, b| (b.last_fetch_at, &a.verifier).cmp(&(a.last_fetch_at, &b.verifier)));
        let newest = announced.or(signing);
        let has = |fetch: &VerifierFetch| newest.is_some_and(|newest| fetch.newest_key >= newest.id);
        Self {
            signing: signing.map(|record| KeyView::new(record, now)),
            announced: announced.map(|record| KeyView::new(record, now)),
            // `None` without verifiers, so that nobody thinks that verifiers were checked.
            seen_by_all: announced.filter(|_| !fetches.is_empty()).map(|_| fetches.iter().all(has)),
            due_at: state.due_at.map(Instant),
            unopened: Vec::new(),
            verifiers: fetches
                .iter()
                .map(|fetch| VerifierView::new(fetch, &state.records, has(fetch)))
                .collect(),
        }
    }
}

impl UnopenedKeyView {
    /// Only administrators of the platform see the names of sealing keys and the messages of a key service.
    pub(crate) fn new(key: KeyId, error: &KeyError, in_full: bool) -> Self {
        let problem = if in_full {
            error.in_full()
        } else if error.needs_operator() {
            "only the operator of this server can fix this; the server log says how".to_owned()
        } else {
            "the service that holds the sealing key is failing; Latchkey is retrying".to_owned()
        };
        Self { kid: key.to_string(), problem }
    }
}

impl VerifierView {
    fn new(fetch: &VerifierFetch, records: &KeyRecords, has_announced: bool) -> Self {
        let VerifierFetch { tenant: _, verifier, last_fetch_at, newest_key } = fetch;
        let newest = records.keys.iter().find(|record| record.id == *newest_key);
        Self {
            verifier: verifier.clone(),
            last_fetch_at: (*last_fetch_at).into(),
            newest_kid: newest.map_or(*newest_key, |record| record.id).to_string(),
            has_announced,
        }
    }
}

/// The signing key of the policy's algorithm, or else of another algorithm. If there are several, the key
/// that began to sign last.
fn signing<'a>(records: &'a KeyRecords, policy: &KeyPolicy, now: Timestamp) -> Option<&'a KeyRecord> {
    let active = in_stage(records, policy, KeyStage::Active, now);
    active.max_by_key(|record| (record.algorithm == policy.algorithm, record.active_from, record.id))
}

fn in_stage<'a>(
    records: &'a KeyRecords,
    policy: &KeyPolicy,
    stage: KeyStage,
    now: Timestamp,
) -> impl Iterator<Item = &'a KeyRecord> {
    let concerned = records.keys.iter().filter(|record| policy.concerns(record));
    concerned.filter(move |record| record.state(now) == stage)
}

#[cfg(test)]
mod tests {
    use keys::SealError;
    use tenancy::TenantId;

    use super::*;

    #[test]
    fn only_the_platform_sees_sealing_service_messages() {
        let key = KeyId::numbered(1);
        let name = "vault:vault.internal/transit/latchkey";
        let down = SealError::Unavailable(std::sync::Arc::new(std::io::Error::other(name)));
        for (source, described) in [
            (
                SealError::KeyGone { name: name.to_owned() },
                "only the operator of this server can fix this; the server log says how",
            ),
            (down, "Latchkey is retrying"),
        ] {
            let error = KeyError::Unseal { tenant: TenantId::parse("acme").unwrap(), key, source };
            let [in_full, in_short] =
                [true, false].map(|in_full| UnopenedKeyView::new(key, &error, in_full).problem);
            assert!(in_full.contains(name), "{in_full}");
            assert!(!in_short.contains("vault") && in_short.contains(described), "{in_short}");
        }
    }
}
