//! Idempotency keys: what a request has made is answered again, sealed, to the same request of the same actor, and it makes nothing
//! twice (draft-ietf-httpapi-idempotency-key-header).

use aws_lc_rs::digest::{Context as Digest, SHA256};
use keys::SealingContext;
use protocol::{Lifetime, Secret, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenancy::TenantId;

use super::commit_with_retry::{ATTEMPTS, EditRequest, pause};
use super::{Administrator, Created, Idempotency};
use crate::edit::{Edit, EditContext, Facts, invalid};
use crate::{Authority, EditError, IdempotentAnswer};

const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// Under which an answer is kept: the caller's key, bound to tenant, actor and operation.
#[derive(Clone)]
pub(super) struct IdempotencyScope {
    tenant: TenantId,
    digest: [u8; 32],
    request: [u8; 32],
}

impl Administrator {
    /// As [`Administrator::commit_with_retry`]; with a key, whatever was made under it before is answered instead. The answer is written in
    /// the commit that makes the thing, so there is no moment in which only one of them is there.
    pub(super) async fn commit_idempotently<T: Serialize + DeserializeOwned + Send>(
        &self,
        edit_request: EditRequest<'_>,
        idempotency_scope: Option<IdempotencyScope>,
        mut decide: impl FnMut(EditContext<'_>, &Facts) -> Result<(Edit, T), EditError> + Send,
    ) -> Result<Created<T>, EditError> {
        let _guard = self.tenant_locks.take(edit_request.tenant).await;
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            if let Some(value) = self.answered(idempotency_scope.as_ref(), edit_request.now).await? {
                return Ok(Created { value, replayed: true });
            }
            let facts = self.load(edit_request).await?;
            let (edit, value) = decide(self.context(edit_request.by, edit_request.now), &facts)?;
            let idempotent = match &idempotency_scope {
                Some(key) => Some(self.seal_answer(key, &value, edit_request.now).await?),
                None => None,
            };
            if self.commit(edit_request, &facts, edit, idempotent).await? {
                return Ok(Created { value, replayed: false });
            }
        }
        Err(EditError::Contended)
    }

    /// What was made under this key before.
    pub(super) async fn answered<T: DeserializeOwned>(
        &self,
        idempotency_scope: Option<&IdempotencyScope>,
        now: Timestamp,
    ) -> Result<Option<T>, EditError> {
        let Some(key) = idempotency_scope else { return Ok(None) };
        let found = self.store.find_idempotent_answer(&key.tenant, &key.digest, now).await?;
        let Some(answer) = found else { return Ok(None) };
        if answer.request != key.request {
            return Err(EditError::IdempotencyKeyReused);
        }
        let plain = self.sealer.unseal(&key.context(), &answer.sealed).await?;
        let read = serde_json::from_slice(&plain);
        read.map(Some).map_err(|error| EditError::Unreadable(Box::new(error)))
    }

    /// For the commit that makes it.
    pub(super) async fn seal_answer<T: Serialize>(
        &self,
        key: &IdempotencyScope,
        value: &T,
        now: Timestamp,
    ) -> Result<IdempotentAnswer, EditError> {
        // The text holds the new secret, so it is wiped after use.
        let text = Secret::new(serde_json::to_string(value).expect("documents are plain JSON"));
        let sealed = self.sealer.seal(&key.context(), text.expose().as_bytes()).await?;
        let IdempotencyScope { tenant, digest, request } = key.clone();
        Ok(IdempotentAnswer { tenant, key: digest, request, sealed, expires_at: now + KEPT })
    }
}

impl IdempotencyScope {
    /// `place` is the tenant under which the answer is kept; `operation` distinguishes two operations of the same tenant.
    pub(super) fn of(
        by: &Authority,
        place: &TenantId,
        operation: &str,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Self>, EditError> {
        let Some(Idempotency { key, request }) = idempotency else { return Ok(None) };
        let printable = |byte: u8| (0x20..=0x7e).contains(&byte);
        if !(1..=255).contains(&key.len()) || !key.bytes().all(printable) {
            return Err(invalid("", "an Idempotency-Key is 1 to 255 printable ASCII characters"));
        }
        let mut digest = Digest::new(&SHA256);
        for part in [place.as_str(), &by.actor().name, operation, key] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.finish().as_ref());
        Ok(Some(Self { tenant: place.clone(), digest: bytes, request: *request }))
    }

    fn context(&self) -> SealingContext<'_> {
        SealingContext::IdempotentAnswer { tenant: &self.tenant, key: &self.digest }
    }
}
