//! Limits the number of connections, in total and for each source. If all slots are taken, a new
//! connection replaces the oldest connection that has not sent a complete request. So a client that
//! connects and sends nothing cannot keep other clients out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use secrets::CallerAddress;

use crate::{ConnectionLimits, Sample};

/// The slots of all listeners.
#[derive(Debug, Default)]
pub(crate) struct ConnectionSlots {
    limits: ConnectionLimits,
    taken: Mutex<TakenSlots>,
    refused: AtomicU64,
    evicted: AtomicU64,
}

#[derive(Debug, Default)]
struct TakenSlots {
    next: u64,
    open: usize,
    of: HashMap<CallerAddress, usize>,
    /// Connections without a complete request, oldest first.
    waiting: BTreeMap<u64, (CallerAddress, Arc<Eviction>)>,
    /// The same connections by source.
    waiting_of: BTreeSet<(CallerAddress, u64)>,
}

/// Tells a connection that it has lost its slot.
#[derive(Debug, Default)]
struct Eviction {
    evicted: AtomicBool,
    waker: AtomicWaker,
}

/// Dropping it frees the slot.
#[derive(Debug)]
pub(crate) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    number: u64,
    source: CallerAddress,
    eviction: Arc<Eviction>,
    protected: bool,
}

impl ConnectionSlots {
    pub(crate) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes a slot for a connection from this address. `None` if there is none. The limit of a
    /// source applies only when half of all slots are taken, so that a client can open a burst of
    /// connections. For a trusted proxy, which connects for many callers, only the total limit
    /// applies.
    pub(crate) fn take(self: &Arc<Self>, peer: Option<IpAddr>, is_proxy: bool) -> Option<ConnectionSlot> {
        let source = CallerAddress::new(peer);
        let mut taken = self.taken.lock();
        let of_source = taken.of.get(&source).copied().unwrap_or_default();
        let full = |open, most, oldest: Option<u64>| (open >= most).then_some(oldest);
        let is_limited = !is_proxy && taken.open >= self.limits.all / 2;
        let share = full(of_source, self.limits.of_source, taken.oldest_of(source)).filter(|_| is_limited);
        let all = || full(taken.open, self.limits.all, taken.waiting.keys().next().copied());
        if let Some(oldest) = share.or_else(all) {
            let Some(oldest) = oldest else {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            taken.evict(oldest);
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
        let number = taken.next;
        taken.next += 1;
        taken.open += 1;
        *taken.of.entry(source).or_default() += 1;
        let eviction = Arc::<Eviction>::default();
        taken.waiting.insert(number, (source, Arc::clone(&eviction)));
        taken.waiting_of.insert((source, number));
        drop(taken);
        Some(ConnectionSlot { slots: Arc::clone(self), number, source, eviction, protected: false })
    }

    pub(crate) fn samples(&self) -> [Sample; 3] {
        let open = u64::try_from(self.taken.lock().open).unwrap_or(u64::MAX);
        let refused =
            "Connections closed immediately, because all slots, or the slots of their source, were taken.";
        let evicted =
            "Connections without a complete request that were closed to make room for a newer connection.";
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            Sample::gauge("latchkey_connections", "Open connections.", &[], open),
            Sample::counter("latchkey_connections_refused_total", refused, &[], count(&self.refused)),
            Sample::counter("latchkey_connections_ousted_total", evicted, &[], count(&self.evicted)),
        ]
    }
}

impl TakenSlots {
    fn oldest_of(&self, source: CallerAddress) -> Option<u64> {
        self.waiting_of.range((source, 0)..=(source, u64::MAX)).next().map(|(_, number)| *number)
    }

    fn waits_no_longer(&mut self, number: u64) -> Option<(CallerAddress, Arc<Eviction>)> {
        let waited = self.waiting.remove(&number)?;
        self.waiting_of.remove(&(waited.0, number));
        Some(waited)
    }

    /// Frees the slot of a connection. The connection closes when its task is polled.
    fn evict(&mut self, number: u64) {
        if let Some((source, eviction)) = self.waits_no_longer(number) {
            self.free(source);
            eviction.evicted.store(true, Ordering::Release);
            eviction.waker.wake();
        }
    }

    fn free(&mut self, source: CallerAddress) {
        self.open -= 1;
        if let Some(count) = self.of.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                self.of.remove(&source);
            }
        }
    }
}

impl ConnectionSlot {
    pub(super) fn source(&self) -> CallerAddress {
        self.source
    }

    /// Call this function after a complete request. The connection then keeps its slot until it
    /// ends.
    pub(crate) fn protect(&mut self) {
        if !self.protected {
            self.protected = true;
            self.slots.taken.lock().waits_no_longer(self.number);
        }
    }

    /// Ready when the connection has lost its slot.
    pub(crate) fn poll_evicted(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.protected {
            return Poll::Pending;
        }
        self.eviction.waker.register(cx.waker());
        if self.eviction.evicted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock();
        taken.waits_no_longer(self.number);
        if !self.eviction.evicted.load(Ordering::Acquire) {
            taken.free(self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    struct Case {
        slots: Arc<ConnectionSlots>,
    }

    impl Case {
        fn new(all: usize, of_source: usize) -> Self {
            let limits = ConnectionLimits { all, of_source, ..ConnectionLimits::default() };
            Self { slots: Arc::new(ConnectionSlots::new(limits)) }
        }

        fn take(&self, address: &str) -> Option<ConnectionSlot> {
            self.slots.take(Some(address.parse().unwrap()), address.starts_with("10."))
        }

        fn numbers(&self) -> [u64; 3] {
            self.slots.samples().map(|sample| sample.value)
        }
    }

    fn is_evicted(slot: &ConnectionSlot) -> bool {
        slot.poll_evicted(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    // [limits #6]: connections | `server.max_connections`: 10 000, or three quarters of the limit of open
    //   files; once half of them are open, a quarter for one source, except trusted proxies | the oldest
    //   without a complete request is closed; else 503 with `Retry-After`
    // [found 3]
    #[test]
    fn address_over_share_loses_its_oldest_silent_connection() {
        let case = Case::new(8, 3);
        let other = case.take("192.0.2.9").unwrap();
        let mut first = case.take("192.0.2.1").unwrap();
        first.protect();
        let (second, third) = (case.take("192.0.2.1").unwrap(), case.take("192.0.2.1").unwrap());
        let fourth = case.take("192.0.2.1").unwrap();
        let evicted = [&other, &first, &second, &third, &fourth].map(is_evicted);
        assert_eq!(evicted, [false, false, true, false, false]);
        assert_eq!(case.numbers(), [4, 0, 1]);
        drop(second);
        assert_eq!(case.numbers(), [4, 0, 1], "its place was counted once");
    }

    // [third 18]
    #[test]
    fn source_share_applies_once_half_the_slots_are_taken() {
        // A process with a limit of 4096 open files.
        let slots = Arc::new(ConnectionSlots::new(ConnectionLimits::from_all(3_072)));
        let case = Case { slots };
        let held: Vec<_> = (0..1_536).map(|_| case.take("192.0.2.1").unwrap()).collect();
        assert!(!held.iter().any(is_evicted));
        let other = case.take("192.0.2.2").unwrap();
        let newest = case.take("192.0.2.1").unwrap();
        assert!(is_evicted(&held[0]) && !is_evicted(&other) && !is_evicted(&newest));
    }

    #[test]
    fn new_connection_is_refused_when_all_are_busy() {
        let case = Case::new(3, 2);
        let protected = |address: &str| {
            let mut slot = case.take(address).unwrap();
            slot.protect();
            slot
        };
        let held = [protected("192.0.2.1"), protected("192.0.2.1")];
        assert!(case.take("192.0.2.1").is_none(), "the share");
        let third = protected("192.0.2.2");
        assert!(case.take("192.0.2.3").is_none(), "all places");
        assert!(case.take("10.0.0.1").is_none(), "of a proxy too");
        assert_eq!(case.numbers(), [3, 3, 0]);
        drop((held, third));
        assert_eq!(case.numbers(), [0, 3, 0]);
        assert!(case.take("192.0.2.1").is_some());
    }

    #[test]
    fn share_exempts_trusted_proxies_and_counts_ipv6_networks() {
        let case = Case::new(10, 2);
        let proxied: Vec<_> = (0..6).map(|_| case.take("10.0.0.1").unwrap()).collect();
        assert!(!proxied.iter().any(is_evicted));
        let of_network: Vec<_> =
            (1..4).map(|host| case.take(&format!("2001:db8::{host}")).unwrap()).collect();
        assert_eq!(of_network.iter().map(is_evicted).collect::<Vec<_>>(), [true, false, false]);
    }

    // [limits #6]
    #[test]
    fn full_slots_evict_the_oldest_silent_connection() {
        let case = Case::new(3, 2);
        let held: Vec<_> = (1..4).map(|host| case.take(&format!("192.0.2.{host}")).unwrap()).collect();
        let newcomer = case.take("192.0.2.4").unwrap();
        assert_eq!(held.iter().map(is_evicted).collect::<Vec<_>>(), [true, false, false]);
        assert!(!is_evicted(&newcomer));
        assert_eq!(case.numbers(), [3, 0, 1]);
    }
}
