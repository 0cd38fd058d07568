//! Idempotency keys. The answer to a request is sealed and stored. If the same actor repeats the request, it
//! gets the stored answer and nothing is created twice (draft-ietf-httpapi-idempotency-key-header).

use keys::SealingContext;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenancy::TenantId;
use values::{Lifetime, Secret, Timestamp};

use super::{Administrator, Idempotency, InTenant};
use crate::declaration::fingerprint::digest;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::store::IdempotentAnswer;

const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// The key under which an answer is stored: the caller's key, bound to tenant, actor and operation. The
/// result has a fixed length.
pub(super) struct IdempotencyScope<T> {
    tenant: TenantId,
    digest: [u8; 32],
    request: [u8; 32],
    write: fn(&T) -> serde_json::Result<String>,
    read: fn(&[u8]) -> serde_json::Result<T>,
}

impl Administrator {
    /// The stored answer of this key.
    pub(super) async fn answered<T>(
        &self,
        scope: Option<&IdempotencyScope<T>>,
        now: Timestamp,
    ) -> Edited<Option<T>> {
        let Some(scope) = scope else { return Ok(None) };
        let found = self.store.find_idempotent_answer(&scope.tenant, &scope.digest, now).await?;
        let Some(answer) = found else { return Ok(None) };
        if answer.request != scope.request {
            return Err(EditError::IdempotencyKeyReused);
        }
        let plain = self.sealer.unseal(&scope.context(), &answer.sealed).await?;
        (scope.read)(&plain).map(Some).map_err(|error| EditError::Unreadable(Box::new(error)))
    }

    /// The answer to store, for the commit that creates the row.
    pub(super) async fn seal_answer<T>(
        &self,
        scope: Option<&IdempotencyScope<T>>,
        value: &T,
        now: Timestamp,
    ) -> Edited<Option<IdempotentAnswer>> {
        let Some(scope) = scope else { return Ok(None) };
        // The text contains the new secret, so it is wiped after use.
        let text = Secret::new((scope.write)(value).expect("documents are plain JSON"));
        let sealed = self.sealer.seal(&scope.context(), text.expose().as_bytes()).await?;
        let IdempotencyScope { tenant, digest, request, .. } = scope;
        let (tenant, expires_at) = (tenant.clone(), now + KEPT);
        Ok(Some(IdempotentAnswer { tenant, key: *digest, request: *request, sealed, expires_at }))
    }
}

impl InTenant<'_> {
    /// The scope of the caller's key, if the caller sent one. `operation` separates the answers of different
    /// operations of one tenant.
    pub(super) fn idempotency<T: Serialize + DeserializeOwned>(
        &self,
        operation: &str,
    ) -> Option<IdempotencyScope<T>> {
        let Self { caller, tenant, .. } = *self;
        let Idempotency { key, request } = caller.idempotency.as_ref()?;
        let parts = [tenant.as_str(), &caller.authority.actor().name, operation, key];
        Some(IdempotencyScope {
            tenant: tenant.clone(),
            digest: digest(parts.map(str::as_bytes)),
            request: *request,
            write: |value| serde_json::to_string(value),
            read: |text| serde_json::from_slice(text),
        })
    }
}

impl<T> IdempotencyScope<T> {
    fn context(&self) -> SealingContext<'_> {
        SealingContext::IdempotentAnswer { tenant: &self.tenant, key: &self.digest }
    }
}
