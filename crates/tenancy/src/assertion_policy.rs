//! The assertions of clients that a tenant accepts (RFC 7523 §3).

use serde::{Deserialize, Serialize};
use values::Lifetime;

/// The audience and lifetime of assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionPolicy {
    /// Whether `aud` is the issuer alone, as a string (RFC 7523bis, FAPI 2.0). Otherwise a token endpoint is
    /// accepted as well, and a list.
    pub issuer_only: bool,
    /// The longest lifetime of an assertion. The replay guard remembers it for as long.
    pub max_lifetime: Lifetime,
}

impl AssertionPolicy {
    /// The longest lifetime that a policy may allow.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(3_600);
}

impl Default for AssertionPolicy {
    fn default() -> Self {
        Self { issuer_only: false, max_lifetime: Self::LONGEST }
    }
}
