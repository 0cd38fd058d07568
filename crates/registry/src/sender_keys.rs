//! The keys of a request's sender, whose possession was proven. `dpop_proof.rs` and `client_certificate.rs`
//! compare each with the key that a token, a code or a refresh token is bound to.

use protocol::Thumbprint;

/// The proven keys. Each kind of proof enters its thumbprint here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderKeys {
    /// The key of a valid DPoP proof (RFC 9449 §4).
    pub dpop: Option<Thumbprint>,
    /// The certificate of the mutual TLS connection (RFC 8705 §3.1).
    pub certificate: Option<Thumbprint>,
}
