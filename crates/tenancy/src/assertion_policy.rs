//! Which assertions of clients a tenant accepts (RFC 7523 §3).

use protocol::Lifetime;
use serde::{Deserialize, Serialize};

/// The audience and lifetime of assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionPolicy {
    /// Whether `aud` is the issuer alone, as a string (RFC 7523bis, FAPI 2.0). Otherwise a token endpoint is accepted as well, and a list.
    pub issuer_only: bool,
    /// How long an assertion may live. The replay guard remembers it as long.
    pub max_lifetime: Lifetime,
}

impl AssertionPolicy {
    /// No policy accepts longer ones.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(3_600);
}

impl Default for AssertionPolicy {
    fn default() -> Self {
        Self { issuer_only: false, max_lifetime: Self::LONGEST }
    }
}
