//! The keys that verify a token: a tenant's key ring, or public keys that were read.

use aws_lc_rs::signature::ParsedPublicKey;
use latchkey_verifier::Algorithm;
use latchkey_verifier::rules::PublicKey;
use values::{Lifetime, Timestamp};

use crate::verified_signatures::{OF_THIS_PROCESS, signed_message};

/// A public key with the one algorithm that it is used with.
#[derive(Clone, Copy)]
pub struct VerificationKey<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) public: &'a ParsedPublicKey,
    /// The thumbprint of a key of this server. Its tokens are presented many times, so a valid signature is
    /// remembered. Tokens of other signers are presented once.
    pub(crate) own: Option<&'a str>,
}

/// Keys of one issuer, by their identifiers.
pub trait VerificationKeys {
    /// The key of this `kid`, if it may have signed by now.
    fn key(&self, kid: &str, skew: Lifetime, now: Timestamp) -> Option<VerificationKey<'_>>;
}

/// A key of others.
impl<'a> From<&'a PublicKey> for VerificationKey<'a> {
    fn from(key: &'a PublicKey) -> Self {
        Self { algorithm: key.algorithm, public: &key.public, own: None }
    }
}

impl VerificationKey<'_> {
    /// Whether the signature over the message is valid by the algorithm of this key, whatever the
    /// token says (RFC 8725 §3.1).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verify = || self.public.verify_sig(message, signature).is_ok();
        match self.own {
            Some(thumbprint) => OF_THIS_PROCESS
                .is_valid(&signed_message(thumbprint, self.algorithm, message, signature), verify),
            None => verify(),
        }
    }
}
