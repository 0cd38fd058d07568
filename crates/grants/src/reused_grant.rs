//! Grants that end because a code or a refresh token was used twice. A second use means that a
//! thief may have a copy.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use accounts::AccountId;
use protocol::RefusalReason;
use registry::ClientId;

use crate::{GrantId, OneTimeKey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reused {
    Code(OneTimeKey),
    RefreshToken,
}

#[derive(Clone, Copy, Debug)]
pub struct ReusedGrant<'a> {
    pub id: GrantId,
    pub client: &'a ClientId,
    pub account: &'a AccountId,
    /// The `sub` of the grant's tokens, by which they are revoked.
    pub sub: &'a str,
    pub used: Reused,
    /// The address of the second request.
    pub source: Option<IpAddr>,
}

/// Counts for the metrics, since the start of the program.
#[derive(Debug, Default)]
pub struct ReusedGrants {
    by_code: AtomicU64,
    by_refresh_token: AtomicU64,
}

impl Reused {
    /// For the log and the audit.
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

    /// Grants ended by the second use of a code, and by the second use of a refresh token.
    #[must_use]
    pub fn counts(&self) -> [u64; 2] {
        [&self.by_code, &self.by_refresh_token].map(|count| count.load(Ordering::Relaxed))
    }
}
