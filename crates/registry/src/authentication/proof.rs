//! How a client authenticated.

use std::sync::Arc;

use crate::{ApiKey, CertificateMethod, FederatedProof, SecretId};

/// The credential that a client authenticated with. A new authentication method adds a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client secret (RFC 6749 §2.3.1).
    Secret(SecretId),
    /// An API key, which may be restricted to a part of the client's permissions.
    ApiKey(Arc<ApiKey>),
    /// A signed assertion (RFC 7523 §2.2).
    Assertion,
    /// An assertion of another issuer, accepted by a rule of the client.
    Federated(Box<FederatedProof>),
    /// No credential: a public client sent its `client_id` (RFC 6749 §2.1). Anybody can do so.
    Nothing,
    /// A client certificate (RFC 8705 §2).
    Certificate(CertificateMethod),
}

impl Proof {
    #[must_use]
    pub fn api_key(&self) -> Option<&ApiKey> {
        if let Self::ApiKey(key) = self { Some(key) } else { None }
    }
}
