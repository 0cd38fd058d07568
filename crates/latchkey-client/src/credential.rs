//! How a client authenticates: the trait of all kinds of credentials, and the parameters that they add to a
//! token request.

use std::error::Error;
use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use reqwest::Url;
use zeroize::Zeroizing;

/// A future on the heap, as object-safe traits need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A credential of a client. This crate has several; implement the trait for another one.
pub trait ClientCredential: Send + Sync {
    /// The values that this attempt presents. Each attempt calls it anew, so that a value for a single use is
    /// never sent twice.
    fn present<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Presented, CredentialError>>;

    /// The certificate that connections present (RFC 8705), if the credential has one. Each attempt calls it
    /// anew; connections are opened anew when its version changes.
    fn certificate(&self) -> BoxFuture<'_, Result<Option<CertificatePem>, CredentialError>> {
        Box::pin(ready(Ok(None)))
    }

    /// Reads the credential again after the server refused it, and returns its version. If the version
    /// differs from the presented one ([`Presented::version`], plus [`CertificatePem::version`] if there is a
    /// certificate), the request is sent again at once.
    fn reload(&self) -> BoxFuture<'_, Result<u64, CredentialError>> {
        Box::pin(ready(Ok(0)))
    }

    /// Whether [`Attempt::now`] is part of the presented values. If a server with another clock refuses them,
    /// the request is repeated once with the server's time.
    fn depends_on_time(&self) -> bool {
        false
    }
}

/// The request for which a credential is presented.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The client's name.
    pub client_id: &'a str,
    /// The URL of the request.
    pub token_endpoint: &'a Url,
    /// The issuer, if the source was given it.
    pub issuer: Option<&'a str>,
    /// The time, as the server has it.
    pub now: SystemTime,
}

/// The values that a credential adds to a token request.
#[derive(Default)]
pub struct Presented {
    pub(crate) basic: Option<(String, Zeroizing<String>)>,
    pub(crate) parameters: Vec<(&'static str, Zeroizing<String>)>,
    pub(crate) grant_type: Option<&'static str>,
    pub(crate) names_client: bool,
    pub(crate) version: u64,
}

impl Presented {
    /// The client's name as a parameter, and nothing that proves it.
    pub fn name_only() -> Self {
        Self { names_client: true, ..Self::default() }
    }

    /// `Authorization: Basic` with name and secret, encoded by RFC 6749 §2.3.1.
    pub fn basic(client_id: &str, secret: &str) -> Self {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        Self { basic: Some((encoded(client_id), Zeroizing::new(encoded(secret)))), ..Self::default() }
    }

    /// Adds a parameter of the form.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, Zeroizing::new(value.into())));
        self
    }

    /// Replaces `client_credentials`.
    #[must_use]
    pub const fn grant_type(mut self, grant_type: &'static str) -> Self {
        self.grant_type = Some(grant_type);
        self
    }

    /// The version of the credential, as [`ClientCredential::reload`] counts them.
    #[must_use]
    pub const fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented([redacted])")
    }
}

/// A client certificate with its private key.
pub struct CertificatePem {
    pub(crate) text: Zeroizing<Vec<u8>>,
    pub(crate) version: u64,
}

impl CertificatePem {
    /// A certificate in PEM: the certificate itself, those between it and its authority, and the key.
    pub fn new(pem: impl Into<Vec<u8>>) -> Self {
        Self { text: Zeroizing::new(pem.into()), version: 0 }
    }

    /// The version of the certificate. Another certificate or key has another version.
    #[must_use]
    pub const fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }
}

impl fmt::Debug for CertificatePem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificatePem([redacted])")
    }
}

/// Why a credential cannot be read or used. The message names the place and never the credential.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub struct CredentialError {
    what: String,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl CredentialError {
    /// An error with this message, which names no secret.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded() {
        let presented = Presented::basic("my client", "a:b+c%");
        let (id, secret) = presented.basic.as_ref().unwrap();
        assert_eq!((id.as_str(), secret.as_str()), ("my+client", "a%3Ab%2Bc%25"));
        assert_eq!(format!("{presented:?}"), "Presented([redacted])");
    }
}
