//! One cache entry: the loaded value with its time, the running load, and the decision for a reader. Time is
//! an argument and always monotonic.

use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use tenancy::{StoreError, Stored};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Freshness;
use crate::epochs::Epoch;
use crate::followed::Followed;

/// The pause after an unavailable store before the next load.
pub const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A row of one of the kinds; its cache knows which.
pub(crate) type Value = Arc<dyn Any + Send + Sync>;

/// The result of a read.
pub(crate) type Outcome = Stored<Option<Value>>;

/// The result of a load, for which readers wait. They go on in the order of their arrival.
pub(crate) type Flight = Shared<oneshot::Receiver<Outcome>>;

/// The entry of one key. A load writes only into the slot for which it started, and a change removes the slot
/// from the cache. So a value read before a change is never found after it.
pub(crate) struct Slot {
    epoch: Arc<Epoch>,
    freshness: Freshness,
    /// The longest age of a row that is fresh because changes are followed.
    read_again_after: Duration,
    followed: Arc<Followed>,
    retired: AtomicBool,
    /// The last size that the cache was given, in bytes.
    weight: AtomicU32,
    /// Whether its value was read since its tenant last looked for an entry to give up.
    used: AtomicBool,
    /// Whether it is among the entries that its tenant can give up.
    listed: AtomicBool,
    state: RwLock<SlotState>,
}

struct SlotState {
    loaded: Option<LoadedValue>,
    /// The value of the previous slot, until this slot has one. It is from before a change, so no reader gets
    /// it.
    earlier: Option<Value>,
    /// When the store was last found unavailable, if it has not answered since.
    unavailable: Option<(Instant, StoreError)>,
    flight: Option<Flight>,
    /// For what the running load has read before the first instant: it is fresh until the second one.
    limit: Option<(Instant, Instant)>,
}

struct LoadedValue {
    value: Option<Value>,
    /// When the store was read.
    at: Instant,
    /// Whether another replica has read it.
    is_shared: bool,
}

/// The decision for a reader without a fresh value.
pub(crate) struct NextRead {
    /// Start a load and report its result here.
    pub(crate) load: Option<oneshot::Sender<Outcome>>,
    /// How to get the answer.
    pub(crate) answer: Answer,
}

/// How a reader gets its answer.
pub(crate) enum Answer {
    /// The fresh answer.
    Known(Outcome),
    /// The stale answer, while the store is unavailable.
    Stale(Value),
    /// The answer of a running load.
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

    /// The size of the slot in the cache, in bytes.
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Sets the size and returns whether it changed.
    pub(crate) fn weigh(&self, weight: u32) -> bool {
        let before = self.weight.swap(weight, Ordering::Relaxed);
        self.epoch.add(weight);
        self.epoch.subtract(before);
        before != weight
    }

    /// The size of all entries of its tenant, in bytes.
    pub(crate) fn bytes_of_tenant(&self) -> u64 {
        self.epoch.bytes()
    }

    /// Notes that the value was read. A set flag is not written again, so that readers do not take the cache
    /// line from each other.
    pub(crate) fn note_use(&self) {
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Whether its value was read since the last call.
    pub(crate) fn take_use(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// Whether this is the first call.
    pub(crate) fn is_new(&self) -> bool {
        !self.listed.swap(true, Ordering::Relaxed)
    }

    /// Whether no change has removed the slot.
    pub(crate) fn is_current(&self) -> bool {
        !self.retired.load(Ordering::Acquire) && !self.epoch.has_ended()
    }

    /// Removes the slot: later readers must not read here.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// The value, if it is fresh.
    pub(crate) fn fresh(&self, now: Instant) -> Option<Option<Value>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = state.loaded.as_ref().filter(|loaded| now < self.expires(loaded));
        fresh.map(|loaded| loaded.value.clone())
    }

    /// Lets the value be fresh for this long at most, and what a running load has read until now.
    pub(crate) fn expire_within(&self, now: Instant, remaining: Duration) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let expires = now + remaining;
        if let Some(loaded) = &mut state.loaded {
            loaded.expire(expires, self.freshness);
        }
        state.limit = state.flight.is_some().then_some((now, expires));
    }

    /// Whether what is loaded was no longer fresh before this instant.
    pub(crate) fn had_expired(&self, at: Instant) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.loaded.as_ref().is_some_and(|loaded| self.expires(loaded) < at)
    }

    /// The last moment at which the store is known to have held what was loaded. New rows are not always
    /// told, so an absence is known by its reading alone.
    fn known(&self, loaded: &LoadedValue) -> Instant {
        if loaded.is_shared || loaded.value.is_none() { loaded.at } else { self.followed.known(loaded.at) }
    }

    /// The end of freshness.
    fn expires(&self, loaded: &LoadedValue) -> Instant {
        let expires = self.known(loaded) + self.freshness.of(loaded.value.as_ref());
        expires.min(loaded.at + self.read_again_after)
    }

    /// The value, however old.
    pub(crate) fn last(&self) -> Option<Value> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.loaded.as_ref().and_then(|loaded| loaded.value.clone())
    }

    /// The last value, or the value of the previous slot. A load may begin with it.
    pub(crate) fn earlier(&self) -> Option<Value> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let own = state.loaded.as_ref().map(|loaded| loaded.value.clone());
        own.unwrap_or_else(|| state.earlier.clone())
    }

    /// What the next slot may serve stale: another history of the store ended this one, and no change.
    fn outdated(&self) -> Option<LoadedValue> {
        let is_outdated = self.epoch.has_ended_by_history() && !self.retired.load(Ordering::Acquire);
        let value = self.last().filter(|_| is_outdated)?;
        let at = Instant::now().checked_sub(self.freshness.of(Some(&value)))?;
        Some(LoadedValue { value: Some(value), at, is_shared: false })
    }

    /// The decision when nothing is fresh. A reader waits for a load while the store may be available.
    /// Once it is unavailable, one load at a time retries; readers with a stale value do not wait, and
    /// during the pause no reader waits.
    pub(crate) fn next(&self, now: Instant, stale_if_error: &dyn Fn(&Value) -> Duration) -> NextRead {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
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
            // A failure of long ago says nothing about the current state of the store.
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

    /// Ends a load: a value or an absence is cached, an unavailable store starts the
    /// pause, a fault is not cached.
    pub(crate) fn land(
        &self,
        at: Instant,
        is_shared: bool,
        now: Instant,
        outcome: Outcome,
        load: oneshot::Sender<Outcome>,
    ) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
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

    /// The stale value, if one may serve.
    pub(crate) fn stale(&self, now: Instant, stale_if_error: &dyn Fn(&Value) -> Duration) -> Option<Value> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.stale_of(&state, now, stale_if_error)
    }

    /// `stale-if-error` counts from the end of freshness (RFC 5861 §4). An absence is never served stale: the
    /// row may exist by now, and "unknown" instead of "unavailable" would be wrong.
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

/// An entry that a change or an eviction has removed no longer counts for its tenant.
impl Drop for Slot {
    fn drop(&mut self) {
        self.epoch.subtract(*self.weight.get_mut());
    }
}

impl SlotState {
    /// The running load; a load that ended by a panic or with its worker does not count.
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
