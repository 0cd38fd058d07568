//! The signing algorithm of the tokens.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RS256 with 2048 bits.
    Rs256,
    /// ES256 with P-256.
    Es256,
    /// EdDSA with Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The `alg` value (RFC 7518 §3.1, RFC 8037 §3.1).
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The length of a signature in base64url.
    pub(super) fn signature_length(self) -> usize {
        match self {
            Self::Rs256 => 342,
            Self::Es256 | Self::EdDsa => 86,
        }
    }
}
