//! The public keys of GitHub's signed reports of leaked credentials: ECDSA on P-256 with SHA-256.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use tenancy::TenantId;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::fetch::Fetcher;

/// How long keys are used before they are fetched again.
const FRESH: Duration = Duration::from_secs(3600);
/// The minimum time between two fetches for unknown keys.
const AGAIN: Duration = Duration::from_secs(60);

/// The keys at a URL that the operator configures. The first report fetches them.
pub struct ReportKeys {
    fetcher: Arc<Fetcher>,
    url: String,
    known: Mutex<KnownKeys>,
}

#[derive(Default)]
struct KnownKeys {
    keys: HashMap<String, SubjectPublicKeyInfoDer<'static>>,
    fetched_at: Option<Instant>,
}

#[derive(Deserialize)]
struct PublishedKeys {
    public_keys: Vec<PublishedKey>,
}

#[derive(Deserialize)]
struct PublishedKey {
    key_identifier: String,
    key: String,
}

impl ReportKeys {
    #[must_use]
    pub fn new(fetcher: Arc<Fetcher>, url: String) -> Self {
        Self { fetcher, url, known: Mutex::default() }
    }

    /// Whether the key with this name has signed a text with this digest. `signature` is Base64.
    pub async fn have_signed(&self, key: &str, digest: &Digest, signature: &str) -> bool {
        let Ok(signature) = BASE64_STANDARD.decode(signature) else { return false };
        let mut known = self.known.lock().await;
        let longest = if known.keys.contains_key(key) { FRESH } else { AGAIN };
        if known.fetched_at.is_none_or(|at| at.elapsed() >= longest) {
            known.fetched_at = Some(Instant::now());
            match self.fetch().await {
                Ok(keys) => known.keys = keys,
                Err(error) => tracing::warn!(error, "cannot fetch the keys of signed leak reports"),
            }
        }
        let found = known.keys.get(key).map(|key| UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key));
        found.is_some_and(|key| key.verify_digest(digest, &signature).is_ok())
    }

    async fn fetch(&self) -> Result<HashMap<String, SubjectPublicKeyInfoDer<'static>>, String> {
        let platform = TenantId::platform();
        let fetched = self.fetcher.fetch(&platform, &self.url, "application/json").await;
        let body = fetched.map_err(|error| error.to_string())?.body;
        let PublishedKeys { public_keys } =
            serde_json::from_slice(&body).map_err(|_| "the document does not list keys".to_owned())?;
        let read = |PublishedKey { key_identifier, key }: PublishedKey| {
            Some((key_identifier, SubjectPublicKeyInfoDer::from_pem_slice(key.as_bytes()).ok()?))
        };
        Ok(public_keys.into_iter().filter_map(read).collect())
    }
}
