//! The keyring of the system, for credentials of the command line. It is a cargo feature; without it, opening
//! a keyring fails.
//!
//! It is the kernel's: it needs no desktop, answers immediately and shows no prompt. The Secret Service waits
//! for a prompt that nobody sees where there is no desktop session. `keyring-core` links keys from the
//! session's keyring, which the kernel refuses in a process that no login started.

#[cfg(all(feature = "keyring", target_os = "linux"))]
mod kernel;

use std::error::Error;
use std::fmt;

use zeroize::Zeroizing;

use crate::service::build_hint;

/// The secrets of the current user, by name.
pub trait Keyring: fmt::Debug {
    /// Stores a secret and replaces the previous one.
    ///
    /// # Errors
    /// [`KeyringError`] if the system refuses it.
    fn store(&self, name: &str, secret: &str) -> Result<(), KeyringError>;

    /// The secret with this name, if there is one.
    ///
    /// # Errors
    /// [`KeyringError`] if the system refuses it.
    fn read(&self, name: &str) -> Result<Option<Zeroizing<String>>, KeyringError>;

    /// Removes a secret. It is not an error if there is none.
    ///
    /// # Errors
    /// [`KeyringError`] if the system refuses it.
    fn remove(&self, name: &str) -> Result<(), KeyringError>;
}

/// Why an operation failed. Messages never contain a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("this program was built without keyring support; {}", build_hint("keyring"))]
    NotBuiltIn,
    /// Only the keyring of Linux is supported.
    #[error("this program cannot use a keyring on this system")]
    NotOnThisSystem,
    /// The system refuses it: a container may forbid it, or the user's quota is used up.
    #[error("cannot use the kernel's keyring")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// Another program has stored binary data under this name.
    #[error("the kernel's keyring has no entry named {0}")]
    NoText(String),
}

/// The keyring of the current user in the Linux kernel, which keeps secrets in memory and never on a disk.
///
/// # Errors
/// [`KeyringError`] if the program or the system has no keyring.
pub fn open_keyring() -> Result<Box<dyn Keyring>, KeyringError> {
    if !cfg!(feature = "keyring") {
        return Err(KeyringError::NotBuiltIn);
    }
    #[cfg(all(feature = "keyring", target_os = "linux"))]
    return Ok(Box::new(kernel::KernelKeyring));
    #[cfg(not(all(feature = "keyring", target_os = "linux")))]
    Err(KeyringError::NotOnThisSystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_a_keyring_names_the_feature() {
        let expected = "this program was built without a keyring; build it with the feature `keyring`: `cargo build --release --features keyring`";
        assert_eq!(KeyringError::NotBuiltIn.to_string(), expected);
    }
}
