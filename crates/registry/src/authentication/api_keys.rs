//! Finds the API key of a request, at the token endpoint and at introspection.
//!
//! The cost of a check depends only on the presented text: one digest for a text in the format of a key, and
//! one lookup if the checksum is correct. All refusals look the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::CredentialReason;
use secrets::{CallerAddress, Pepper, SecretHash, has_checksum, presented_api_key};
use tenancy::{Stored, Tenant, TenantId};
use values::Timestamp;

use crate::methods::api_key;
use crate::{ApiKey, ApiKeyId, ApiKeyStore, ClientId, LastUsedApiKeys, UseOutcome};

pub struct ApiKeys {
    store: Arc<dyn ApiKeyStore>,
    pepper: Arc<Pepper>,
    /// Uses of keys that have not been written to the store yet.
    pub last_used: Arc<LastUsedApiKeys>,
    /// How many times an expired or revoked key was presented since the start.
    pub ended_presented: AtomicU64,
}

impl ApiKeys {
    /// `store` should be a cache, because every use of a key reads it.
    #[must_use]
    pub fn new(store: Arc<dyn ApiKeyStore>, pepper: Arc<Pepper>) -> Self {
        Self { store, pepper, last_used: Arc::default(), ended_presented: AtomicU64::new(0) }
    }

    /// Finds the key of this text, even if it is expired or revoked. A text with a wrong checksum costs no
    /// lookup.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find(&self, tenant: &TenantId, text: &str) -> Stored<Option<Arc<ApiKey>>> {
        let Some(id) = id_of(text) else { return Ok(None) };
        let found = self.store.find_api_key(tenant, &id).await?;
        // Discards a row of another tenant or key, which only a faulty store returns.
        Ok(found.filter(|key| key.tenant == *tenant && key.id == id))
    }

    /// The client to look up: that of the key, or without a key the client that the request names. If there
    /// is neither, this returns an id that no client has, so that the number of lookups is always the same.
    #[must_use]
    pub(crate) fn client_of(found: Option<&ApiKey>, client_id: &str, text: &str) -> Option<ClientId> {
        match found {
            Some(key) => Some(key.client.clone()),
            None if !client_id.is_empty() => ClientId::parse(client_id).ok(),
            None => ClientId::parse(&format!("{}{}", ClientId::RESERVED_PREFIX, id_of(text)?)).ok(),
        }
    }

    /// Checks that the text is this key, that the key is valid now, and that the tenant allows API keys.
    ///
    /// # Errors
    /// The reason for the log.
    pub fn check(
        &self,
        tenant: &Tenant,
        found: Option<&ApiKey>,
        text: &str,
        now: Timestamp,
    ) -> Result<(), &'static CredentialReason> {
        let client = found.map_or("", |key| key.client.as_str());
        let presented = presented_api_key(&self.pepper, &tenant.id, client, text);
        let matches = found.map_or(&SecretHash::token([0; 32]), |key| &key.hash).is_of(&presented);
        match found {
            None if !has_checksum(text) => Err(api_key::MALFORMED),
            None => Err(api_key::UNKNOWN),
            Some(_) if !matches => Err(api_key::WRONG),
            Some(_) if tenant.api_keys.is_none() => Err(api_key::NOT_OFFERED),
            Some(key) if key.is_live(now) => Ok(()),
            Some(key) if key.revoked_at.is_some() => Err(api_key::REVOKED),
            Some(_) => Err(api_key::EXPIRED),
        }
    }

    /// Finds the valid key of this text. Records the attempt if the key is expired or revoked.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn present(
        &self,
        tenant: &Tenant,
        text: &str,
        source: &CallerAddress,
        now: Timestamp,
    ) -> Stored<Option<Arc<ApiKey>>> {
        let Some(found) = self.find(&tenant.id, text).await? else {
            _ = self.check(tenant, None, text, now);
            return Ok(None);
        };
        Ok(match self.check(tenant, Some(&found), text, now) {
            Ok(()) => Some(found),
            Err(reason) => {
                if api_key::has_ended(reason) {
                    self.note_ended(&found, source, now);
                }
                None
            }
        })
    }

    /// Records that an expired or revoked key was presented: a caller still has it.
    pub fn note_ended(&self, key: &ApiKey, source: &CallerAddress, now: Timestamp) {
        self.ended_presented.fetch_add(1, Ordering::Relaxed);
        self.last_used.note(&key.tenant, &key.id, UseOutcome::Refused, source, now);
    }

    pub fn note_use(&self, key: &ApiKey, source: &CallerAddress, now: Timestamp) {
        self.last_used.note(&key.tenant, &key.id, UseOutcome::Accepted, source, now);
    }
}

/// The name in the text, if the checksum is correct.
fn id_of(text: &str) -> Option<ApiKeyId> {
    ApiKeyId::of_key(text).filter(|_| has_checksum(text))
}
