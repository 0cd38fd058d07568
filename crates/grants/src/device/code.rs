//! Device codes and the intervals between polls (RFC 8628 §3.5). Each replica counts the polls that
//! it receives, so a poll writes nothing to the store.

use accounts::AccountId;
use parking_lot::Mutex;
use secrets::FairTable;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::authorization::kept;
use crate::{Allowed, Granted, OneTimeContent};

/// The minimum time between two polls of a device (RFC 8628 §3.2).
pub(super) const POLL_INTERVAL: Lifetime = Lifetime::from_seconds(5);
/// RFC 8628 §3.5: "the interval MUST be increased by 5 seconds for this and all subsequent
/// requests".
const INCREASE: Lifetime = Lifetime::from_seconds(5);
/// Times have whole seconds, so two correct polls can seem one second too close.
const ROUNDING: u64 = 1;
/// The maximum number of codes in memory, about 10 MB. Beyond this number the table drops expired
/// codes, then half the codes of the tenant with the most codes.
const MOST: usize = 100_000;

/// An authorization of a device, with the person's decision if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The digest of the user code.
    pub user_digest: [u8; 32],
    /// After the person has allowed the request, this includes how the person authenticated.
    pub granted: Granted,
    /// The address of the device. The person sees it before the decision.
    pub requested_from: String,
    pub created_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    /// `None` if the person refused or has not decided.
    pub account: Option<AccountId>,
}

impl OneTimeContent for DeviceCode {
    const PURPOSE: &'static str = "latchkey device code 1";
    /// Ten minutes for the person to type the code and decide, and for the device to redeem its
    /// code.
    const LIFETIME: Lifetime = Lifetime::from_seconds(600);
    const KEPT: Lifetime = kept(Self::LIFETIME);

    /// The maximum number of undecided codes for one client and one address.
    type Limit = u32;
    /// The decision: the person who allows the request with the grant, or `None` for a refusal.
    type Note = Option<(AccountId, Granted)>;
    type Proof = ();

    fn is_proven_by(&self, (): &()) -> bool {
        true
    }

    /// The device belongs to no browser session, so it stays connected when the person signs out.
    fn allowed(&self) -> Option<Allowed<'_>> {
        let at = self.decided_at.unwrap_or(self.created_at);
        Some(Allowed { account: self.account.as_ref()?, session: None, granted: &self.granted, at })
    }
}

/// The polls of undecided codes, by the digest of the device code.
pub(super) struct Polls(Mutex<FairTable<[u8; 32], Poll>>);

impl Default for Polls {
    fn default() -> Self {
        Self(Mutex::new(FairTable::new(MOST)))
    }
}

struct Poll {
    last: Timestamp,
    interval: Lifetime,
    valid_until: Timestamp,
}

impl Polls {
    /// Notes a poll. Returns true if the poll is too early, and increases the interval.
    pub(super) fn is_too_early(&self, tenant: &TenantId, digest: &[u8; 32], now: Timestamp) -> bool {
        let mut known = self.0.lock();
        let Some(poll) = known.get_mut(tenant, digest) else { return false };
        let since = now.seconds().saturating_sub(poll.last.seconds());
        let is_early = since + ROUNDING < poll.interval.seconds();
        if is_early {
            poll.interval = Lifetime::from_seconds(poll.interval.seconds() + INCREASE.seconds());
        }
        poll.last = now;
        is_early
    }

    /// Notes the first poll of an existing code.
    pub(super) fn note(&self, tenant: &TenantId, digest: [u8; 32], valid_until: Timestamp, now: Timestamp) {
        let mut known = self.0.lock();
        if known.get_mut(tenant, &digest).is_none() {
            let first = Poll { last: now, interval: POLL_INTERVAL, valid_until };
            known.insert(tenant, digest, first, |poll| u64::from(poll.valid_until > now));
        }
    }

    pub(super) fn forget(&self, tenant: &TenantId, digest: &[u8; 32]) {
        self.0.lock().remove(tenant, digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    // [devices §3.5 b]: `slow_down` makes the interval 5 seconds longer, for this and all later polls. Each
    //   replica counts the polls that reach it
    #[test]
    fn early_polls_lengthen_the_interval() {
        let polls = Polls::default();
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let code = [1; 32];
        assert!(!polls.is_too_early(&acme, &code, at(100)));
        polls.note(&acme, code, at(700), at(100));
        assert!(!polls.is_too_early(&acme, &[2; 32], at(100)), "another code");
        assert!(!polls.is_too_early(&globex, &code, at(100)), "another tenant");
        for (seconds, expected) in
            [(105, false), (109, false), (112, true), (118, true), (128, true), (150, false)]
        {
            assert_eq!(polls.is_too_early(&acme, &code, at(seconds)), expected, "{seconds}");
        }
        polls.forget(&acme, &code);
        assert!(!polls.is_too_early(&acme, &code, at(151)));
    }

    #[test]
    fn tenant_with_many_codes_evicts_only_its_own() {
        let polls = Polls(Mutex::new(FairTable::new(100)));
        let [acme, globex] = ["acme", "globex"].map(|id| TenantId::parse(id).unwrap());
        let code = |number: u64| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            digest
        };
        polls.note(&globex, code(0), at(700), at(100));
        for number in 0..150 {
            polls.note(&acme, code(number), at(700), at(100));
        }
        let len = || polls.0.lock().len();
        assert!((50..=100).contains(&len()), "{}", len());
        assert!(polls.is_too_early(&globex, &code(0), at(101)));
        for number in 1..=100 {
            polls.note(&globex, code(number), at(2_000), at(1_000));
        }
        assert_eq!(len(), 100, "those of acme had expired");
    }
}
