//! Which assertions of clients a tenant accepts (RFC 7523 §3).

use serde::{Deserialize, Serialize};
use values::Lifetime;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionPolicy {
    /// Whether `aud` must be only the issuer, as a string (RFC 7523bis, FAPI 2.0). Otherwise a token endpoint
    /// and a list are also accepted.
    pub issuer_only: bool,
    /// The maximum lifetime of an assertion. The replay guard stores each identifier for as long.
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
