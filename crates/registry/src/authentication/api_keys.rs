//! Finds the API key that a request presents, at the token endpoint and at introspection.
//!
//! The presented text alone decides the cost of a check: one digest for a text of the shape of a key, and one
//! lookup if its checksum is right. Every refusal looks alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::CredentialReason;
use secrets::{ClientAddress, Pepper, SecretHash, has_checksum, presented_api_key};
use tenancy::{Stored, Tenant, TenantId};
use values::Timestamp;

use crate::methods::api_key;
use crate::{ApiKey, ApiKeyId, ApiKeyStore, ClientId, LastUsedApiKeys, UseOutcome};

/// Checks the keys of all tenants.
pub struct ApiKeys {
    store: Arc<dyn ApiKeyStore>,
    pepper: Arc<Pepper>,
    /// The last uses of keys that are not written to the store yet.
    pub last_used: Arc<LastUsedApiKeys>,
    /// How often a key was presented after its end, since the start.
    pub ended_presented: AtomicU64,
}

impl ApiKeys {
    /// Creates the service over a store, which should be a cache: every use of a key reads it.
    #[must_use]
    pub fn new(store: Arc<dyn ApiKeyStore>, pepper: Arc<Pepper>) -> Self {
        Self { store, pepper, last_used: Arc::default(), ended_presented: AtomicU64::new(0) }
    }

    /// Finds the key of this text, whatever its status. A text with a wrong checksum costs no lookup.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(&self, tenant: &TenantId, text: &str) -> Stored<Option<Arc<ApiKey>>> {
        let Some(id) = id_of(text) else { return Ok(None) };
        let found = self.store.find_api_key(tenant, &id).await?;
        // A row of another tenant or key, which only a broken store returns, is dropped.
        Ok(found.filter(|key| key.tenant == *tenant && key.id == id))
    }

    /// The client to look up for a presented text: that of the key or, of a text without a key, the one that
    /// the request names. If it names none, it is an id that no client has, so that a text without a key
    /// costs as many lookups as a key.
    #[must_use]
    pub(crate) fn client_of(found: Option<&ApiKey>, client_id: &str, text: &str) -> Option<ClientId> {
        match found {
            Some(key) => Some(key.client.clone()),
            None if !client_id.is_empty() => ClientId::parse(client_id).ok(),
            None => ClientId::parse(&format!("{}{}", ClientId::RESERVED_PREFIX, id_of(text)?)).ok(),
        }
    }

    /// Checks that the text is this key, that the key is live, and that the tenant's clients may have keys.
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

    /// Finds the live key of this text. Records the attempt if the key has ended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn present(
        &self,
        tenant: &Tenant,
        text: &str,
        source: &ClientAddress,
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

    /// Records that a key was presented after its end: a caller still has it.
    pub fn note_ended(&self, key: &ApiKey, source: &ClientAddress, now: Timestamp) {
        self.ended_presented.fetch_add(1, Ordering::Relaxed);
        self.last_used.note(&key.tenant, &key.id, UseOutcome::Refused, source, now);
    }

    /// Records that a key was used.
    pub fn note_use(&self, key: &ApiKey, source: &ClientAddress, now: Timestamp) {
        self.last_used.note(&key.tenant, &key.id, UseOutcome::Accepted, source, now);
    }
}

/// The name in a text with the right checksum.
fn id_of(text: &str) -> Option<ApiKeyId> {
    ApiKeyId::of_key(text).filter(|_| has_checksum(text))
}
