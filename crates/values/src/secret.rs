//! A secret in memory. It is wiped when dropped, and cannot be printed or cloned.

use derive_more::Debug;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret as text: a client secret, a password, a key in PEM.
///
/// It has no `Clone`, `PartialEq` or `Serialize` on purpose: each of them could leak the secret or
/// compare it byte by byte.
#[derive(Debug, Zeroize, ZeroizeOnDrop)]
#[debug("[redacted]")]
pub struct Secret(String);

impl Secret {
    /// Takes ownership, so that the caller keeps no copy.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The name is conspicuous, so that reviewers notice each use.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [V11 11.7.2]: 3 | Data in use is exposed as little as possible | not met | Secrets have a type that is
    //   wiped and prints `[redacted]`, and only keys in use are open; buffers of libraries are not wiped
    //   ([known gaps](#known-gaps))
    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "[redacted]");
    }
}
