//! Password hashes of other systems: argon2, scrypt and PBKDF2 in PHC string format, and bcrypt. After the
//! first successful check, a hash of this server replaces the imported hash. A hash that is too expensive to
//! check is refused. The limit for imports is lower than the limit for checks.

mod cost;
mod phc;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params as Argon2Params, Version};
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use derive_more::Display;
use scrypt::Params as ScryptParams;
use subtle::ConstantTimeEq as _;
use values::{DeserializeFromStr, Secret, SerializeDisplay};
use zeroize::Zeroizing;

use self::cost::{ARGON2_BOUND, BCRYPT_BOUND, PBKDF2_BOUND, SCRYPT_BOUND, filled, mixed};
use self::phc::Phc;
use crate::password_hash::OutOfMemory;

/// The maximum memory of argon2, and of one scrypt lane, in KiB.
const MOST_MEMORY: u64 = 256 * 1024;
/// The maximum of memory times passes for argon2, in KiB.
const MOST_FILLED: u64 = 4 * MOST_MEMORY;
/// The maximum number of scrypt lanes, which are computed one after another.
const MOST_LANES: u32 = 4;
/// The maximum number of PBKDF2 rounds over all blocks of the digest.
const MOST_ROUNDS: u32 = 1_000_000;
const MOST_BCRYPT_COST: u32 = 14;

/// The number of bytes that bcrypt uses, including a zero byte at the end of the password.
const BCRYPT_BYTES: usize = 72;

/// Allows trailing bits, because some implementations leave bits set after the last byte of a salt.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// A hash of another system, in its original form. Must not be logged.
#[derive(Clone, derive_more::Debug, Display, PartialEq, Eq, SerializeDisplay, DeserializeFromStr)]
#[debug("ForeignHash([redacted])")]
#[display("{text}")]
pub struct ForeignHash {
    text: String,
    function: Function,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Argon2 { algorithm: Algorithm, version: Version, memory: u32, passes: u32, lanes: u32 },
    Scrypt { log_n: u8, block_size: u32, lanes: u32 },
    Pbkdf2 { digest: Pbkdf2Digest, rounds: NonZeroU32 },
    Bcrypt { cost: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pbkdf2Digest {
    Sha256,
    Sha512,
}

/// Why a hash is refused. The message does not contain the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHashError {
    /// The prefix is not that of a supported function.
    #[error("is not a hash of argon2id, argon2i, scrypt, pbkdf2-sha256, pbkdf2-sha512 or bcrypt")]
    Unknown,
    /// The hash does not have the format of its function.
    #[error("is not a well-formed {0} hash")]
    Malformed(&'static str),
    #[error("is too expensive to check: {0}")]
    TooCostly(&'static str),
}

impl ForeignHash {
    /// Whether this is the hash of the password. May take seconds of a core, so requests must use
    /// [`crate::HashPool`].
    ///
    /// # Errors
    /// [`OutOfMemory`].
    pub fn verify(&self, password: &Secret) -> Result<bool, OutOfMemory> {
        let mut computed = Zeroizing::new(vec![0; self.digest.len()]);
        self.function.compute(password.expose().as_bytes(), &self.salt, &mut computed)?;
        Ok(computed.ct_eq(&self.digest).into())
    }
}

impl Function {
    fn compute(self, password: &[u8], salt: &[u8], digest: &mut [u8]) -> Result<(), OutOfMemory> {
        match self {
            Self::Argon2 { algorithm, version, memory, passes, lanes } => {
                let parameters = Argon2Params::new(memory, passes, lanes, Some(digest.len()));
                let parameters = parameters.map_err(|_| OutOfMemory)?;
                let mut blocks = Vec::new();
                blocks.try_reserve_exact(parameters.block_count()).map_err(|_| OutOfMemory)?;
                blocks.resize(parameters.block_count(), Block::default());
                let argon2 = Argon2::new(algorithm, version, parameters);
                argon2
                    .hash_password_into_with_memory(password, salt, digest, &mut blocks)
                    .map_err(|_| OutOfMemory)
            }
            Self::Scrypt { log_n, block_size, lanes } => {
                let parameters = ScryptParams::new(log_n, block_size, lanes).map_err(|_| OutOfMemory)?;
                scrypt::scrypt(password, salt, &parameters, digest).map_err(|_| OutOfMemory)
            }
            Self::Pbkdf2 { digest: function, rounds } => {
                pbkdf2::derive(function.algorithm(), rounds, salt, password, digest);
                Ok(())
            }
            Self::Bcrypt { cost } => {
                let mut text = Zeroizing::new([0; BCRYPT_BYTES]);
                let taken = password.len().min(BCRYPT_BYTES);
                text[..taken].copy_from_slice(&password[..taken]);
                let end = (taken + 1).min(BCRYPT_BYTES);
                let salt = salt.try_into().map_err(|_| OutOfMemory)?;
                let computed = Zeroizing::new(bcrypt::bcrypt(cost, salt, &text[..end]));
                // The text format has no room for the last byte.
                digest.copy_from_slice(&computed[..digest.len()]);
                Ok(())
            }
        }
    }
}

impl Pbkdf2Digest {
    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    /// Rounds times the number of blocks in the digest.
    fn rounds(self, rounds: NonZeroU32, digest: &[u8]) -> u32 {
        let blocks = u32::try_from(digest.len().div_ceil(self.block())).unwrap_or(u32::MAX);
        rounds.get().saturating_mul(blocks)
    }

    const fn block(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl FromStr for ForeignHash {
    type Err = ForeignHashError;

    fn from_str(text: &str) -> Result<Self, ForeignHashError> {
        let rest = text.strip_prefix('$').ok_or(ForeignHashError::Unknown)?;
        let (name, rest) = rest.split_once('$').ok_or(ForeignHashError::Unknown)?;
        let (function, salt, digest) = match name {
            "argon2id" => argon2(Algorithm::Argon2id, "argon2id", rest)?,
            "argon2i" => argon2(Algorithm::Argon2i, "argon2i", rest)?,
            "scrypt" => self::scrypt(rest)?,
            "pbkdf2-sha256" => self::pbkdf2(Pbkdf2Digest::Sha256, "pbkdf2-sha256", rest)?,
            "pbkdf2-sha512" => self::pbkdf2(Pbkdf2Digest::Sha512, "pbkdf2-sha512", rest)?,
            "2a" | "2b" | "2y" => bcrypt(rest)?,
            _ => return Err(ForeignHashError::Unknown),
        };
        Ok(Self { text: text.to_owned(), function, salt, digest })
    }
}

type Parts = (Function, Vec<u8>, Vec<u8>);

/// `v=19$m=65536,t=3,p=4$salt$digest`. Without `v`, the version is 1.0.
fn argon2(algorithm: Algorithm, name: &'static str, rest: &str) -> Result<Parts, ForeignHashError> {
    let malformed = || ForeignHashError::Malformed(name);
    let (version, rest) = match rest.strip_prefix("v=").map(|rest| rest.split_once('$')) {
        Some(Some(("19", rest))) => (Version::V0x13, rest),
        Some(Some(("16", rest))) => (Version::V0x10, rest),
        Some(_) => return Err(malformed()),
        None => (Version::V0x10, rest),
    };
    let phc = Phc::read(rest).ok_or_else(malformed)?;
    let [memory, passes, lanes] = phc.numbers(["m", "t", "p"]).ok_or_else(malformed)?;
    if u64::from(memory) > MOST_MEMORY || filled(memory, passes) > MOST_FILLED {
        return Err(ForeignHashError::TooCostly(ARGON2_BOUND));
    }
    Argon2Params::new(memory, passes, lanes, Some(phc.digest.len())).map_err(|_| malformed())?;
    if phc.salt.len() < argon2::MIN_SALT_LEN {
        return Err(malformed());
    }
    Ok((Function::Argon2 { algorithm, version, memory, passes, lanes }, phc.salt, phc.digest))
}

/// `ln=16,r=8,p=1$salt$digest`
fn scrypt(rest: &str) -> Result<Parts, ForeignHashError> {
    let malformed = || ForeignHashError::Malformed("scrypt");
    let phc = Phc::read(rest).ok_or_else(malformed)?;
    let [log_n, block_size, lanes] = phc.numbers(["ln", "r", "p"]).ok_or_else(malformed)?;
    let log_n = u8::try_from(log_n).ok().filter(|log_n| (1..64).contains(log_n)).ok_or_else(malformed)?;
    if mixed(log_n, block_size, 1).is_none_or(|units| units > MOST_MEMORY * 8) || lanes > MOST_LANES {
        return Err(ForeignHashError::TooCostly(SCRYPT_BOUND));
    }
    ScryptParams::new(log_n, block_size, lanes).map_err(|_| malformed())?;
    Ok((Function::Scrypt { log_n, block_size, lanes }, phc.salt, phc.digest))
}

/// `i=600000,l=32$salt$digest`, or only the number of rounds as written by passlib.
fn pbkdf2(digest: Pbkdf2Digest, name: &'static str, rest: &str) -> Result<Parts, ForeignHashError> {
    let malformed = || ForeignHashError::Malformed(name);
    let phc = Phc::read(rest).ok_or_else(malformed)?;
    let rounds = phc.rounds().and_then(NonZeroU32::new).ok_or_else(malformed)?;
    if digest.rounds(rounds, &phc.digest) > MOST_ROUNDS {
        return Err(ForeignHashError::TooCostly(PBKDF2_BOUND));
    }
    Ok((Function::Pbkdf2 { digest, rounds }, phc.salt, phc.digest))
}

/// `10$`, then 22 characters of salt and 31 of digest.
fn bcrypt(rest: &str) -> Result<Parts, ForeignHashError> {
    let malformed = || ForeignHashError::Malformed("bcrypt");
    let (cost, rest) = rest.split_once('$').ok_or_else(malformed)?;
    if cost.len() != 2 || !cost.bytes().all(|byte| byte.is_ascii_digit()) || rest.len() != 53 {
        return Err(malformed());
    }
    let cost: u32 = cost.parse().map_err(|_| malformed())?;
    let (salt, digest) = rest.split_at_checked(22).ok_or_else(malformed)?;
    let decoded = |text: &str| BCRYPT_BASE64.decode(text).map_err(|_| malformed());
    let (salt, digest) = (decoded(salt)?, decoded(digest)?);
    match cost {
        4..=MOST_BCRYPT_COST => Ok((Function::Bcrypt { cost }, salt, digest)),
        15..=31 => Err(ForeignHashError::TooCostly(BCRYPT_BOUND)),
        _ => Err(malformed()),
    }
}
