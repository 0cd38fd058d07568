//! Fetches the key sets of clients through the guard of `outbound`, and reports why one could not be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use gateway::Sample;
use keys::PublicKeys;
use outbound::Fetcher;
use registry::{FetchedJwks, JwksFetcher};
use settings::PlatformSettings;
use tenancy::TenantId;
use url::Url;

/// RFC 7517 §8.5.1; most servers send the second one.
const ACCEPT: &str = "application/jwk-set+json, application/json";

/// The fetcher of a server.
pub(crate) struct GuardedJwksFetcher {
    fetcher: Arc<Fetcher>,
    fetched: AtomicU64,
    failed: AtomicU64,
}

impl GuardedJwksFetcher {
    /// Behind the networks that the operator allows.
    pub(crate) fn new(settings: &PlatformSettings) -> Self {
        let fetcher = Arc::new(Fetcher::new(settings.server.outbound.guard()));
        Self { fetcher, fetched: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    /// What logout tokens are sent with, so that a tenant has one share of lookups for both.
    pub(crate) fn fetcher(&self) -> Arc<Fetcher> {
        Arc::clone(&self.fetcher)
    }

    /// How many fetches there were, by their outcome.
    pub(crate) fn samples(&self) -> [Sample; 2] {
        let name = "latchkey_client_jwks_fetches_total";
        let help = "Fetches of the key sets at the jwks_uri of clients.";
        [
            Sample::counter(name, help, &[("outcome", "fetched")], self.fetched.load(Ordering::Relaxed)),
            Sample::counter(name, help, &[("outcome", "failed")], self.failed.load(Ordering::Relaxed)),
        ]
    }
}

#[async_trait]
impl JwksFetcher for GuardedJwksFetcher {
    async fn fetch_jwks(&self, tenant: &TenantId, url: &str) -> Option<FetchedJwks> {
        let found = match self.fetcher.fetch(tenant, url, ACCEPT).await {
            Ok(fetched) => read(&fetched.body).map(|keys| (keys, fetched)),
            Err(error) => Err(error.to_string()),
        };
        match found {
            Ok((keys, fetched)) => {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                Some(FetchedJwks { keys, size: fetched.body.len(), max_age: fetched.max_age })
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                // Path and query may hold what is not for the log.
                let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
                tracing::warn!(
                    tenant = tenant.as_str(),
                    host = host.unwrap_or_default(),
                    error,
                    "the key set at the jwks_uri of a client cannot be fetched; the one before is used for a day"
                );
                None
            }
        }
    }
}

fn read(document: &[u8]) -> Result<PublicKeys, String> {
    let text = std::str::from_utf8(document).map_err(|_| "the document is not UTF-8".to_owned())?;
    PublicKeys::read_of_client(text).map_err(|error| error.to_string())
}
