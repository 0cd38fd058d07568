//! The keys whose possession the sender of a request has proved. `dpop/proof.rs` and `client_certificate.rs`
//! compare them with the key that a token, code or refresh token is bound to.

use protocol::Thumbprint;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderKeys {
    /// The key of a valid DPoP proof (RFC 9449 §4).
    pub dpop: Option<Thumbprint>,
    /// The certificate of the mutual TLS connection (RFC 8705 §3.1).
    pub certificate: Option<Thumbprint>,
}
