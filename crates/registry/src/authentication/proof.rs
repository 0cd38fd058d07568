//! How a client authenticated.

use std::sync::Arc;

use crate::{ApiKey, CertificateMethod, FederatedProof, SecretId};

/// The credential that authenticated a client. A new client authentication method adds a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A client secret (RFC 6749 §2.3.1).
    Secret(SecretId),
    /// An API key, which narrows the client to its own part.
    ApiKey(Arc<ApiKey>),
    /// A signed assertion (RFC 7523 §2.2).
    Assertion,
    /// An assertion of another issuer, by a rule of the client.
    Federated(Box<FederatedProof>),
    /// Nothing: a public client named itself (RFC 6749 §2.1). Anyone can.
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
