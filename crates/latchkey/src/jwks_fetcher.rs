//! Fetches the key sets of clients through the guard of `outbound`, and reports why one could not be had.

use async_trait::async_trait;
use keys::PublicKeys;
use outbound::{Fetcher, Guard};
use registry::{FetchedJwks, JwksFetcher};
use settings::PlatformSettings;
use tenancy::TenantId;
use url::Url;

/// RFC 7517 §8.5.1; most servers send the second one.
const ACCEPT: &str = "application/jwk-set+json, application/json";

/// The fetcher of a server.
pub(crate) struct GuardedJwksFetcher(Fetcher);

impl GuardedJwksFetcher {
    /// Behind the networks that the operator allows.
    pub(crate) fn new(settings: &PlatformSettings) -> Self {
        let allowed = settings.server.outbound.allowed_networks.iter().map(|network| network.net());
        Self(Fetcher::new(Guard::allowing(allowed.collect())))
    }
}

#[async_trait]
impl JwksFetcher for GuardedJwksFetcher {
    async fn fetch_jwks(&self, tenant: &TenantId, url: &str) -> Option<FetchedJwks> {
        let found = match self.0.fetch(url, ACCEPT).await {
            Ok(fetched) => read(&fetched.body).map(|keys| (keys, fetched)),
            Err(error) => Err(error.to_string()),
        };
        match found {
            Ok((keys, fetched)) => {
                Some(FetchedJwks { keys, size: fetched.body.len(), max_age: fetched.max_age })
            }
            Err(error) => {
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
