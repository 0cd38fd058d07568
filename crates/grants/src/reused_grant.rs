//! Grants that end because a code or a refresh token was used again: a thief may have one of the two copies.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::AccountId;
use protocol::RefusalReason;
use registry::ClientId;

use crate::{GrantId, OneTimeKey};

/// What was used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reused {
    /// The authorization code of this row.
    Code(OneTimeKey),
    RefreshToken,
}

/// A grant that a second use ends.
#[derive(Clone, Copy, Debug)]
pub struct ReusedGrant<'a> {
    pub id: GrantId,
    /// The client of the request.
    pub client: &'a ClientId,
    /// The person.
    pub account: &'a AccountId,
    /// The `sub` of the tokens, for which their revocation counts.
    pub sub: &'a str,
    /// What was used again.
    pub used: Reused,
    /// The address of the request.
    pub source: Option<IpAddr>,
}

/// How many grants this program has ended since its start.
#[derive(Debug, Default)]
pub struct ReusedGrants {
    by_code: AtomicU64,
    by_refresh_token: AtomicU64,
}

impl Reused {
    /// The reason, as the log and the audit name it.
    #[must_use]
    pub const fn reason(self) -> RefusalReason {
        match self {
            Self::Code(_) => RefusalReason::CodeReused,
            Self::RefreshToken => RefusalReason::RefreshTokenReused,
        }
    }
}

impl ReusedGrants {
    pub(crate) fn count(&self, used: Reused) {
        let count = match used {
            Reused::Code(_) => &self.by_code,
            Reused::RefreshToken => &self.by_refresh_token,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// The grants that ended by a code, and those that ended by a refresh token.
    #[must_use]
    pub fn counts(&self) -> [u64; 2] {
        [&self.by_code, &self.by_refresh_token].map(|count| count.load(Ordering::Relaxed))
    }
}
