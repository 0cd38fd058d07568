//! The key that a token is bound to. With it, the sender of a request proves that the token is its own.

use std::sync::Arc;
use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::credential::CredentialError;

/// The header of a proof (RFC 9449 §4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The error code of a server that wants its nonce in the proof (RFC 9449 §8, §9).
pub(crate) const USE_DPOP_NONCE: &str = "use_dpop_nonce";

/// Makes the key of a source.
pub(crate) type NewBinding = fn() -> Result<Arc<dyn Binding>, CredentialError>;

/// A key that makes proofs.
pub(crate) trait Binding: Send + Sync {
    /// A new proof for one request, and for the token that it carries.
    fn proof(
        &self,
        method: &str,
        url: &Url,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<HeaderValue, CredentialError>;

    /// Stores the nonce of an answer for the next proof at its origin. Returns whether it differs from the
    /// previous one.
    fn note_nonce(&self, url: &Url, headers: &HeaderMap) -> bool;
}
