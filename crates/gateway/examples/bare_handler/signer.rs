//! The only signing key of the bare handler, kept in a file.

use std::error::Error;
use std::fs;
use std::path::Path;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};

pub(crate) enum Signer {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    /// Creates file and key if the file does not exist.
    pub(crate) fn open(algorithm: &str, file: &Path) -> Result<Self, Box<dyn Error>> {
        if !file.exists() {
            fs::write(file, generate(algorithm)?)?;
        }
        let pkcs8 = fs::read(file)?;
        Ok(match algorithm {
            "RS256" => Self::Rs256(RsaKeyPair::from_pkcs8(&pkcs8)?),
            "ES256" => Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8)?),
            _ => Self::EdDsa(Ed25519KeyPair::from_pkcs8(&pkcs8)?),
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

/// In PKCS #8.
fn generate(algorithm: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(match algorithm {
        "RS256" => RsaKeyPair::generate(KeySize::Rsa2048)?.as_der()?.as_ref().to_vec(),
        "ES256" => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?.to_pkcs8v1()?.as_ref().to_vec(),
        "EdDSA" => Ed25519KeyPair::generate()?.to_pkcs8()?.as_ref().to_vec(),
        other => return Err(format!("no signer for {other}").into()),
    })
}
