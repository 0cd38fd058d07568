//! Fetches the key sets of clients and of trusted issuers through the guard of `outbound`, and logs the
//! reasons of failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use gateway::Sample;
use outbound::{Fetched, Fetcher};
use registry::{FetchedJwks, JwksFetcher, KeyPlace, KeySource, jwks_uri_of};
use settings::PlatformSettings;
use tenancy::TenantId;
use url::Url;

/// RFC 7517 §8.5.1 defines the first type; most servers send the second.
const ACCEPT: &str = "application/jwk-set+json, application/json";

pub(crate) struct GuardedJwksFetcher {
    fetcher: Arc<Fetcher>,
    fetched: AtomicU64,
    failed: AtomicU64,
}

impl GuardedJwksFetcher {
    /// The fetcher only connects to the networks that the operator allows.
    pub(crate) fn new(settings: &PlatformSettings) -> Self {
        let fetcher = Arc::new(Fetcher::new(settings.server.outbound.guard()));
        Self { fetcher, fetched: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    /// The fetcher. It also sends logout tokens, so that each tenant has one share of name lookups for both.
    pub(crate) fn fetcher(&self) -> Arc<Fetcher> {
        Arc::clone(&self.fetcher)
    }

    pub(crate) fn samples(&self) -> [Sample; 2] {
        let name = "latchkey_client_jwks_fetches_total";
        let help = "Fetches of the key sets of clients and trusted issuers.";
        [
            Sample::counter(name, help, &[("outcome", "fetched")], self.fetched.load(Ordering::Relaxed)),
            Sample::counter(name, help, &[("outcome", "failed")], self.failed.load(Ordering::Relaxed)),
        ]
    }
}

#[async_trait]
impl JwksFetcher for GuardedJwksFetcher {
    async fn fetch_jwks(&self, tenant: &TenantId, source: &KeySource<'_>) -> Option<FetchedJwks> {
        match self.read(tenant, source).await {
            Ok(fetched) => {
                self.fetched.fetch_add(1, Ordering::Relaxed);
                Some(fetched)
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let whose = match source.place {
                    KeyPlace::OfClient => "the key set at the jwks_uri of a client",
                    _ => "the key set of a trusted issuer",
                };
                // Path and query may contain secrets, so only the host is logged.
                let host = source.url().and_then(|url| Url::parse(&url).ok()?.host_str().map(str::to_owned));
                tracing::warn!(
                    tenant = tenant.as_str(),
                    host = host.unwrap_or_default(),
                    error,
                    "cannot fetch {whose}; the previous key set stays in use for a day"
                );
                None
            }
        }
    }
}

impl GuardedJwksFetcher {
    async fn read(&self, tenant: &TenantId, source: &KeySource<'_>) -> Result<FetchedJwks, String> {
        let url = source.url().ok_or("a document is not fetched")?;
        let mut fetched = self.fetch(tenant, &url).await?;
        if source.place == KeyPlace::Discovery {
            let url = jwks_uri_of(text(&fetched)?, &source.text)?;
            fetched = self.fetch(tenant, &url).await?;
        }
        let keys = source.read(text(&fetched)?).map_err(|error| error.to_string())?;
        Ok(FetchedJwks { keys, size: fetched.body.len(), max_age: fetched.max_age })
    }

    async fn fetch(&self, tenant: &TenantId, url: &str) -> Result<Fetched, String> {
        self.fetcher.fetch(tenant, url, ACCEPT).await.map_err(|error| error.to_string())
    }
}

fn text(fetched: &Fetched) -> Result<&str, String> {
    std::str::from_utf8(&fetched.body).map_err(|_| "the document is not UTF-8".to_owned())
}
