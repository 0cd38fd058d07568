//! New private keys: generated or imported, sealed for their tenant and number, and never on a thread that serves requests.

use keys::life_cycle::Announcement;
use keys::{
    GenerationError, ImportedKey, KeyId, KeyRecord, KeySpec, PrivateKeyDocument, SealError, SealingContext,
    SigningKey,
};
use tenancy::TenantId;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::Administrator;
use crate::EditError;

/// A key that belongs nowhere yet.
pub(super) struct KeyMaterial {
    origin: KeyOrigin,
    document: PrivateKeyDocument,
    thumbprint: String,
    /// The number for which it was sealed: who decides again need not ask the sealing service again, and a decision that needs no
    /// service is as young as it can be when it is written.
    sealed: Option<(KeyId, Vec<u8>)>,
}

/// Where a key is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyOrigin {
    /// Made here, as the plan asks for it.
    Made(KeySpec),
    /// Brought by an operator.
    Brought,
}

impl KeyMaterial {
    /// An operator's key; only what is public stays behind.
    pub(super) fn take(imported: &mut ImportedKey) -> Self {
        let nothing = PrivateKeyDocument::from(Zeroizing::default());
        let document = std::mem::replace(&mut imported.pkcs8, nothing);
        Self { origin: KeyOrigin::Brought, document, thumbprint: imported.thumbprint.clone(), sealed: None }
    }

    pub(super) fn origin(&self) -> KeyOrigin {
        self.origin
    }

    /// The RFC 7638 thumbprint of the public key.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The row of this key, as it was announced, if it is sealed for that number.
    pub(super) fn record(&self, announced: Announcement) -> Option<KeyRecord> {
        let Announcement { id, algorithm, announced_at, active_from, .. } = announced;
        let (_, sealed) = self.sealed.as_ref().filter(|(number, _)| *number == id)?;
        Some(KeyRecord {
            id,
            algorithm,
            sealed_private_key: sealed.clone(),
            thumbprint: self.thumbprint.clone(),
            announced_at,
            active_from,
            retiring_from: None,
            removed_at: None,
        })
    }
}

impl Administrator {
    pub(super) async fn make_key(&self, spec: KeySpec) -> Result<KeyMaterial, EditError> {
        let document = self.pool.take(spec).await.map_err(|_: GenerationError| SealError::Failed)?;
        off_the_runtime(move || {
            // The number does not enter the thumbprint, and is not known before all is decided.
            let parsed = SigningKey::parse(KeyId::numbered(1), spec.algorithm, document.expose());
            let thumbprint = parsed.map_err(|_| SealError::Failed)?.thumbprint.clone();
            Ok(KeyMaterial { origin: KeyOrigin::Made(spec), document, thumbprint, sealed: None })
        })
        .await
    }

    /// Seals it for the number that it is to have.
    pub(super) async fn seal_key(
        &self,
        tenant: &TenantId,
        announced: Announcement,
        material: &mut KeyMaterial,
    ) -> Result<(), EditError> {
        let Announcement { id, algorithm, .. } = announced;
        let context = SealingContext::SigningKey { tenant, id, algorithm };
        material.sealed = Some((id, self.sealer.seal(&context, material.document.expose()).await?));
        Ok(())
    }
}

/// Work that takes a core for a while.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EditError> + Send + 'static,
) -> Result<T, EditError> {
    spawn_blocking(work).await.map_err(|_| EditError::Busy)?
}
