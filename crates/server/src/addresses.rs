//! The addresses to which messages are being sent: clients that get logout notices, and mail servers. An
//! address that does not answer is paused: its messages wait, and others are sent. Each replica decides for
//! itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use grants::{LogoutAddress, QueuedLogout};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

/// After this many failures in a row nothing is sent for a while.
const MOST_FAILURES: u32 = 2;
/// The first pause. Each further failure doubles it.
const SHORTEST_PAUSE: u64 = 10;
const LONGEST_PAUSE: u64 = 300;
/// An address is forgotten if nothing was sent to it for this long after its pause.
const REMEMBERED: Lifetime = Lifetime::from_seconds(3_600);

/// The end of the pause of an address that is not paused.
const NEVER: Timestamp = Timestamp::from_seconds(0);

/// The addresses with attempts in progress, and the addresses that did not answer.
pub(crate) struct Addresses<A> {
    checked: HashMap<A, CheckedAddress>,
    /// The most attempts in progress at one address.
    most: usize,
}

struct CheckedAddress {
    /// Each attempt in progress holds a clone, so the count of references is the number of attempts.
    attempts: Arc<()>,
    failures: u32,
    paused_until: Timestamp,
}

pub(crate) struct Begun<A> {
    pub(crate) address: A,
    failures_before: u32,
    _attempt: Arc<()>,
}

impl<A: Clone + Eq + Hash> Addresses<A> {
    pub(crate) fn new(most: usize) -> Self {
        Self { checked: HashMap::new(), most }
    }

    /// The addresses to which no attempt may begin now. Forgets the addresses without a running attempt and
    /// without a recent failure.
    pub(crate) fn closed(&mut self, now: Timestamp) -> Vec<A> {
        self.checked.retain(|_, address| {
            address.in_progress() > 0 || (address.failures > 0 && now <= address.paused_until + REMEMBERED)
        });
        let closed = self.checked.iter().filter(|(_, address)| !address.has_room(self.most, now));
        closed.map(|(address, _)| address.clone()).collect()
    }

    /// Begins an attempt, unless the address is paused or already has the most attempts in progress.
    pub(crate) fn begin(&mut self, address: A, now: Timestamp) -> Option<Begun<A>> {
        let of_address = self.checked.entry(address.clone()).or_insert_with(CheckedAddress::new);
        let (failures_before, attempt) = (of_address.failures, Arc::clone(&of_address.attempts));
        // The count already includes the new attempt.
        let has_room =
            of_address.in_progress() <= of_address.most(self.most) && now >= of_address.paused_until;
        has_room.then_some(Begun { address, failures_before, _attempt: attempt })
    }

    /// The address has answered, even if it refused the message.
    pub(crate) fn answered(&mut self, begun: &Begun<A>) {
        if let Some(address) = self.checked.get_mut(&begun.address) {
            (address.failures, address.paused_until) = (0, NEVER);
        }
    }

    /// Records that the address has not answered. Concurrent attempts count as one. Returns whether a pause
    /// begins.
    pub(crate) fn failed(&mut self, begun: &Begun<A>, now: Timestamp) -> bool {
        let Some(address) = self.checked.get_mut(&begun.address) else { return false };
        if address.failures != begun.failures_before {
            return false;
        }
        address.failures += 1;
        let Some(pauses_before) = address.failures.checked_sub(MOST_FAILURES) else { return false };
        let pause = SHORTEST_PAUSE.saturating_mul(1 << pauses_before.min(16)).min(LONGEST_PAUSE);
        address.paused_until = now + Lifetime::from_seconds(pause);
        true
    }
}

impl Addresses<LogoutAddress> {
    /// Orders the notices: tenants with the fewest running attempts come first, and each chosen notice counts
    /// as a running attempt for the next choice.
    pub(crate) fn in_turn(&self, due: Vec<QueuedLogout>) -> Vec<QueuedLogout> {
        let mut held = HashMap::<&TenantId, usize>::new();
        for (address, of_address) in &self.checked {
            *held.entry(&address.tenant).or_default() += of_address.in_progress();
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

    /// After a failure only one message at a time is tried.
    const fn most(&self, most: usize) -> usize {
        if self.failures == 0 { most } else { 1 }
    }

    fn has_room(&self, most: usize, now: Timestamp) -> bool {
        self.in_progress() < self.most(most) && now >= self.paused_until
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
        let mut addresses = Addresses::new(QueuedLogout::MOST_AT_ONCE as usize);
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
        let mut addresses = Addresses::new(QueuedLogout::MOST_AT_ONCE as usize);
        let begun = addresses.begin(address("a", "web"), at(0)).unwrap();
        addresses.failed(&begun, at(0));
        drop((begun, addresses.begin(address("b", "web"), at(0)).unwrap()));
        addresses.closed(at(0));
        assert_eq!(addresses.checked.len(), 1);
        addresses.closed(at(3_601));
        assert_eq!(addresses.checked.len(), 0);
    }
}
