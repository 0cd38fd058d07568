//! How a client authenticated.

use std::sync::Arc;

use crate::{ApiKey, CertificateMethod, FederatedProof, SecretId};

/// The credential that authenticated a client. A new client authentication method adds a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client secret (RFC 6749 §2.3.1).
    Secret(SecretId),
    /// An API key. It may use a part of what the client may use.
    ApiKey(Arc<ApiKey>),
    /// A signed assertion (RFC 7523 §2.2).
    Assertion,
    /// An assertion of another issuer, by a rule of the client.
    Federated(Box<FederatedProof>),
    /// No credential: a public client sent its `client_id` (RFC 6749 §2.1). Any caller can do so.
    Nothing,
    /// A client certificate (RFC 8705 §2).
    Certificate(CertificateMethod),
}

impl Proof {
    /// The API key, if that is the proof.
    #[must_use]
    pub fn api_key(&self) -> Option<&ApiKey> {
        if let Self::ApiKey(key) = self { Some(key) } else { None }
    }
}
