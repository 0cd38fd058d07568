//! How Latchkey rotates a client's secret.

use serde::{Deserialize, Serialize};
use values::Lifetime;

/// A schedule of rotations into a secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRotation {
    /// The maximum age of the newest secret. After that, Latchkey creates a new one.
    pub every: Lifetime,
    /// Where the new secret is written: `STORE:PATH#KEY`.
    pub into: String,
    /// How long the previous secrets stay valid after a rotation.
    pub grace: Lifetime,
}
