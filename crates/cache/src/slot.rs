//! One cache entry: the loaded value and its time, the running load, and the decision what a reader does. The
//! current time is an argument and always monotonic.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use parking_lot::RwLock;
use tenancy::{StoreError, Stored};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Freshness;
use crate::epochs::Epoch;
use crate::followed::Followed;

/// The pause between two loads while the store is unavailable.
pub const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A row without its type, which the cache knows.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

pub(crate) type Outcome = Stored<Option<Value>>;

/// A running load. Its readers continue in the order of their arrival.
pub(crate) type Flight = Shared<oneshot::Receiver<Outcome>>;

/// The entry of one key. A load writes only into the slot that it started for, and a change removes the slot
/// from the cache. So a value from before a change is never found after the change.
pub(crate) struct Slot {
    epoch: Arc<Epoch>,
    freshness: Freshness,
    /// The maximum age of a row, even if changes are followed.
    read_again_after: Duration,
    followed: Arc<Followed>,
    retired: AtomicBool,
    /// The last size that was reported to the cache, in bytes.
    weight: AtomicU32,
    /// Whether the value was read since the last call of [`Slot::take_use`].
    used: AtomicBool,
    /// Whether the entry is in the list of its tenant ([`Shares`](crate::shares::Shares)).
    listed: AtomicBool,
    state: RwLock<SlotState>,
}

struct SlotState {
    loaded: Option<LoadedValue>,
    /// The value of the previous slot, until this slot has its own. It may be from before a change, so it is
    /// never returned to readers.
    earlier: Option<Value>,
    /// The last failure of the store, if the store has not answered since.
    unavailable: Option<(Instant, StoreError)>,
    flight: Option<Flight>,
    /// A value that the running load read before the first time is fresh only until the second time.
    limit: Option<(Instant, Instant)>,
}

struct LoadedValue {
    value: Option<Value>,
    /// When the store was read.
    at: Instant,
    /// Whether another replica read the value.
    is_shared: bool,
}

/// What a reader without a fresh value does.
pub(crate) struct NextRead {
    /// If present: start a load, and send its result here.
    pub(crate) load: Option<oneshot::Sender<Outcome>>,
    pub(crate) answer: Answer,
}

pub(crate) enum Answer {
    Known(Outcome),
    /// A stale value, because the store is unavailable.
    Stale(Value),
    /// The result of a running load.
    Awaited(Flight),
}

impl Slot {
    pub(crate) fn new(
        epoch: Arc<Epoch>,
        (freshness, read_again_after, followed): (Freshness, Duration, Arc<Followed>),
        weight: u32,
        previous: Option<&Self>,
    ) -> Self {
        let state = SlotState {
            loaded: previous.and_then(Self::outdated),
            earlier: previous.and_then(Self::earlier),
            unavailable: None,
            flight: None,
            limit: None,
        };
        epoch.add(weight);
        let [retired, used, listed] = [(); 3].map(|()| AtomicBool::new(false));
        let weight = AtomicU32::new(weight);
        let state = RwLock::new(state);
        Self { epoch, freshness, read_again_after, followed, retired, weight, used, listed, state }
    }

    /// The size in bytes.
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Sets the size in bytes and returns whether it changed.
    pub(crate) fn weigh(&self, weight: u32) -> bool {
        let before = self.weight.swap(weight, Ordering::Relaxed);
        self.epoch.add(weight);
        self.epoch.subtract(before);
        before != weight
    }

    /// The size of all entries of the tenant in bytes.
    pub(crate) fn bytes_of_tenant(&self) -> u64 {
        self.epoch.bytes()
    }

    /// Records that the value was read. Does not write a flag that is already set, so that readers do not
    /// invalidate each other's cache line.
    pub(crate) fn note_use(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the value was read since the last call.
    pub(crate) fn take_use(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Returns `true` only at the first call.
    pub(crate) fn is_new(&self) -> bool {
        !self.listed.swap(true, Ordering::Relaxed)
    }

    /// Whether no change has removed the slot.
    pub(crate) fn is_current(&self) -> bool {
        !self.retired.load(Ordering::Acquire) && !self.epoch.has_ended()
    }

    /// Marks the slot as removed, so that later readers do not use it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// The value, or a negative result, if it is fresh.
    pub(crate) fn fresh(&self, now: Instant) -> Option<Option<Value>> {
        let state = self.state.read();
        let fresh = state.loaded.as_ref().filter(|loaded| now < self.expires(loaded));
        fresh.map(|loaded| loaded.value.clone())
    }

    /// Limits the freshness of the value to `remaining`, also for a value that the running load has already
    /// read.
    pub(crate) fn expire_within(&self, now: Instant, remaining: Duration) {
        let mut state = self.state.write();
        let expires = now + remaining;
        if let Some(loaded) = &mut state.loaded {
            loaded.expire(expires, self.freshness);
        }
        state.limit = state.flight.is_some().then_some((now, expires));
    }

    /// Whether the loaded value was already stale at this time.
    pub(crate) fn had_expired(&self, at: Instant) -> bool {
        let state = self.state.read();
        state.loaded.as_ref().is_some_and(|loaded| self.expires(loaded) < at)
    }

    /// The latest time at which the loaded value is known to be current. A negative result only counts from
    /// its own reading, because new rows are not always reported.
    fn known(&self, loaded: &LoadedValue) -> Instant {
        if loaded.is_shared || loaded.value.is_none() { loaded.at } else { self.followed.known(loaded.at) }
    }

    /// The end of the value's freshness.
    fn expires(&self, loaded: &LoadedValue) -> Instant {
        let expires = self.known(loaded) + self.freshness.of(loaded.value.as_ref());
        expires.min(loaded.at + self.read_again_after)
    }

    /// The value, even if it is stale.
    pub(crate) fn last(&self) -> Option<Value> {
        let state = self.state.read();
        state.loaded.as_ref().and_then(|loaded| loaded.value.clone())
    }

    /// The last value, or that of the previous slot, as a start for a load.
    pub(crate) fn earlier(&self) -> Option<Value> {
        let state = self.state.read();
        let own = state.loaded.as_ref().map(|loaded| loaded.value.clone());
        own.unwrap_or_else(|| state.earlier.clone())
    }

    /// The value that the next slot may serve stale, if this slot was ended by a new history of the store and
    /// not by a change.
    fn outdated(&self) -> Option<LoadedValue> {
        let is_outdated = self.epoch.has_ended_by_history() && !self.retired.load(Ordering::Acquire);
        let value = self.last().filter(|_| is_outdated)?;
        let at = Instant::now().checked_sub(self.freshness.of(Some(&value)))?;
        Some(LoadedValue { value: Some(value), at, is_shared: false })
    }

    /// What a reader does without a fresh value. If the store may be available, the reader waits for a load.
    /// While the store is unavailable, one load at a time tries again: readers with a stale value do not wait
    /// for the load, and no reader waits during the pause after a failure.
    pub(crate) fn next(&self, now: Instant, stale_if_error: &dyn Fn(&Value) -> Duration) -> NextRead {
        let mut state = self.state.write();
        if let Some(loaded) = state.loaded.as_ref().filter(|loaded| now < self.expires(loaded)) {
            return NextRead { load: None, answer: Answer::Known(Ok(loaded.value.clone())) };
        }
        let stale = self.stale_of(&state, now, stale_if_error);
        if let Some((at, error)) = &state.unavailable {
            let since = now.saturating_duration_since(*at);
            if since < RETRY_PAUSE {
                return NextRead {
                    load: None,
                    answer: stale.map_or_else(|| Answer::Known(Err(error.clone())), Answer::Stale),
                };
            }
            // An old failure says nothing about the current state of the store.
            if since < self.freshness.of_values()
                && let Some(stale) = stale
            {
                let load = if state.flight().is_some() { None } else { Some(state.depart().0) };
                return NextRead { load, answer: Answer::Stale(stale) };
            }
        }
        match state.flight() {
            Some(flight) => NextRead { load: None, answer: Answer::Awaited(flight) },
            None => {
                let (load, flight) = state.depart();
                NextRead { load: Some(load), answer: Answer::Awaited(flight) }
            }
        }
    }

    /// Ends a load. Caches a value or a negative result. If the store is unavailable, starts the pause. Other
    /// errors are not cached.
    pub(crate) fn land(
        &self,
        at: Instant,
        is_shared: bool,
        now: Instant,
        outcome: Outcome,
        load: oneshot::Sender<Outcome>,
    ) {
        let mut state = self.state.write();
        state.flight = None;
        state.unavailable = None;
        let limit = state.limit.take();
        match &outcome {
            Ok(value) => {
                let mut loaded = LoadedValue { value: value.clone(), at, is_shared };
                if let Some((_, expires)) = limit.filter(|(began, _)| at <= *began) {
                    loaded.expire(expires, self.freshness);
                }
                state.loaded = Some(loaded);
                state.earlier = None;
            }
            Err(StoreError::Unavailable(cause)) => {
                state.unavailable = Some((now, StoreError::Unavailable(Arc::clone(cause))));
            }
            Err(StoreError::Fault(_)) => {}
        }
        drop(state);
        let _ = load.send(outcome);
    }

    /// The stale value, if it may be served.
    pub(crate) fn stale(&self, now: Instant, stale_if_error: &dyn Fn(&Value) -> Duration) -> Option<Value> {
        let state = self.state.read();
        self.stale_of(&state, now, stale_if_error)
    }

    /// `stale-if-error` counts from the end of freshness (RFC 5861 §4). A negative result is never served
    /// stale: the row may exist by now, and "unknown" would be wrong instead of "unavailable".
    fn stale_of(
        &self,
        state: &SlotState,
        now: Instant,
        stale_if_error: &dyn Fn(&Value) -> Duration,
    ) -> Option<Value> {
        let loaded = state.loaded.as_ref()?;
        let value = loaded.value.as_ref()?;
        let age = now.saturating_duration_since(self.known(loaded));
        (age < self.freshness.of_values().saturating_add(stale_if_error(value))).then(|| Arc::clone(value))
    }
}

/// Subtracts a removed entry from the bytes of its tenant.
impl Drop for Slot {
    fn drop(&mut self) {
        self.epoch.subtract(*self.weight.get_mut());
    }
}

impl SlotState {
    /// The running load. A load that ended by a panic or with its worker does not count.
    fn flight(&self) -> Option<Flight> {
        let has_ended = |flight: &Flight| matches!(flight.clone().now_or_never(), Some(Err(_)));
        self.flight.as_ref().filter(|flight| !has_ended(flight)).cloned()
    }

    fn depart(&mut self) -> (oneshot::Sender<Outcome>, Flight) {
        let (load, flight) = oneshot::channel();
        let flight = flight.shared();
        self.flight = Some(flight.clone());
        (load, flight)
    }
}

impl LoadedValue {
    fn expire(&mut self, expires: Instant, freshness: Freshness) {
        let at = expires.checked_sub(freshness.of(self.value.as_ref())).unwrap_or(self.at);
        self.at = self.at.min(at);
    }
}
