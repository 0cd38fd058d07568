//! The cost of checking another system's hash. It is computed from the parameters, so all machines accept the
//! same hashes.

use super::{ForeignHash, ForeignHashError, Function, Pbkdf2Digest};

/// Limits for imports, each about half a second of a core. For argon2: memory times passes in KiB.
const IMPORTED_FILLED: u64 = 256 * 1024;
/// For scrypt: KiB over all lanes.
const IMPORTED_MIXED: u64 = 128 * 1024;
/// For PBKDF2 with SHA-512: rounds over all blocks of the digest. SHA-256 takes a third of the time.
const IMPORTED_ROUNDS: u32 = 600_000;
const IMPORTED_BCRYPT_COST: u32 = 12;

pub(super) const ARGON2_BOUND: &str = "argon2 can use at most 256 MiB over all its passes (m * t = 262144)";
pub(super) const SCRYPT_BOUND: &str =
    "scrypt can use at most 128 MiB over all its lanes (128 bytes * 2^ln * r * p)";
pub(super) const PBKDF2_BOUND: &str = "PBKDF2 can use at most 600000 rounds with SHA-512 and 1000000 with SHA-256, over all blocks of its digest";
pub(super) const BCRYPT_BOUND: &str = "bcrypt can have a cost of at most 12";

impl ForeignHash {
    /// Whether the hash may be imported: checking it takes at most about half a second of a core. Hashes that
    /// were imported with a higher limit can still be checked.
    ///
    /// # Errors
    /// [`ForeignHashError::TooCostly`].
    pub fn check_cost(&self) -> Result<(), ForeignHashError> {
        let too_costly = match self.function {
            Function::Argon2 { memory, passes, .. } if filled(memory, passes) > IMPORTED_FILLED => {
                ARGON2_BOUND
            }
            Function::Scrypt { log_n, block_size, lanes }
                if mixed(log_n, block_size, lanes) > Some(IMPORTED_MIXED * 8) =>
            {
                SCRYPT_BOUND
            }
            Function::Pbkdf2 { digest: Pbkdf2Digest::Sha512, rounds }
                if Pbkdf2Digest::Sha512.rounds(rounds, &self.digest) > IMPORTED_ROUNDS =>
            {
                PBKDF2_BOUND
            }
            Function::Bcrypt { cost } if cost > IMPORTED_BCRYPT_COST => BCRYPT_BOUND,
            Function::Argon2 { .. }
            | Function::Scrypt { .. }
            | Function::Pbkdf2 { .. }
            | Function::Bcrypt { .. } => return Ok(()),
        };
        Err(ForeignHashError::TooCostly(too_costly))
    }
}

/// Memory times passes of argon2, in KiB.
pub(super) fn filled(memory: u32, passes: u32) -> u64 {
    u64::from(memory) * u64::from(passes)
}

/// The memory of scrypt over all lanes, in units of 128 bytes. `None` if the number exceeds 64 bits.
pub(super) fn mixed(log_n: u8, block_size: u32, lanes: u32) -> Option<u64> {
    let units = 1_u64.checked_shl(log_n.into())?.checked_mul(u64::from(block_size))?;
    units.checked_mul(u64::from(lanes))
}
