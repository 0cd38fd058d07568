//! Whether clients of a tenant may have API keys, and for how long.

use serde::{Deserialize, Serialize};
use values::{Lifetime, skip_serializing_none};

#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyPolicy {
    pub max_lifetime: Lifetime,
    /// The lifetime of a new key if the request names no expiry.
    pub default_lifetime: Lifetime,
    /// The brand at the beginning of keys.
    pub prefix: Option<String>,
}

impl ApiKeyPolicy {
    /// The longest lifetime that a policy may allow.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(3_650 * 86_400);
}

impl Default for ApiKeyPolicy {
    fn default() -> Self {
        let days = |days: u64| Lifetime::from_seconds(days * 86_400);
        Self { max_lifetime: days(365), default_lifetime: days(90), prefix: None }
    }
}
