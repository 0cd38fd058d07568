//! A tenant's own limits.
//!
//! Triggers count a tenant's clients in `tenants.client_count`, in the transaction that increments the
//! tenant's revision. So a new client costs the same however many there are, and of two commits that rest on
//! one count one is stale. A commit that wrote the count would miss the clients that an earlier version
//! writes.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use values::{Rate, skip_serializing_none};

/// Limits that replace the platform's for one tenant. If one is absent, the platform's limit applies.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantLimits {
    /// The failed authentications of one source.
    pub failed_attempts: Option<Rate>,
    /// Clients that are neither retired nor deleted.
    pub clients: Option<NonZeroU32>,
    /// Writes of the tenant's administrators together.
    pub admin_writes: Option<Rate>,
    /// The live secrets of a client.
    pub live_secrets: Option<NonZeroU32>,
    /// The live API keys of a client.
    pub api_keys: Option<NonZeroU32>,
    /// Wrong passwords of people.
    #[serde(skip_serializing_if = "PasswordLimits::is_empty")]
    pub sign_in: PasswordLimits,
}

/// The wrong passwords in a quarter of an hour. If one is absent, the platform's limit applies.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordLimits {
    /// At one account, from all unknown browsers.
    pub account: Option<NonZeroU32>,
    /// At one account, from each known browser.
    pub known_browser: Option<NonZeroU32>,
    /// The distinct accounts at which one source fails, from browsers that these do not know.
    pub source: Option<NonZeroU32>,
}

impl PasswordLimits {
    /// The greatest limit. More than a hundred wrong passwords in a row are refused in any case (NIST SP
    /// 800-63B-4 §3.2.2), and the accounts at which a source has failed are kept in memory.
    pub const GREATEST: u32 = 100;

    /// The names of the limits that are greater than they may be.
    pub fn excessive(self) -> impl Iterator<Item = &'static str> {
        let all = [("account", self.account), ("known_browser", self.known_browser), ("source", self.source)];
        let is_excessive =
            |limit: Option<NonZeroU32>| limit.is_some_and(|limit| limit.get() > Self::GREATEST);
        all.into_iter().filter(move |(_, limit)| is_excessive(*limit)).map(|(name, _)| name)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
