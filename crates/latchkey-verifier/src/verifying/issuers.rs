//! The trusted issuers: the named ones, compared exactly, and the tenants of platforms, by the shape of their
//! issuers and a closure.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use url::Url;

use crate::verifying::cached::Cached;
use crate::verifying::clock::Moment;
use crate::verifying::issuer::{FeedSource, IssuerState, KeyOrigin};

/// The closure is called again after this time, whatever it returned.
const ASKED_AGAIN: Duration = Duration::from_secs(30);
/// The most tenants in memory. The least recently used one is dropped.
const MOST_TENANTS: usize = 10_000;
/// Refused tenants that are remembered.
const MOST_REFUSED: usize = 10_000;

/// Whether a tenant of a platform is known.
pub(crate) type IsKnown = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// All tenants of one platform: the issuer of a tenant is its own path below this URL.
pub(crate) struct TenantPlatform {
    /// Ends with a slash.
    prefix: String,
    is_known: IsKnown,
}

/// The issuers of a verifier.
pub(crate) struct Issuers {
    named: HashMap<Box<str>, Arc<IssuerState>>,
    platforms: Vec<TenantPlatform>,
    tenants: RwLock<HashMap<Box<str>, Arc<PlatformTenant>>>,
    /// Issuers that a closure refused, and when.
    refused: Mutex<HashMap<Box<str>, Moment>>,
}

struct PlatformTenant {
    issuer: Arc<IssuerState>,
    /// Seconds of the monotonic clock.
    used: AtomicU64,
    asked: AtomicU64,
}

impl TenantPlatform {
    pub(crate) fn new(url: &Url, is_known: IsKnown) -> Self {
        Self { prefix: format!("{}/api/v1/tenant/", url.as_str().trim_end_matches('/')), is_known }
    }

    /// The tenant, if this is the issuer of one.
    fn tenant<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        issuer.strip_prefix(self.prefix.as_str()).filter(|tenant| is_tenant_id(tenant))
    }

    fn issuer(&self, name: &str, tenant: &str) -> Option<Arc<IssuerState>> {
        let jwks = Url::parse(&format!("{name}/.well-known/jwks.json")).ok()?;
        let feed = Url::parse(&format!("{name}/oauth/revocations")).ok()?;
        let (keys, feed) = (KeyOrigin::Jwks(jwks), FeedSource::At(feed));
        Some(IssuerState::new(name, Some(tenant), keys, Cached::new(), feed))
    }
}

/// `[a-z0-9][a-z0-9-]{0,62}`: nothing that would change the path of a URL.
fn is_tenant_id(text: &str) -> bool {
    let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=63).contains(&text.len()) && text.bytes().all(is_allowed) && !text.starts_with('-')
}

impl Issuers {
    pub(crate) fn new(named: HashMap<Box<str>, Arc<IssuerState>>, platforms: Vec<TenantPlatform>) -> Self {
        Self { named, platforms, tenants: RwLock::default(), refused: Mutex::default() }
    }

    /// The issuers that are named.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Arc<IssuerState>> {
        self.named.values()
    }

    /// The trusted issuer of exactly this name.
    pub(crate) fn find(&self, name: &str, now: Moment) -> Option<Arc<IssuerState>> {
        if let Some(issuer) = self.named.get(name) {
            return Some(Arc::clone(issuer));
        }
        let (platform, tenant) =
            self.platforms.iter().find_map(|platform| Some((platform, platform.tenant(name)?)))?;
        let known = self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone);
        if let Some(known) = &known
            && now.monotonic.as_secs().saturating_sub(known.asked.load(Ordering::Relaxed))
                < ASKED_AGAIN.as_secs()
        {
            known.used.store(now.monotonic.as_secs(), Ordering::Relaxed);
            return Some(Arc::clone(&known.issuer));
        }
        if self.was_refused(name, now) {
            return None;
        }
        if !(platform.is_known)(tenant) {
            self.refuse(name, now);
            return None;
        }
        let seconds = now.monotonic.as_secs();
        if let Some(known) = known {
            known.asked.store(seconds, Ordering::Relaxed);
            return Some(Arc::clone(&known.issuer));
        }
        self.add(name, platform.issuer(name, tenant)?, seconds)
    }

    fn was_refused(&self, name: &str, now: Moment) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(name).is_some_and(|at| now.since(*at) < ASKED_AGAIN)
    }

    fn refuse(&self, name: &str, now: Moment) {
        self.tenants.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MOST_REFUSED {
            refused.retain(|_, at| now.since(*at) < ASKED_AGAIN);
        }
        // A flood of new names is forgotten as a whole. The closure is then called again for each.
        if refused.len() >= MOST_REFUSED {
            refused.clear();
        }
        refused.insert(name.into(), now);
    }

    fn add(&self, name: &str, issuer: Arc<IssuerState>, seconds: u64) -> Option<Arc<IssuerState>> {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= MOST_TENANTS && !tenants.contains_key(name) {
            let oldest = tenants.iter().min_by_key(|(_, tenant)| tenant.used.load(Ordering::Relaxed));
            let oldest = oldest.map(|(name, _)| name.clone());
            oldest.map(|oldest| tenants.remove(&oldest));
        }
        let tenant = tenants.entry(name.into()).or_insert_with(|| {
            Arc::new(PlatformTenant { issuer, used: AtomicU64::new(seconds), asked: AtomicU64::new(seconds) })
        });
        Some(Arc::clone(&tenant.issuer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment { monotonic: Duration::from_secs(seconds), unix: Duration::from_secs(seconds) }
    }

    fn issuers(is_known: impl Fn(&str) -> bool + Send + Sync + 'static) -> Issuers {
        let url = Url::parse("https://id.example.com/").unwrap();
        Issuers::new(HashMap::new(), vec![TenantPlatform::new(&url, Box::new(is_known))])
    }

    fn name(tenant: &str) -> String {
        format!("https://id.example.com/api/v1/tenant/{tenant}")
    }

    #[test]
    fn only_valid_tenant_issuers_reach_the_closure() {
        let asked = Arc::new(AtomicUsize::new(0));
        let issuers = issuers({
            let asked = Arc::clone(&asked);
            move |_| asked.fetch_add(1, Ordering::Relaxed) < usize::MAX
        });
        let long = "a".repeat(64);
        for tenant in ["", "-a", "A", "a/b", "a?b", "a#b", "a%2f", "..", "a b", "a_b", &long] {
            assert!(issuers.find(&name(tenant), at(0)).is_none(), "{tenant}");
        }
        for foreign in ["https://id.example.com", "https://evil.example/api/v1/tenant/a", "acme"] {
            assert!(issuers.find(foreign, at(0)).is_none(), "{foreign}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        let found = issuers.find(&name("acme-2"), at(0)).unwrap();
        assert_eq!((found.tenant.as_deref(), &*found.name), (Some("acme-2"), name("acme-2").as_str()));
    }

    #[test]
    fn tenant_decisions_are_rechecked_after_30_seconds() {
        let known = Arc::new(Mutex::new(vec!["acme".to_owned()]));
        let issuers = issuers({
            let known = Arc::clone(&known);
            move |tenant| known.lock().unwrap().iter().any(|name| name == tenant)
        });
        let finds = |tenant: &str, seconds| issuers.find(&name(tenant), at(seconds)).is_some();
        assert!(finds("acme", 0) && !finds("globex", 0));
        *known.lock().unwrap() = vec!["globex".to_owned()];
        assert!(finds("acme", 29) && !finds("globex", 29));
        assert!(!finds("acme", 30) && finds("globex", 30));
    }

    #[test]
    fn tenants_and_refusals_are_bounded() {
        let issuers = issuers(|tenant| tenant.starts_with('k'));
        for number in 0..MOST_TENANTS as u64 + 5 {
            assert!(issuers.find(&name(&format!("k{number}")), at(number)).is_some());
            assert!(issuers.find(&name(&format!("x{number}")), at(0)).is_none());
        }
        let tenants = issuers.tenants.read().unwrap();
        assert_eq!(tenants.len(), MOST_TENANTS);
        assert!(!tenants.contains_key(name("k0").as_str()), "the one that was unused for longest left");
        assert!(issuers.refused.lock().unwrap().len() <= MOST_REFUSED);
    }
}
