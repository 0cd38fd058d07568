use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use values::{Rate, skip_serializing_none};

/// Limits that override the platform's for one tenant. The platform's limit applies if a limit is not set.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantLimits {
    /// Failed authentications of one source.
    pub failed_attempts: Option<Rate>,
    /// Clients that are neither retired nor deleted.
    pub clients: Option<NonZeroU32>,
    /// Writes of all administrators of the tenant together.
    pub admin_writes: Option<Rate>,
    /// Valid secrets of a client.
    pub live_secrets: Option<NonZeroU32>,
    /// Valid API keys of a client.
    pub api_keys: Option<NonZeroU32>,
    /// Wrong passwords of people.
    #[serde(skip_serializing_if = "PasswordLimits::is_empty")]
    pub sign_in: PasswordLimits,
}

/// Wrong passwords in a quarter of an hour. The platform's limit applies if a limit is not set.
#[skip_serializing_none]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordLimits {
    /// At one account, from all unknown browsers together.
    pub account: Option<NonZeroU32>,
    /// At one account, from each known browser.
    pub known_browser: Option<NonZeroU32>,
    /// The number of distinct accounts at which one source fails from unknown browsers.
    pub source: Option<NonZeroU32>,
}

impl PasswordLimits {
    /// The maximum of each limit. More than a hundred consecutive wrong passwords are refused in any case
    /// (NIST SP 800-63B-4 §3.2.2), and the accounts at which a source has failed are kept in memory.
    pub const GREATEST: u32 = 100;

    /// The names of the limits above the maximum.
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
