//! The keys to verify a token with: a tenant's key ring, or parsed public keys.

use aws_lc_rs::signature::ParsedPublicKey;
use latchkey_verifier::Algorithm;
use latchkey_verifier::rules::PublicKey;
use values::{Lifetime, Timestamp};

use crate::verified_signatures::{OF_THIS_PROCESS, signed_message};

/// A public key with the only algorithm that it may be used with.
#[derive(Clone, Copy)]
pub struct VerificationKey<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) public: &'a ParsedPublicKey,
    /// The thumbprint, for a key of this server. Tokens of this server are presented many times, so valid
    /// signatures are cached. Tokens of others are usually presented once.
    pub(crate) own: Option<&'a str>,
}

pub trait VerificationKeys {
    /// The key with this `kid`, if it may have signed by now.
    fn key(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<VerificationKey<'_>>;
}

/// A key of another party.
impl<'a> From<&'a PublicKey> for VerificationKey<'a> {
    fn from(key: &'a PublicKey) -> Self {
        Self { algorithm: key.algorithm, public: &key.public, own: None }
    }
}

impl VerificationKey<'_> {
    /// Whether the signature is valid for the message with this key's algorithm. The algorithm in the token
    /// does not matter (RFC 8725 §3.1).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verify = || self.public.verify_sig(message, signature).is_ok();
        match self.own {
            Some(thumbprint) => OF_THIS_PROCESS
                .is_valid(&signed_message(thumbprint, self.algorithm, message, signature), verify),
            None => verify(),
        }
    }
}
