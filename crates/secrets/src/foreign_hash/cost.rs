//! How long does a check of another system's hash take? Its parameters decide, so a hash is accepted on every
//! machine or on none.

use super::{ForeignHash, ForeignHashError, Function, Pbkdf2Digest};

/// What may be imported, about half a second of a core: KiB of argon2 in all of its passes,
const IMPORTED_FILLED: u64 = 256 * 1024;
/// KiB of scrypt in all of its lanes,
const IMPORTED_MIXED: u64 = 128 * 1024;
/// rounds of PBKDF2 with SHA-512 over all blocks of its digest, of which those with SHA-256 take a third,
const IMPORTED_ROUNDS: u32 = 600_000;
const IMPORTED_BCRYPT_COST: u32 = 12;

pub(super) const ARGON2_BOUND: &str = "argon2 may fill 256 MiB in all of its passes (m * t = 262144)";
pub(super) const SCRYPT_BOUND: &str = "scrypt may mix 128 MiB in all of its lanes (128 bytes * 2^ln * r * p)";
pub(super) const PBKDF2_BOUND: &str =
    "PBKDF2 may make 600000 rounds with SHA-512 and 1000000 with SHA-256, over all blocks of its digest";
pub(super) const BCRYPT_BOUND: &str = "bcrypt may have cost 12";

impl ForeignHash {
    /// Whether it may be imported: by its parameters, a check of it takes about half a second of a core at
    /// most. A hash that was imported under a higher limit is still read and checked.
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

/// KiB of argon2 in all of its passes.
pub(super) fn filled(memory: u32, passes: u32) -> u64 {
    u64::from(memory) * u64::from(passes)
}

/// Units of 128 bytes of scrypt with this number of lanes. `None` if the number exceeds 64 bits.
pub(super) fn mixed(log_n: u8, block_size: u32, lanes: u32) -> Option<u64> {
    let units = 1_u64.checked_shl(log_n.into())?.checked_mul(u64::from(block_size))?;
    units.checked_mul(u64::from(lanes))
}
