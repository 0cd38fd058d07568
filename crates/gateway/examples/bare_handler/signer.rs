//! The one signing key of the bare handler.

use std::error::Error;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};

pub(crate) enum Signer {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    pub(crate) fn new(algorithm: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match algorithm {
            "RS256" => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048)?),
            "ES256" => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            "EdDSA" => Self::EdDsa(Ed25519KeyPair::generate()?),
            other => return Err(format!("no signer for {other}").into()),
        })
    }

    pub(crate) fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).ok()?;
                Some(signature)
            }
            Self::Es256(pair) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
            Self::EdDsa(pair) => Some(pair.sign(input).as_ref().to_vec()),
        }
    }
}
