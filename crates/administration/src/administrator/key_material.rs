//! New private keys: generates or imports them, and seals them for their tenant and number. The work runs
//! outside the threads that serve requests.

use keys::life_cycle::Announcement;
use keys::{
    GenerationError, ImportedKey, KeyId, KeyRecord, KeySpec, PrivateKeyDocument, SealError, SealingContext,
    TenantKey,
};
use tenancy::{KidForm, TenantId};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::Administrator;
use crate::edit::EditError;
use crate::edit::Edited;

/// A key that is not stored yet.
pub(super) struct KeyMaterial {
    /// What the key was generated for. `None` for an imported key.
    generated: Option<KeySpec>,
    document: PrivateKeyDocument,
    thumbprint: String,
    /// Its public half, if it has one.
    public_jwk: Option<String>,
    /// The number for which the key was sealed, and the sealed key. A decision that is repeated uses them
    /// again and does not wait for the sealing service.
    sealed: Option<(KeyId, Vec<u8>)>,
}

impl KeyMaterial {
    /// Takes the private half out of the imported key, and leaves the public half there.
    pub(super) fn take(imported: &mut ImportedKey) -> Self {
        let nothing = PrivateKeyDocument::from(Zeroizing::default());
        let document = std::mem::replace(&mut imported.pkcs8, nothing);
        let (thumbprint, public_jwk) = (imported.thumbprint.clone(), Some(imported.public_jwk.clone()));
        Self { generated: None, document, thumbprint, public_jwk, sealed: None }
    }

    fn fits(&self, announced: Announcement) -> bool {
        self.generated.is_none_or(|spec| spec == announced.spec())
    }

    /// The RFC 7638 thumbprint of the public key.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The row of the announced key, if the key is sealed for the announced number.
    pub(super) fn record(&self, announced: Announcement, kid: KidForm) -> Option<KeyRecord> {
        let Announcement { id, algorithm, announced_at, active_from, shown, .. } = announced;
        let (_, sealed) = self.sealed.as_ref().filter(|(number, _)| *number == id && self.fits(announced))?;
        Some(KeyRecord {
            id: id.named(algorithm, kid, &self.thumbprint),
            algorithm,
            sealed_private_key: sealed.clone(),
            thumbprint: self.thumbprint.clone(),
            public_jwk: self.public_jwk.clone(),
            announced_at,
            active_from,
            retiring_from: None,
            removed_at: None,
            shown,
        })
    }
}

impl Administrator {
    /// Returns the announced key, sealed for its number. Uses `before` again if it fits, and otherwise
    /// generates a key.
    pub(super) async fn prepare_key(
        &self,
        tenant: &TenantId,
        announced: Announcement,
        before: Option<KeyMaterial>,
    ) -> Edited<KeyMaterial> {
        let mut material = match before.filter(|material| material.fits(announced)) {
            Some(material) => material,
            None => self.generate_key(tenant, announced.spec()).await?,
        };
        let Announcement { id, algorithm, .. } = announced;
        let context = SealingContext::SigningKey { tenant, id, algorithm };
        material.sealed = Some((id, self.sealer.seal(&context, material.document.expose()).await?));
        Ok(material)
    }

    async fn generate_key(&self, tenant: &TenantId, spec: KeySpec) -> Edited<KeyMaterial> {
        let document = self.pool.take(tenant, spec).await.map_err(|_: GenerationError| SealError::Failed)?;
        off_the_runtime(move || {
            // The thumbprint does not depend on the number, which is unknown until the change is decided.
            let parsed = TenantKey::parse(KeyId::numbered(1), spec.algorithm, document.expose());
            let parsed = parsed.map_err(|_| SealError::Failed)?;
            let (thumbprint, public_jwk) = (parsed.thumbprint().to_owned(), parsed.public_jwk());
            Ok(KeyMaterial { generated: Some(spec), document, thumbprint, public_jwk, sealed: None })
        })
        .await
    }
}

/// Runs work that keeps a core busy on a thread that serves no requests.
pub(super) async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Edited<T> + Send + 'static,
) -> Edited<T> {
    spawn_blocking(work).await.map_err(|_| EditError::Busy)?
}
