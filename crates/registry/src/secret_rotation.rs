//! How the platform rotates a client's secret.

use serde::{Deserialize, Serialize};
use values::Lifetime;

/// A schedule of rotations into a secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRotation {
    /// How old the newest secret becomes.
    pub every: Lifetime,
    /// Where the new secret is written: `STORE:PATH#KEY`.
    pub into: String,
    /// How long the others stay valid after that.
    pub grace: Lifetime,
}
