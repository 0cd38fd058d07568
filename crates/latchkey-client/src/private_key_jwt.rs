//! A client that authenticates with an assertion that it signs (`private_key_jwt`, RFC 7523 §2.2).

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::credential::{Attempt, BoxFuture, ClientCredential, CredentialError, Presented};
use crate::secret::Secret;
use crate::signing_key::{Algorithm, AssertionKey, new_jti};
use crate::workload_token::CLIENT_ASSERTION;

/// How long an assertion is valid.
const SECONDS: u64 = 60;

/// A private key, in PEM or as a JWK. Each attempt signs a new assertion for the issuer, or for the token
/// endpoint of a source without one.
pub struct PrivateKeyJwt {
    text: Secret,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    /// The key of this version of the text.
    parsed: Mutex<Option<(u64, Arc<AssertionKey>)>>,
}

impl PrivateKeyJwt {
    /// The key in a file, which is read again when it was changed.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::from_text(Secret::file(path))
    }

    /// This key.
    pub fn value(text: impl Into<String>) -> Self {
        Self::from_text(Secret::value(text))
    }

    /// The key at any place that a [`Secret`] can be at.
    pub const fn from_text(text: Secret) -> Self {
        Self { text, kid: None, algorithm: None, parsed: Mutex::new(None) }
    }

    /// The `kid` of the header. A JWK contains its own.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The algorithm, if the key fits several: RSA keys sign with RS256 unless this, or `alg` of a JWK, says
    /// PS256.
    #[must_use]
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    async fn key(&self) -> Result<(Arc<AssertionKey>, u64), CredentialError> {
        let (text, version) = self.text.read(false).await?;
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*parsed {
            Some((of, key)) if *of == version => Ok((Arc::clone(key), version)),
            _ => {
                let key = Arc::new(AssertionKey::parse(&text)?);
                *parsed = Some((version, Arc::clone(&key)));
                Ok((key, version))
            }
        }
    }

    /// An assertion of the client for this audience, which is the issuer or its token endpoint. For requests
    /// that no [`TokenSource`](crate::TokenSource) sends.
    ///
    /// # Errors
    /// When the key cannot be read or used.
    pub async fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<String, CredentialError> {
        self.signed(&self.key().await?.0, client_id, audience, now)
    }

    fn signed(
        &self,
        key: &AssertionKey,
        client_id: &str,
        audience: &str,
        now: SystemTime,
    ) -> Result<String, CredentialError> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut header = json!({ "typ": "JWT" });
        if let Some(kid) = self.kid.as_deref().or(key.kid()) {
            header["kid"] = json!(kid);
        }
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + SECONDS,
            "jti": new_jti()?,
        });
        key.sign(key.algorithm(self.algorithm)?, header, &claims)
    }
}

impl ClientCredential for PrivateKeyJwt {
    fn present<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>> {
        Box::pin(async move {
            let (key, version) = self.key().await?;
            let audience = attempt.issuer.unwrap_or(attempt.token_endpoint.as_str());
            let assertion = self.signed(&key, attempt.client_id, audience, attempt.now)?;
            let presented = Presented::name_only().parameter("client_assertion_type", CLIENT_ASSERTION);
            Ok(presented.parameter("client_assertion", assertion).version(version))
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<u64, CredentialError>> {
        self.text.reload()
    }

    fn depends_on_time(&self) -> bool {
        true
    }
}

impl fmt::Debug for PrivateKeyJwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKeyJwt({:?})", self.text)
    }
}
