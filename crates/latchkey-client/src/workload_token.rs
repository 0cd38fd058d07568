//! A token that a platform gives a workload in a file, such as Kubernetes' projected tokens. The workload
//! presents it in place of a secret.

use std::fmt;
use std::path::PathBuf;

use crate::credential::{Attempt, BoxFuture, ClientCredential, CredentialError, Presented};
use crate::secret::Secret;

/// `client_assertion_type` of RFC 7523 §2.2.
pub(crate) const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `client_assertion_type` of a JWT-SVID (draft-ietf-oauth-spiffe-client-auth).
const JWT_SVID: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

/// `grant_type` of RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// An assertion in a file, which is read for each token request. It authenticates the client (RFC 7523 §2.2),
/// or is the grant (§2.1) after [`WorkloadToken::as_grant`].
pub struct WorkloadToken {
    file: Secret,
    /// `client_assertion_type`; none of a grant.
    kind: Option<&'static str>,
}

impl WorkloadToken {
    /// The assertion in this file, such as what Kubernetes projects into a pod.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { file: Secret::file(path), kind: Some(CLIENT_ASSERTION) }
    }

    /// The SPIFFE JWT-SVID in this file.
    pub fn svid(path: impl Into<PathBuf>) -> Self {
        Self { kind: Some(JWT_SVID), ..Self::file(path) }
    }

    /// Presents it as the grant, for servers that take it so.
    #[must_use]
    pub const fn as_grant(mut self) -> Self {
        self.kind = None;
        self
    }
}

impl ClientCredential for WorkloadToken {
    fn present<'a>(&'a self, _: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>> {
        Box::pin(async move {
            let (assertion, version) = self.file.read(true).await?;
            let named = Presented::name_only().version(version);
            Ok(match self.kind {
                Some(kind) => {
                    let typed = named.parameter("client_assertion_type", kind);
                    typed.parameter("client_assertion", assertion.as_str())
                }
                None => named.grant_type(JWT_BEARER).parameter("assertion", assertion.as_str()),
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
