//! What the replicas of an installation count together. Each limit counts at its replica, as if there were no
//! others. It also asks here how much all replicas have counted, as far as this replica knows. So sharing can
//! only make a limit stricter, and no request waits for another replica.
//!
//! A background task sends to the other replicas what was counted here ([`SharedCounts::take`]), and learns
//! the totals of the same counts ([`SharedCounts::learn`]). A count that changes nothing is not exchanged.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tenancy::TenantId;
use values::Timestamp;

use crate::{FairTable, KeyedDigest, Pepper};

/// The maximum number of counts whose total is known, and of counts that are to be sent.
const COUNTS: usize = 65_536;

/// In milliseconds. Callers pass whole seconds, and replicas exchange counts every 250 ms, so the total that
/// a replica learns can be too high by almost this much. Without this margin, a replica would refuse attempts
/// that it accepts without Redis.
const ROUNDING: u64 = 1_500;

/// The counts of one limit by tenant and key, or of the limit without a name. Shares nothing by default.
#[derive(Clone, Default)]
pub struct SharedCounts {
    ledger: Option<Arc<Ledger>>,
    name: (&'static str, &'static str),
}

struct Ledger {
    digests: KeyedDigest,
    /// Until this time, in milliseconds since 1970, the count of a span may be over its limit.
    over_until: AtomicU64,
    counts: Mutex<Counts>,
}

struct Counts {
    known: FairTable<u64, Known>,
    /// By the digest of the count and its member.
    unsent: FairTable<(u64, Option<u64>), Delta>,
}

/// A total of all replicas, as far as it is known. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The amount in a span. Of a count that decreases, the time when it is zero.
    level: u64,
    ends_at: Option<u64>,
    /// The amount of attempts at this replica whose outcome is open.
    in_progress: u64,
    /// Whether it contains more than this replica has counted.
    is_learned: bool,
}

/// What this replica has counted and not sent yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// A digest with a key that only the replicas of this installation have.
    pub key: u64,
    /// Something that counts once in a span, by its digest. `None` if the amount counts.
    pub member: Option<u64>,
    pub amount: u64,
    /// Whether the count was reset before this amount was counted.
    pub is_reset: bool,
    /// The maximum that replicas remember, twice the limit. What they have admitted above the limit delays
    /// further attempts.
    pub most: u64,
    /// When the count ends, in milliseconds since 1970. `None` if it decreases by one each millisecond.
    pub ends_at: Option<u64>,
}

/// Deltas by tenant.
pub type TenantDeltas = Vec<(TenantId, Vec<Delta>)>;

/// A limit, and when the span of time ends in which it applies.
pub type LimitSpan = (u64, Timestamp);

/// An amount, and the digest of its member if it has one.
pub type Counted = (u64, Option<u64>);

/// An attempt whose outcome is open. It counts unless it is forgiven, even if it is dropped early. The other
/// replicas learn of it when it has ended.
#[must_use]
pub struct SharedAttempt<'a> {
    ledger: Option<&'a Ledger>,
    tenant: TenantId,
    delta: Delta,
    now: u64,
    is_forgiven: bool,
}

impl SharedCounts {
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let digests = KeyedDigest::for_purpose(pepper.expose(), "latchkey shared count 1");
        let counts = Mutex::new(Counts { known: FairTable::new(COUNTS), unsent: FairTable::new(COUNTS) });
        let ledger = Some(Arc::new(Ledger { digests, over_until: AtomicU64::new(0), counts }));
        Self { ledger, ..Self::default() }
    }

    /// The counts of the limit with this name, which has two parts.
    #[must_use]
    pub fn limit(&self, name: &'static str, part: &'static str) -> Self {
        Self { name: (name, part), ..self.clone() }
    }

    /// Takes at most `most` deltas of the tenants that `may_send` accepts: equally many of each tenant, and
    /// at least one.
    #[must_use]
    pub fn take(&self, most: usize, now: u64, may_send: impl Fn(&TenantId) -> bool) -> TenantDeltas {
        let Some(ledger) = &self.ledger else { return Vec::new() };
        let mut counts = ledger.counts.lock();
        let mut taken = counts.unsent.take_turns(most, may_send);
        for (tenant, deltas) in &mut taken {
            for delta in deltas.iter_mut().filter(|delta| delta.ends_at.is_none()) {
                // After an outage, the earlier part of the amount no longer counts.
                let known = counts.known.get_mut(tenant, &delta.key);
                delta.amount = known.map_or(delta.amount, |known| delta.amount.min(known.amount(now)));
            }
        }
        taken
    }

    /// Learns the total of a count that contains this delta. A total above the maximum, which only a
    /// defective or forged store returns, counts as the maximum.
    pub fn learn(&self, tenant: &TenantId, delta: &Delta, total: u64, now: u64) {
        let Some(ledger) = &self.ledger else { return };
        let mut counts = ledger.counts.lock();
        let since = counts.unsent.get_mut(tenant, &(delta.key, None)).cloned().unwrap_or_default();
        if !since.is_reset {
            ledger.know(&mut counts, tenant, delta, total.saturating_add(since.amount), now);
            counts.known(tenant, delta.key, now).is_learned = true;
        }
    }

    /// A digest of this value that is the same at all replicas of one version. `None` if nothing is shared.
    #[must_use]
    pub fn digest(&self, tenant: &TenantId, value: impl Hash) -> Option<u64> {
        Some(self.ledger.as_ref()?.digests.hash_one((self.name, tenant, value)))
    }

    /// Whether any count of a span may be over its limit. If not, callers compute no digest.
    #[must_use]
    pub fn may_be_reached(&self, now: Timestamp) -> bool {
        let over_until = self.ledger.as_ref().map(|ledger| ledger.over_until.load(Ordering::Relaxed));
        over_until.is_some_and(|over_until| milliseconds(now) < over_until)
    }

    /// Whether all replicas together have reached the limit in this span.
    #[must_use]
    pub fn is_reached(
        &self,
        tenant: &TenantId,
        key: impl Hash,
        (limit, ends_at): LimitSpan,
        now: Timestamp,
    ) -> bool {
        let Some(ledger) = self.ledger.as_ref().filter(|_| self.may_be_reached(now)) else { return false };
        let key = ledger.digests.hash_one((self.name, tenant, (key, ends_at)));
        let mut counts = ledger.counts.lock();
        let known = counts.known.get_mut(tenant, &key);
        known.is_some_and(|known| known.amount(milliseconds(now)) >= limit)
    }

    /// Counts an amount, or a member, in this span.
    pub fn add(&self, tenant: &TenantId, key: impl Hash, counted: Counted, span: LimitSpan, now: Timestamp) {
        let ((amount, member), (limit, ends_at)) = (counted, span);
        if let Some((ledger, key)) = self.ledger.as_ref().zip(self.digest(tenant, (key, ends_at))) {
            let ends_at = Some(milliseconds(ends_at));
            let delta = Delta { key, member, amount, is_reset: false, most: 2 * limit, ends_at };
            ledger.add(tenant, delta, milliseconds(now));
        }
    }

    /// Begins an attempt at a count that decreases by one each millisecond. `None` if the count has no room
    /// for this amount.
    pub fn begin(
        &self,
        tenant: &TenantId,
        key: impl Hash,
        amount: u64,
        limit: u64,
        now: Timestamp,
    ) -> Option<SharedAttempt<'_>> {
        let (key, now) = (self.digest(tenant, key).unwrap_or_default(), milliseconds(now));
        if let Some(ledger) = &self.ledger {
            let mut counts = ledger.counts.lock();
            let known = counts.known(tenant, key, now);
            let most = limit.saturating_add(ROUNDING);
            if known.is_learned && known.amount(now) + known.in_progress + amount > most {
                return None;
            }
            known.in_progress += amount;
        }
        let (ledger, most) = (self.ledger.as_deref(), limit.saturating_mul(2));
        let delta = Delta { key, amount, most, ..Delta::default() };
        Some(SharedAttempt { ledger, tenant: tenant.clone(), delta, now, is_forgiven: false })
    }

    /// Resets a count that decreases, at all replicas, if this replica knows it.
    pub fn reset(&self, tenant: &TenantId, key: impl Hash) {
        let Some((ledger, key)) = self.ledger.as_ref().zip(self.digest(tenant, key)) else { return };
        let mut counts = ledger.counts.lock();
        if let Some(known) = counts.known.get_mut(tenant, &key) {
            known.level = 0;
            let delta = Delta { key, is_reset: true, ..Delta::default() };
            counts.unsent.insert(tenant, (key, None), delta, |_| 1);
        }
    }
}

impl Ledger {
    fn know(&self, counts: &mut Counts, tenant: &TenantId, delta: &Delta, total: u64, now: u64) {
        let (known, total) = (counts.known(tenant, delta.key, now), total.min(delta.most));
        known.ends_at = delta.ends_at;
        known.level = if delta.ends_at.is_some() { total } else { now.saturating_add(total) };
        if let Some(ends_at) = delta.ends_at.filter(|_| total >= delta.most / 2) {
            self.over_until.fetch_max(ends_at, Ordering::Relaxed);
        }
    }

    fn add(&self, tenant: &TenantId, delta: Delta, now: u64) {
        let mut counts = self.counts.lock();
        if delta.member.is_none() {
            let known = counts.known(tenant, delta.key, now).amount(now);
            self.know(&mut counts, tenant, &delta, known.saturating_add(delta.amount), now);
        }
        let unsent = counts.unsent.entry(tenant, &(delta.key, delta.member), |_| 1);
        let (amount, is_reset) = (unsent.amount.saturating_add(delta.amount), unsent.is_reset);
        *unsent = Delta { amount, is_reset, ..delta };
    }
}

impl Counts {
    fn known(&mut self, tenant: &TenantId, key: u64, now: u64) -> &mut Known {
        self.known.entry(tenant, &key, |known| known.amount(now).saturating_add(known.in_progress))
    }
}

impl Known {
    const fn amount(&self, now: u64) -> u64 {
        match self.ends_at {
            None => self.level.saturating_sub(now),
            Some(ends_at) if ends_at <= now => 0,
            Some(_) => self.level,
        }
    }
}

impl SharedAttempt<'_> {
    /// Ends an attempt without counting it.
    pub fn forgive(mut self) {
        self.is_forgiven = true;
    }
}

impl Drop for SharedAttempt<'_> {
    fn drop(&mut self) {
        let Some(ledger) = self.ledger else { return };
        if let Some(known) = ledger.counts.lock().known.get_mut(&self.tenant, &self.delta.key) {
            known.in_progress = known.in_progress.saturating_sub(self.delta.amount);
        }
        if !self.is_forgiven {
            ledger.add(&self.tenant, std::mem::take(&mut self.delta), self.now);
        }
    }
}

const fn milliseconds(time: Timestamp) -> u64 {
    time.seconds().saturating_mul(1_000)
}
