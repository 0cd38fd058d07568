//! A parsed key of a tenant, of either use.

use std::sync::Arc;

use crate::token_key::TokenKey;
use crate::{KeyAlgorithm, KeyId, KeyRejected, SigningKey};

#[derive(Clone, Debug, derive_more::From)]
pub enum TenantKey {
    Signing(Arc<SigningKey>),
    OpaqueTokens(Arc<TokenKey>),
}

impl TenantKey {
    /// Parses the private document of a row.
    ///
    /// # Errors
    /// [`KeyRejected`], whose message contains nothing of the document.
    pub fn parse(id: KeyId, algorithm: KeyAlgorithm, document: &[u8]) -> Result<Self, KeyRejected> {
        Ok(match algorithm {
            KeyAlgorithm::Signing(algorithm) => Arc::new(SigningKey::parse(id, algorithm, document)?).into(),
            KeyAlgorithm::OpaqueTokens => Arc::new(TokenKey::parse(id, document)?).into(),
        })
    }

    #[must_use]
    pub fn id(&self) -> KeyId {
        match self {
            Self::Signing(key) => key.id(),
            Self::OpaqueTokens(key) => key.id,
        }
    }

    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Signing(key) => key.algorithm().into(),
            Self::OpaqueTokens(_) => KeyAlgorithm::OpaqueTokens,
        }
    }

    /// The SHA-256 thumbprint of the public half (RFC 7638), or for a key without one the digest of the key.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        match self {
            Self::Signing(key) => &key.thumbprint,
            Self::OpaqueTokens(key) => &key.thumbprint,
        }
    }

    /// `None` for a key that has no public half.
    #[must_use]
    pub fn signing(&self) -> Option<&Arc<SigningKey>> {
        match self {
            Self::Signing(key) => Some(key),
            Self::OpaqueTokens(_) => None,
        }
    }

    /// `None` for a key that signs.
    #[must_use]
    pub fn opaque_tokens(&self) -> Option<&Arc<TokenKey>> {
        match self {
            Self::Signing(_) => None,
            Self::OpaqueTokens(key) => Some(key),
        }
    }

    /// The required members of the public JWK.
    #[must_use]
    pub fn public_jwk(&self) -> Option<String> {
        Some(self.signing()?.jwk.parameters.required_members())
    }
}
