//! A token that a platform gives a workload in a file, such as Kubernetes' projected tokens: what is presented instead of a secret.

use std::fmt;
use std::path::PathBuf;

use crate::credential::{Attempt, BoxFuture, ClientCredential, CredentialError, Presented};
use crate::secret::Secret;

/// `client_assertion_type` of RFC 7523 §2.2.
pub(crate) const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `grant_type` of RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An assertion in a file, which is read for each token request. It is the grant (RFC 7523 §2.1), or the client's authentication after
/// [`WorkloadToken::as_client_assertion`].
pub struct WorkloadToken {
    file: Secret,
    authenticates: bool,
}

impl WorkloadToken {
    /// The assertion in this file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { file: Secret::file(path), authenticates: false }
    }

    /// Presents it as `client_assertion` of the client credentials grant, for servers that know the client by it, such as a SPIFFE JWT-SVID.
    #[must_use]
    pub const fn as_client_assertion(mut self) -> Self {
        self.authenticates = true;
        self
    }
}

impl ClientCredential for WorkloadToken {
    fn present<'a>(&'a self, _: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>> {
        Box::pin(async move {
            let (assertion, version) = self.file.read(true).await?;
            let named = Presented::name_only().version(version);
            Ok(if self.authenticates {
                let typed = named.parameter("client_assertion_type", CLIENT_ASSERTION);
                typed.parameter("client_assertion", assertion.as_str())
            } else {
                named.grant_type(JWT_BEARER).parameter("assertion", assertion.as_str())
            })
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<u64, CredentialError>> {
        self.file.reload()
    }
}

impl fmt::Debug for WorkloadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkloadToken({:?})", self.file)
    }
}
