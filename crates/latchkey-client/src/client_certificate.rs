//! A client that authenticates with a certificate on its connections (RFC 8705 §2), or whose tokens are bound
//! to one (§3).

use std::fmt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::credential::{Attempt, BoxFuture, CertificatePem, ClientCredential, CredentialError, Presented};
use crate::secret::Secret;

/// A client certificate with its private key. The client sends its `client_id`, to the endpoint that the
/// metadata has for certificates (`mtls_endpoint_aliases`).
///
/// Both are in PEM: the client's own certificate first, then those between it and its authority. Files are
/// read again after a change. A token belongs to the certificate that it was requested with: see
/// [`crate::AccessToken::http_client`].
pub struct ClientCertificate {
    certificates: Secret,
    /// The key, if it is not beside the certificates.
    key: Option<Secret>,
    /// The credential that authenticates the client, if the certificate does not.
    beside: Option<Box<dyn ClientCredential>>,
}

impl ClientCertificate {
    /// Certificates and key in one file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::from_text(Secret::file(path))
    }

    /// Certificates and key in two files.
    pub fn files(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { key: Some(Secret::file(key)), ..Self::file(certificates) }
    }

    /// Certificates and key in one text, from any place that a [`Secret`] can have.
    pub const fn from_text(text: Secret) -> Self {
        Self { certificates: text, key: None, beside: None }
    }

    /// Authenticates the client with another credential, such as a `PrivateKeyJwt`. The certificate then only
    /// binds the tokens.
    #[must_use]
    pub fn beside(mut self, credential: impl ClientCredential + 'static) -> Self {
        self.beside = Some(Box::new(credential));
        self
    }

    async fn pem(&self) -> Result<CertificatePem, CredentialError> {
        let (certificates, mut version) = self.certificates.read(false).await?;
        let Some(key) = &self.key else {
            return Ok(CertificatePem::new(certificates.as_bytes()).version(version));
        };
        let (key, of_key) = key.read(false).await?;
        version = version.wrapping_add(of_key);
        let text = Zeroizing::new([certificates.as_bytes(), b"\n", key.as_bytes()].concat());
        Ok(CertificatePem { text, version })
    }
}

impl ClientCredential for ClientCertificate {
    fn present<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>> {
        match &self.beside {
            Some(credential) => credential.present(attempt),
            None => Box::pin(async { Ok(Presented::name_only()) }),
        }
    }

    fn certificate(&self) -> BoxFuture<'_, Result<Option<CertificatePem>, CredentialError>> {
        Box::pin(async { self.pem().await.map(Some) })
    }

    fn reload(&self) -> BoxFuture<'_, Result<u64, CredentialError>> {
        Box::pin(async {
            let mut version = self.certificates.reload().await?;
            if let Some(key) = &self.key {
                version = version.wrapping_add(key.reload().await?);
            }
            if let Some(credential) = &self.beside {
                version = version.wrapping_add(credential.reload().await?);
            }
            Ok(version)
        })
    }

    fn depends_on_time(&self) -> bool {
        self.beside.as_ref().is_some_and(|credential| credential.depends_on_time())
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({:?}", self.certificates)?;
        match &self.key {
            Some(key) => write!(f, ", {key:?})"),
            None => f.write_str(")"),
        }
    }
}
