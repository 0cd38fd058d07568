//! A tenant's keys by state: which keys sign and encrypt tokens, which are published, and which verify (RFC
//! 7517 §4.5). States depend on `now`, so a ring stays correct over time. It is replaced only when the rows
//! change.

use std::sync::Arc;

use parking_lot::RwLock;
use tenancy::{SigningPolicy, Tenant};
use values::{Lifetime, Timestamp};

use crate::key_record::row_in_use;
use crate::life_cycle::{self, JwksCacheLifetime, KeyPolicy};
use crate::verification_keys::{VerificationKey, VerificationKeys};
use crate::{
    JwkSet, KeyAlgorithm, KeyId, KeyRecord, KeyRecords, KeyStage, Kid, SigningKey, TenantKey, TokenKey,
};

#[derive(Debug)]
pub struct KeyRing {
    pub records: Arc<KeyRecords>,
    /// Each key with the index of its row.
    keys: Vec<(usize, TenantKey)>,
    jwk_set: RwLock<Option<Published>>,
}

#[derive(Debug)]
struct Published {
    ids: Vec<KeyId>,
    set: Arc<JwkSet>,
}

impl KeyRing {
    /// Creates a ring from rows and their parsed keys. A row without a parsed key is not published and
    /// verifies nothing. But if that row should sign, no other key replaces it.
    #[must_use]
    pub fn new(records: Arc<KeyRecords>, keys: Vec<impl Into<TenantKey>>) -> Self {
        let with_row =
            |key: TenantKey| Some((records.keys.iter().position(|record| record.id == key.id())?, key));
        let keys = keys.into_iter().map(Into::into).filter_map(with_row).collect();
        Self { records, keys, jwk_set: RwLock::default() }
    }

    /// The signing key under this policy. While the policy's algorithm has no active key, a key of another
    /// algorithm continues to sign. So use [`SigningKey::algorithm`] and not the policy's algorithm for the
    /// token.
    #[must_use]
    pub fn signing_key(&self, policy: &SigningPolicy, now: Timestamp) -> Option<&Arc<SigningKey>> {
        self.in_use(policy.algorithm.into(), policy.skew, now)?.signing()
    }

    /// The key that signs, or encrypts opaque tokens, by the use of the wanted algorithm.
    pub(crate) fn in_use(&self, wanted: KeyAlgorithm, skew: Lifetime, now: Timestamp) -> Option<&TenantKey> {
        self.key_of(row_in_use(|| self.rows(), wanted, skew, now)?)
    }

    /// The key of an opaque token. It may be an announced one, because nobody else has had it, and a
    /// revocation that this replica has not read yet may have made it begin early.
    pub(crate) fn find_token_key(&self, id: KeyId, now: Timestamp) -> Option<&TokenKey> {
        let (row, key) = self.with_rows().find(|(row, _)| row.id == id)?;
        key.opaque_tokens().filter(|_| row.state(now) != KeyStage::Removed).map(|key| &**key)
    }

    /// In the order of their numbers.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        let here = self.with_rows().filter(move |(row, _)| row.state(now) != KeyStage::Removed);
        here.filter_map(|(_, key)| key.signing().map(|key| &**key))
    }

    /// The published key with this `kid`, if it may have signed by now.
    #[must_use]
    pub fn find(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<&SigningKey> {
        let kid = Kid::parse(kid)?;
        let (row, key) = self.with_rows().find(|(row, _)| row.id.kid() == kid)?;
        key.signing().filter(|_| row.verifies_at(now, skew)).map(|key| &**key)
    }

    /// How long the published keys may be cached. The time is shorter if a new key will be announced soon, so
    /// that copies are fetched again after the announcement.
    #[must_use]
    pub fn cache_lifetime(&self, tenant: &Tenant, now: Timestamp) -> JwksCacheLifetime {
        // Uses only the tenant's own settings, because the lifetime of tokens and the number of replicas do
        // not affect caching.
        let policy = KeyPolicy::new(&tenant.signing, tenant.access_token.lifetime, Lifetime::from_seconds(0));
        life_cycle::cache_lifetime(&self.records, &policy, now)
    }

    /// The published keys as a document. Rebuilt only when a key is published or removed.
    #[must_use]
    pub fn jwk_set(&self, now: Timestamp) -> Arc<JwkSet> {
        // A panic under the lock leaves either the old or the new document, and both are complete.
        if let Some(published) = &*self.jwk_set.read()
            && self.published(now).map(SigningKey::id).eq(published.ids.iter().copied())
        {
            return published.set.clone();
        }
        let ids = self.published(now).map(SigningKey::id).collect();
        let set = Arc::new(JwkSet::new(self.published(now).map(|key| key.jwk.clone()).collect()));
        let published = Published { ids, set: set.clone() };
        *self.jwk_set.write() = Some(published);
        set
    }

    /// The parsed key for this row, if number and sealed bytes are the same.
    pub(crate) fn parsed(&self, record: &KeyRecord) -> Option<TenantKey> {
        self.with_rows()
            .find(|(row, _)| {
                row.id == record.id
                    && row.algorithm == record.algorithm
                    && row.sealed_private_key == record.sealed_private_key
            })
            .map(|(_, key)| key.clone())
    }

    /// The rows of keys that may be in use. Includes keys that failed to load, but not destroyed keys.
    fn rows(&self) -> impl Iterator<Item = &KeyRecord> {
        self.records.keys.iter().filter(|row| !row.sealed_private_key.is_empty())
    }

    fn key_of(&self, row: &KeyRecord) -> Option<&TenantKey> {
        self.keys.iter().map(|(_, key)| key).find(|key| key.id() == row.id)
    }

    fn with_rows(&self) -> impl Iterator<Item = (&KeyRecord, &TenantKey)> {
        self.keys.iter().filter_map(|(row, key)| Some((self.records.keys.get(*row)?, key)))
    }
}

impl VerificationKeys for KeyRing {
    fn key(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<VerificationKey<'_>> {
        self.find(kid, skew, now).map(SigningKey::verification_key)
    }
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;

    use super::*;
    use crate::key_record::begun_last;

    impl KeyRing {
        /// The active key of this algorithm that became active last.
        pub(crate) fn active(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&Arc<SigningKey>> {
            self.key_of(begun_last(self.rows(), Some(algorithm.into()), now)?)?.signing()
        }
    }
    use crate::test_keys::{at, numbered, record, records, signing_key};

    const ES256: SigningAlgorithm = SigningAlgorithm::ES256;

    fn row(number: u32, algorithm: SigningAlgorithm, times: [u64; 4]) -> KeyRecord {
        let [announced_at, active_from, retiring_from, removed_at] = times.map(at);
        let end = |end: Timestamp| (end > at(0)).then_some(end);
        KeyRecord {
            sealed_private_key: vec![number as u8],
            announced_at,
            active_from,
            retiring_from: end(retiring_from),
            removed_at: end(removed_at),
            ..record(&numbered(number, algorithm))
        }
    }

    fn ring(rows: Vec<KeyRecord>) -> KeyRing {
        let keys: Vec<_> =
            rows.iter().map(|row| Arc::new(signing_key(row.id, row.algorithm.signing().unwrap()))).collect();
        KeyRing::new(Arc::new(records(rows)), keys)
    }

    fn find(ring: &KeyRing, number: u32, skew: u64, now: u64) -> bool {
        ring.find(&KeyId::numbered(number).to_string(), Lifetime::from_seconds(skew), at(now)).is_some()
    }

    fn rotated() -> KeyRing {
        ring(vec![row(1, ES256, [0, 0, 200, 300]), row(2, ES256, [100, 200, 0, 0])])
    }

    #[test]
    fn one_key_signs_and_its_successor_is_published_early() {
        let ring = rotated();
        for (now, active, published) in [
            (0, 1, "12"),
            (99, 1, "12"),
            (199, 1, "12"),
            (200, 2, "12"),
            (299, 2, "12"),
            (300, 2, "2"),
            (1_000_000, 2, "2"),
        ] {
            let found = ring.active(ES256, at(now)).unwrap();
            assert_eq!(found.id(), KeyId::numbered(active), "at {now}");
            let ids: String = ring.published(at(now)).map(|key| key.id().number().to_string()).collect();
            assert_eq!(ids, published, "at {now}");
            assert_eq!(find(&ring, 1, 0, now), published.contains('1'), "at {now}");
        }
        assert!(ring.active(SigningAlgorithm::RS256, at(0)).is_none());
        assert!(!find(&ring, 3, 0, 0));
        assert!(ring.find("oauth2-key-01", Lifetime::from_seconds(0), at(0)).is_none());
    }

    // [found 1]
    /// An attacker may have the private key of an announced key, for example of an imported key, and could
    /// sign with it early.
    #[test]
    fn announced_key_does_not_verify_before_activation_minus_skew() {
        let ring = rotated();
        for (now, skew, expected) in [
            (100, 0, false),
            (199, 0, false),
            (200, 0, true),
            (169, 30, false),
            (170, 30, true),
            (100, 99, false),
            (300, 0, true),
        ] {
            assert_eq!(find(&ring, 2, skew, now), expected, "at {now} with a skew of {skew}");
            assert!(ring.published(at(now)).any(|key| key.id() == KeyId::numbered(2)), "at {now}");
        }
    }

    #[test]
    fn later_of_two_active_keys_signs() {
        let ring = ring(vec![row(1, ES256, [0, 50, 0, 0]), row(2, ES256, [0, 40, 0, 0])]);
        for (now, expected) in [(45, 2), (50, 1), (60, 1)] {
            assert_eq!(ring.active(ES256, at(now)).unwrap().id(), KeyId::numbered(expected), "at {now}");
        }
    }

    #[test]
    fn key_from_a_fast_replica_signs_within_the_skew() {
        let ring = ring(vec![row(1, ES256, [130, 130, 0, 0])]);
        assert!(ring.active(ES256, at(100)).is_none());
        for (skew, signs) in [(60, true), (29, false)] {
            let skew = Lifetime::from_seconds(skew);
            let policy = SigningPolicy { algorithm: ES256, skew, ..SigningPolicy::default() };
            assert_eq!(ring.signing_key(&policy, at(100)).is_some(), signs);
        }
        assert!(find(&ring, 1, 30, 100) && !find(&ring, 1, 29, 100));
    }

    #[test]
    fn old_algorithm_signs_until_the_new_key_activates() {
        let eddsa = SigningAlgorithm::EdDSA;
        let policy = SigningPolicy { algorithm: eddsa, ..SigningPolicy::default() };
        let changed = ring(vec![row(1, ES256, [0, 0, 500, 900]), row(2, eddsa, [100, 500, 0, 0])]);
        for (now, expected) in [(0, 1), (450, 1), (499, 1), (500, 2), (10_000, 2)] {
            let key = changed.signing_key(&policy, at(now)).unwrap();
            assert_eq!(key.id(), KeyId::numbered(expected), "at {now}");
            assert_eq!(key.algorithm(), if expected == 1 { ES256 } else { eddsa }, "at {now}");
        }
        let both = ring(vec![row(1, eddsa, [0, 0, 0, 0]), row(2, ES256, [0, 50, 0, 0])]);
        assert_eq!(both.signing_key(&policy, at(60)).unwrap().id(), KeyId::numbered(1));
        assert!(ring(vec![row(1, ES256, [0, 0, 5, 9])]).signing_key(&policy, at(6)).is_none());
    }

    #[test]
    fn jwk_set_is_rebuilt_only_when_keys_change() {
        let ring = rotated();
        let first = ring.jwk_set(at(0));
        assert_eq!(first.keys.len(), 2);
        assert!(Arc::ptr_eq(&first, &ring.jwk_set(at(250))));
        let second = ring.jwk_set(at(300));
        assert_eq!(second.keys.len(), 1);
        assert!(Arc::ptr_eq(&second, &ring.jwk_set(at(301))));
        assert_ne!(first.etag, second.etag);
    }

    #[test]
    fn parsed_key_is_reused_only_for_same_sealed_bytes() {
        let ring = rotated();
        let same = row(1, ES256, [5, 6, 7, 8]);
        let parsed = ring.parsed(&same).unwrap();
        assert!(Arc::ptr_eq(parsed.signing().unwrap(), ring.keys[0].1.signing().unwrap()));
        assert!(ring.parsed(&KeyRecord { sealed_private_key: vec![7], ..same.clone() }).is_none());
        assert!(ring.parsed(&KeyRecord { id: KeyId::numbered(2), ..same.clone() }).is_none());
        assert!(ring.parsed(&KeyRecord { algorithm: SigningAlgorithm::ES384.into(), ..same }).is_none());
    }
}
