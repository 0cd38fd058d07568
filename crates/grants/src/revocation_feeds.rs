//! Signed revocation feeds. The endpoint needs no authentication, so one signature has to serve
//! many requests.

use std::collections::HashMap;
use std::sync::Arc;

use keys::{SignError, SigningKey};
use parking_lot::Mutex;
use registry::{RevocationFacts, RevocationFeed};
use tenancy::{Tenant, TenantId};
use values::{Lifetime, Timestamp};

/// How long a feed is served while the revocations do not change. The rest of the feed's lifetime
/// allows for caches and clock differences.
const SERVED_FOR: Lifetime = Lifetime::from_seconds(60);
/// Bytes of all feeds together.
const CAPACITY: usize = 32 << 20;

/// The entity tag is the last 22 characters of the signature, more than 128 bits.
const TAG: usize = 22;

#[derive(Debug, PartialEq, Eq)]
pub struct SignedFeed {
    /// Compact JWS. Shared by all responses, so that cloning copies no bytes.
    pub jws: Arc<[u8]>,
    /// A strong entity tag, in quotes (RFC 9110 §8.8.3).
    pub etag: String,
}

struct Kept {
    feed: Arc<SignedFeed>,
    facts: Arc<RevocationFacts>,
    kid: String,
    signed_at: Timestamp,
}

/// The latest feed of each tenant.
pub(crate) struct RevocationFeeds {
    capacity: usize,
    feeds: Mutex<Feeds>,
}

#[derive(Default)]
struct Feeds {
    of_tenants: HashMap<TenantId, Kept>,
    bytes: usize,
}

impl Default for RevocationFeeds {
    fn default() -> Self {
        Self { capacity: CAPACITY, feeds: Mutex::default() }
    }
}

impl RevocationFeeds {
    /// Returns the cached feed, or signs a new one. If the memory is full, feeds with more
    /// revocations are removed first. Returns `None` if there is still no room: without a cached
    /// feed, every request would cause a signature.
    ///
    /// # Errors If the key cannot sign.
    pub(crate) fn get(
        &self,
        tenant: &Tenant,
        facts: &Arc<RevocationFacts>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Option<Arc<SignedFeed>>, SignError> {
        // Holds the lock while signing, so that concurrent requests cause one signature.
        let mut feeds = self.feeds.lock();
        if let Some(kept) = feeds.of_tenants.get_mut(&tenant.id)
            && kept.says(facts, key, now)
        {
            // Stores the pointer of equal facts that were read again, so that they are compared in
            // full only once.
            kept.facts = Arc::clone(facts);
            return Ok(Some(Arc::clone(&kept.feed)));
        }
        feeds.remove(&tenant.id);
        if feeds.bytes >= self.capacity {
            feeds.sweep(now);
        }
        while feeds.bytes >= self.capacity {
            if !feeds.remove_larger(facts.bytes()) {
                return Ok(None);
            }
        }
        let claims = RevocationFeed::new(facts, tenant.issuer.as_str(), now);
        let jws = key.sign(RevocationFeed::TYP, &claims)?;
        let kid = key.id().to_string();
        let etag = format!("\"{}\"", &jws[jws.len().saturating_sub(TAG)..]);
        let feed = Arc::new(SignedFeed { jws: jws.into_bytes().into(), etag });
        let kept = Kept { feed: Arc::clone(&feed), facts: Arc::clone(facts), kid, signed_at: now };
        feeds.bytes += kept.bytes();
        feeds.of_tenants.insert(tenant.id.clone(), kept);
        Ok(Some(feed))
    }
}

impl Kept {
    /// Whether a new feed would differ only in its times.
    fn says(&self, facts: &Arc<RevocationFacts>, key: &SigningKey, now: Timestamp) -> bool {
        self.is_served(now)
            && self.kid == key.id().to_string()
            && (Arc::ptr_eq(&self.facts, facts) || self.facts == *facts)
    }

    /// `false` as well if the clock was set back.
    fn is_served(&self, now: Timestamp) -> bool {
        (self.signed_at..self.signed_at + SERVED_FOR).contains(&now)
    }

    fn bytes(&self) -> usize {
        const ENTRY: usize = 256;
        ENTRY + self.feed.jws.len() + self.facts.bytes()
    }
}

impl Feeds {
    fn remove(&mut self, tenant: &TenantId) {
        if let Some(kept) = self.of_tenants.remove(tenant) {
            self.bytes -= kept.bytes();
        }
    }

    /// Removes the feed with the most bytes, if it has more than `bytes`. Returns whether it
    /// removed one.
    fn remove_larger(&mut self, bytes: usize) -> bool {
        let most = self.of_tenants.iter().max_by_key(|(_, kept)| kept.facts.bytes());
        let tenant = most.filter(|(_, kept)| kept.facts.bytes() > bytes).map(|(tenant, _)| tenant.clone());
        tenant.inspect(|tenant| self.remove(tenant)).is_some()
    }

    /// Removes expired feeds.
    fn sweep(&mut self, now: Timestamp) {
        self.of_tenants.retain(|_, kept| kept.is_served(now));
        self.bytes = self.of_tenants.values().map(Kept::bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use keys::{KeyId, PrivateKeyDocument};
    use protocol::SigningAlgorithm;
    use registry::{ClientId, Revocation, RevokedSubject};

    use super::*;
    use crate::test_fixtures::acme;

    fn key(number: u32) -> SigningKey {
        let algorithm = SigningAlgorithm::EdDSA;
        let document = PrivateKeyDocument::generate(algorithm).unwrap();
        SigningKey::parse(KeyId::numbered(number), algorithm, document.expose()).unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(1_000 + seconds)
    }

    fn facts(tenant: &Tenant, revoked: &[&str]) -> Arc<RevocationFacts> {
        let revocation = |client: &&str| Revocation {
            subject: RevokedSubject::Client(ClientId::parse(client).unwrap()),
            issued_until: at(0),
            expires_at: at(900),
        };
        Arc::new(RevocationFacts::new(tenant.id.clone(), revoked.iter().map(revocation)))
    }

    // [revocation ours e]: No request for a feed causes a signature of its own; without facts the answer is
    //   503
    #[test]
    fn unchanged_feed_is_signed_once_a_minute() {
        let (feeds, tenant) = (RevocationFeeds::default(), acme());
        let other = Tenant { id: TenantId::parse("globex").unwrap(), ..acme() };
        let (first, second) = (key(1), key(2));
        let get = |tenant: &Tenant, revoked: &[&str], key: &SigningKey, now: u64| {
            feeds.get(tenant, &facts(tenant, revoked), key, at(now)).unwrap().unwrap()
        };
        let signed = get(&tenant, &[], &first, 0);
        for now in [0, 1, 59] {
            assert!(Arc::ptr_eq(&signed, &get(&tenant, &[], &first, now)), "{now}");
        }
        let theirs = get(&other, &[], &first, 1);
        assert!(!Arc::ptr_eq(&signed, &theirs));
        let changed = get(&tenant, &["svc"], &first, 2);
        assert!(changed.jws != signed.jws);
        assert!(Arc::ptr_eq(&changed, &get(&tenant, &["svc"], &first, 61)));
        assert!(!Arc::ptr_eq(&changed, &get(&tenant, &["svc"], &first, 62)));
        let rotated = get(&tenant, &["svc"], &second, 63);
        assert!(rotated.jws != changed.jws);
        assert!(!Arc::ptr_eq(&rotated, &get(&tenant, &["svc"], &second, 1)), "the clock went back");
        assert!(Arc::ptr_eq(&theirs, &get(&other, &[], &first, 60)));
    }

    #[test]
    fn large_feed_is_evicted_for_small_ones() {
        let feeds = RevocationFeeds { capacity: 4_096, ..RevocationFeeds::default() };
        let (key, many, few) = (key(1), acme(), Tenant { id: TenantId::parse("globex").unwrap(), ..acme() });
        let clients: Vec<_> = (0..100).map(|number| format!("client-{number}")).collect();
        let clients: Vec<_> = clients.iter().map(String::as_str).collect();
        let served = |tenant: &Tenant, revoked: &[&str]| {
            feeds.get(tenant, &facts(tenant, revoked), &key, at(0)).unwrap().is_some()
        };
        assert!(served(&many, &clients), "alone it uses all");
        assert!(served(&few, &[]));
        for number in 0..20 {
            served(&Tenant { id: TenantId::parse(&format!("t{number}")).unwrap(), ..acme() }, &[]);
        }
        assert!(!served(&many, &clients), "there is no room, and nobody has more");
    }

    // [revocation ours e]
    #[test]
    fn feeds_beyond_capacity_are_not_signed() {
        let feeds = RevocationFeeds { capacity: 4_096, ..RevocationFeeds::default() };
        let key = key(1);
        let mut served = 0;
        for number in 0..100 {
            let tenant = Tenant { id: TenantId::parse(&format!("t{number}")).unwrap(), ..acme() };
            served += usize::from(feeds.get(&tenant, &facts(&tenant, &[]), &key, at(0)).unwrap().is_some());
        }
        assert!((2..20).contains(&served), "{served}");
        let tenant = Tenant { id: TenantId::parse("later").unwrap(), ..acme() };
        assert_eq!(feeds.get(&tenant, &facts(&tenant, &[]), &key, at(59)).unwrap(), None);
        assert!(feeds.get(&tenant, &facts(&tenant, &[]), &key, at(60)).unwrap().is_some());
        assert_eq!(feeds.feeds.lock().of_tenants.len(), 1);
    }
}
