//! The clients to which notices are being sent. A client that does not answer is paused: its notices wait,
//! and others are sent. Each replica decides for itself.

use std::collections::HashMap;
use std::sync::Arc;

use grants::{LogoutAddress, QueuedLogout};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

/// After this many failures in a row nothing is sent for a while.
const MOST_FAILURES: u32 = 2;
/// The first pause. Each further failure doubles it.
const SHORTEST_PAUSE: u64 = 10;
const LONGEST_PAUSE: u64 = 300;
/// A client is forgotten if nothing was sent to it for this long after its pause.
const REMEMBERED: Lifetime = Lifetime::from_seconds(3_600);

/// The end of the pause of a client that is not paused.
const NEVER: Timestamp = Timestamp::from_seconds(0);

/// The clients with attempts in progress, and the clients that did not answer.
#[derive(Default)]
pub(super) struct Addresses(HashMap<LogoutAddress, CheckedAddress>);

struct CheckedAddress {
    /// Each attempt in progress holds a clone, so the count of references is the number of attempts.
    attempts: Arc<()>,
    failures: u32,
    paused_until: Timestamp,
}

pub(super) struct Begun {
    pub(super) address: LogoutAddress,
    failures_before: u32,
    _attempt: Arc<()>,
}

impl Addresses {
    /// The clients to which no attempt may begin now. Forgets the clients without a running attempt and
    /// without a recent failure.
    pub(super) fn closed(&mut self, now: Timestamp) -> Vec<LogoutAddress> {
        self.0.retain(|_, address| {
            address.in_progress() > 0 || (address.failures > 0 && now <= address.paused_until + REMEMBERED)
        });
        let closed = self.0.iter().filter(|(_, address)| !address.has_room(now));
        closed.map(|(address, _)| address.clone()).collect()
    }

    /// Begins an attempt, unless the client is paused or already has the most attempts in progress.
    pub(super) fn begin(&mut self, address: LogoutAddress, now: Timestamp) -> Option<Begun> {
        let of_client = self.0.entry(address.clone()).or_insert_with(CheckedAddress::new);
        let (failures_before, attempt) = (of_client.failures, Arc::clone(&of_client.attempts));
        // The count already includes the new attempt.
        let has_room = of_client.in_progress() <= of_client.most() && now >= of_client.paused_until;
        has_room.then_some(Begun { address, failures_before, _attempt: attempt })
    }

    /// The client has answered, even if it refused the notice.
    pub(super) fn answered(&mut self, begun: &Begun) {
        if let Some(address) = self.0.get_mut(&begun.address) {
            (address.failures, address.paused_until) = (0, NEVER);
        }
    }

    /// Records that the client has not answered. Concurrent attempts count as one. Returns whether a pause
    /// begins.
    pub(super) fn failed(&mut self, begun: &Begun, now: Timestamp) -> bool {
        let Some(address) = self.0.get_mut(&begun.address) else { return false };
        if address.failures != begun.failures_before {
            return false;
        }
        address.failures += 1;
        let Some(pauses_before) = address.failures.checked_sub(MOST_FAILURES) else { return false };
        let pause = SHORTEST_PAUSE.saturating_mul(1 << pauses_before.min(16)).min(LONGEST_PAUSE);
        address.paused_until = now + Lifetime::from_seconds(pause);
        true
    }

    /// Orders the notices: tenants with the fewest running attempts come first, and each chosen notice counts
    /// as a running attempt for the next choice.
    pub(super) fn in_turn(&self, due: Vec<QueuedLogout>) -> Vec<QueuedLogout> {
        let mut held = HashMap::<&TenantId, usize>::new();
        for (address, of_client) in &self.0 {
            *held.entry(&address.tenant).or_default() += of_client.in_progress();
        }
        let mut places = HashMap::<TenantId, usize>::new();
        let place = |queued: QueuedLogout| {
            let held = held.get(&queued.tenant).copied().unwrap_or_default();
            let place = places.entry(queued.tenant.clone()).or_insert(held);
            *place += 1;
            (*place, queued)
        };
        let mut placed: Vec<_> = due.into_iter().map(place).collect();
        placed.sort_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, queued)| queued).collect()
    }
}

impl CheckedAddress {
    fn new() -> Self {
        Self { attempts: Arc::new(()), failures: 0, paused_until: NEVER }
    }

    fn in_progress(&self) -> usize {
        Arc::strong_count(&self.attempts) - 1
    }

    /// After a failure only one notice at a time is tried.
    const fn most(&self) -> usize {
        if self.failures == 0 { QueuedLogout::MOST_AT_ONCE as usize } else { 1 }
    }

    fn has_room(&self, now: Timestamp) -> bool {
        self.in_progress() < self.most() && now >= self.paused_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn address(tenant: &str, client: &str) -> LogoutAddress {
        LogoutAddress { tenant: TenantId::parse(tenant).unwrap(), client: client.parse().unwrap() }
    }

    // [shared 2.3]
    #[test]
    fn unresponsive_client_is_paused_for_longer_each_time() {
        let mut addresses = Addresses::default();
        let (dead, alive) = (address("a", "dead"), address("a", "alive"));
        let at_once = QueuedLogout::MOST_AT_ONCE as usize;
        let begun: Vec<_> = (0..at_once).map(|_| addresses.begin(dead.clone(), at(0)).unwrap()).collect();
        assert!(addresses.begin(dead.clone(), at(0)).is_none(), "it has as many as it may");
        assert_eq!(addresses.closed(at(0)), std::slice::from_ref(&dead));
        for begun in begun {
            assert!(!addresses.failed(&begun, at(5)), "those in progress together count as one");
        }
        let mut now = 5;
        for pause in [10, 20, 40, 80, 160, 300, 300] {
            let tried = addresses.begin(dead.clone(), at(now)).unwrap();
            assert!(addresses.begin(dead.clone(), at(now)).is_none(), "one notice is tried");
            assert!(addresses.failed(&tried, at(now)));
            drop(tried);
            assert!(addresses.begin(dead.clone(), at(now + pause - 1)).is_none(), "{pause}");
            assert_eq!(addresses.closed(at(now + pause - 1)), std::slice::from_ref(&dead));
            assert!(addresses.begin(alive.clone(), at(now)).is_some());
            now += pause;
        }
        let tried = addresses.begin(dead.clone(), at(now)).unwrap();
        addresses.answered(&tried);
        drop(tried);
        assert_eq!((0..at_once).filter_map(|_| addresses.begin(dead.clone(), at(now))).count(), at_once);
    }

    #[test]
    fn idle_client_is_forgotten() {
        let mut addresses = Addresses::default();
        let begun = addresses.begin(address("a", "web"), at(0)).unwrap();
        addresses.failed(&begun, at(0));
        drop((begun, addresses.begin(address("b", "web"), at(0)).unwrap()));
        addresses.closed(at(0));
        assert_eq!(addresses.0.len(), 1);
        addresses.closed(at(3_601));
        assert_eq!(addresses.0.len(), 0);
    }
}
