//! A correct resource server that learns about new keys as late as allowed. It verifies tokens offline with a
//! key set that it caches as long as `Cache-Control` permits (RFC 9111 §4.2, RFC 5861 §3), and does not fetch
//! again for an unknown `kid`. `latchkey-verifier` renews its keys earlier and fetches from one URL. This
//! verifier fetches each key set from the next program, so every program must have published a key in time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tokio::sync::Mutex;

/// The longest time for an answer.
const LONGEST: Duration = Duration::from_secs(20);

pub(crate) struct CachingVerifier {
    http: reqwest::Client,
    /// The addresses of the programs, which get the requests in turn.
    origins: Arc<RwLock<Vec<String>>>,
    tenants: Vec<String>,
    kept: Vec<Mutex<Option<Arc<KeySet>>>>,
    fetched: AtomicUsize,
}

struct KeySet {
    keys: HashMap<String, (Algorithm, DecodingKey)>,
    /// The time of the request counts, because the server may have built the answer at any time after it.
    until: Instant,
}

impl CachingVerifier {
    /// A verifier for these tenants. The other methods take an index in this list.
    pub(crate) fn new(origins: Arc<RwLock<Vec<String>>>, tenants: Vec<String>) -> Self {
        let kept = tenants.iter().map(|_| Mutex::default()).collect();
        Self { http: reqwest::Client::new(), origins, tenants, kept, fetched: AtomicUsize::new(0) }
    }

    /// The claims of a valid token of this tenant, or why the token is invalid.
    pub(crate) async fn verify(&self, tenant: usize, token: &str) -> Result<Value, String> {
        let header = decode_header(token).map_err(|error| format!("no token: {error}"))?;
        let kid = header.kid.ok_or("a token without a kid")?;
        let set = self.key_set(tenant).await?;
        let Some((algorithm, key)) = set.keys.get(&kid) else {
            let mut known: Vec<_> = set.keys.keys().cloned().collect();
            known.sort();
            let left = set.until.saturating_duration_since(Instant::now());
            return Err(format!("unverifiable: {kid} is not among {known:?}, kept for another {left:?}"));
        };
        let mut validation = Validation::new(*algorithm);
        validation.leeway = 0;
        validation.validate_aud = false;
        let verified = decode::<Value>(token, key, &validation);
        verified.map(|verified| verified.claims).map_err(|error| format!("unverifiable: {kid}: {error}"))
    }

    /// The number of fetches of key sets.
    pub(crate) fn fetched(&self) -> usize {
        self.fetched.load(Ordering::Relaxed)
    }

    async fn key_set(&self, tenant: usize) -> Result<Arc<KeySet>, String> {
        // Locked during the fetch, so that concurrent callers wait for its result.
        let mut kept = self.kept[tenant].lock().await;
        if let Some(set) = kept.as_ref().filter(|set| Instant::now() < set.until) {
            return Ok(Arc::clone(set));
        }
        let set = loop {
            let turn = self.fetched.fetch_add(1, Ordering::Relaxed);
            let origin = turn_of(&self.origins, turn);
            match self.fetch(&origin, &self.tenants[tenant]).await {
                Ok(set) => break Arc::new(set),
                // The program was removed from the list in the meantime.
                Err(_) if !self.origins.read().unwrap().contains(&origin) => {}
                Err(error) => return Err(error),
            }
        };
        *kept = Some(Arc::clone(&set));
        Ok(set)
    }

    async fn fetch(&self, origin: &str, tenant: &str) -> Result<KeySet, String> {
        let place = format!("{origin}/api/v1/tenant/{tenant}/.well-known/jwks.json");
        let failed = |error: reqwest::Error| format!("{place}: {error:?}");
        let requested = Instant::now();
        let answer = self.http.get(&place).timeout(LONGEST).send().await.map_err(failed)?;
        let answer = answer.error_for_status().map_err(failed)?;
        let cache_control = answer.headers().get("cache-control").and_then(|value| value.to_str().ok());
        let cache_control = cache_control.unwrap_or_default().to_owned();
        let may_keep = seconds(&cache_control, "max-age").ok_or(format!("no max-age: {cache_control}"))?
            + seconds(&cache_control, "stale-while-revalidate").unwrap_or(0);
        let text = answer.text().await.map_err(failed)?;
        let set: JwkSet = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let key = |jwk: &jsonwebtoken::jwk::Jwk| {
            let algorithm = jwk.common.key_algorithm?.to_string().parse().ok()?;
            Some((jwk.common.key_id.clone()?, (algorithm, DecodingKey::from_jwk(jwk).ok()?)))
        };
        let keys = set.keys.iter().map(|jwk| key(jwk).ok_or(format!("not usable: {text}")));
        let keys = keys.collect::<Result<HashMap<_, _>, _>>()?;
        if keys.is_empty() {
            return Err(format!("{place}: an empty key set"));
        }
        Ok(KeySet { keys, until: requested + Duration::from_secs(may_keep) })
    }
}

pub(crate) fn turn_of(origins: &RwLock<Vec<String>>, turn: usize) -> String {
    let origins = origins.read().unwrap();
    origins[turn % origins.len()].clone()
}

fn seconds(cache_control: &str, name: &str) -> Option<u64> {
    let directives = cache_control.split(',').filter_map(|directive| directive.trim().split_once('='));
    directives.filter(|(found, _)| *found == name).find_map(|(_, value)| value.parse().ok())
}
