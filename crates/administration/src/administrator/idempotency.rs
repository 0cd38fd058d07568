//! Idempotency keys: the answer of a request is kept, sealed, for the same request of the same actor, which then makes nothing twice
//! (draft-ietf-httpapi-idempotency-key-header).

use aws_lc_rs::digest::{Context as Digest, SHA256};
use keys::SealingContext;
use protocol::{Lifetime, Secret, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenancy::TenantId;

use super::{Administrator, Caller, Idempotency};
use crate::edit::invalid;
use crate::{EditError, IdempotentAnswer};

const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// Where an answer is kept: the caller's key, bound to tenant, actor and operation; and the form of the answer.
pub(super) struct IdempotencyScope<T> {
    tenant: TenantId,
    digest: [u8; 32],
    request: [u8; 32],
    write: fn(&T) -> serde_json::Result<String>,
    read: fn(&[u8]) -> serde_json::Result<T>,
}

impl Administrator {
    /// The answer that is kept under this key.
    pub(super) async fn answered<T>(
        &self,
        scope: Option<&IdempotencyScope<T>>,
        now: Timestamp,
    ) -> Result<Option<T>, EditError> {
        let Some(scope) = scope else { return Ok(None) };
        let found = self.store.find_idempotent_answer(&scope.tenant, &scope.digest, now).await?;
        let Some(answer) = found else { return Ok(None) };
        if answer.request != scope.request {
            return Err(EditError::IdempotencyKeyReused);
        }
        let plain = self.sealer.unseal(&scope.context(), &answer.sealed).await?;
        (scope.read)(&plain).map(Some).map_err(|error| EditError::Unreadable(Box::new(error)))
    }

    /// The answer to keep, for the commit that makes the thing.
    pub(super) async fn seal_answer<T>(
        &self,
        scope: Option<&IdempotencyScope<T>>,
        value: &T,
        now: Timestamp,
    ) -> Result<Option<IdempotentAnswer>, EditError> {
        let Some(scope) = scope else { return Ok(None) };
        // The text has the new secret in it, so it is wiped after use.
        let text = Secret::new((scope.write)(value).expect("documents are plain JSON"));
        let sealed = self.sealer.seal(&scope.context(), text.expose().as_bytes()).await?;
        let IdempotencyScope { tenant, digest, request, .. } = scope;
        let (tenant, expires_at) = (tenant.clone(), now + KEPT);
        Ok(Some(IdempotentAnswer { tenant, key: *digest, request: *request, sealed, expires_at }))
    }
}

impl<T: Serialize + DeserializeOwned> IdempotencyScope<T> {
    /// The scope of the caller's key, if there is one. The answer is kept under `tenant`; `operation` separates its operations.
    pub(super) fn of(caller: &Caller, tenant: &TenantId, operation: &str) -> Result<Option<Self>, EditError> {
        let Some(Idempotency { key, request }) = &caller.idempotency else { return Ok(None) };
        let printable = |byte: u8| (0x20..=0x7e).contains(&byte);
        if !(1..=255).contains(&key.len()) || !key.bytes().all(printable) {
            return Err(invalid("", "an Idempotency-Key is 1 to 255 printable ASCII characters"));
        }
        let mut digest = Digest::new(&SHA256);
        for part in [tenant.as_str(), &caller.authority.actor().name, operation, key] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.finish().as_ref());
        Ok(Some(Self {
            tenant: tenant.clone(),
            digest: bytes,
            request: *request,
            write: |value| serde_json::to_string(value),
            read: |text| serde_json::from_slice(text),
        }))
    }
}

impl<T> IdempotencyScope<T> {
    fn context(&self) -> SealingContext<'_> {
        SealingContext::IdempotentAnswer { tenant: &self.tenant, key: &self.digest }
    }
}
