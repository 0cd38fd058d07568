//! A fetched value with its schedule. One fetch runs at a time, in a separate task, whatever the number of
//! callers. Reading a fresh value takes no lock.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::verifying::clock::{Clock, Moment};
use crate::verifying::schedule::{Attempts, Use, UseDuration};

/// The longest wait of a caller for a fetch.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The value cannot be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub(crate) retry_after: Duration,
}

/// A value with the time for which it is used.
#[derive(Debug)]
pub(crate) struct CachedValue<T> {
    pub(crate) value: Arc<T>,
    pub(crate) freshness: UseDuration,
    pub(crate) etag: Option<String>,
}

/// A value and its fetches.
pub(crate) struct Cached<T> {
    held: ArcSwapOption<CachedValue<T>>,
    attempts: Mutex<Attempts>,
    /// Tells waiting callers that a fetch ended.
    ended: Notify,
}

/// Ends a fetch also if it panics or is dropped with its runtime.
struct FetchGuard<T> {
    cached: Arc<Cached<T>>,
    clock: Arc<dyn Clock>,
    fetched: Option<CachedValue<T>>,
}

impl<T: Send + Sync + 'static> Cached<T> {
    pub(crate) fn new() -> Arc<Self> {
        let ended = Notify::new();
        Arc::new(Self { held: ArcSwapOption::empty(), attempts: Mutex::default(), ended })
    }

    /// A value that is never fetched.
    pub(crate) fn fixed(value: T) -> Arc<Self> {
        let cached = Self::new();
        let at = Moment { monotonic: Duration::ZERO, unix: Duration::ZERO };
        let freshness =
            UseDuration { at, fresh: Duration::MAX, revalidate: Duration::ZERO, stale: Duration::ZERO };
        cached.held.store(Some(Arc::new(CachedValue { value: Arc::new(value), freshness, etag: None })));
        cached
    }

    /// The value, whether it may be used or not.
    pub(crate) fn held(&self) -> Option<Arc<CachedValue<T>>> {
        self.held.load_full()
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.attempts().failures > 0
    }

    /// The value, if it may be used without waiting. Starts a fetch if one is due and there is a runtime.
    pub(crate) fn get_now<F>(
        self: &Arc<Self>,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<CachedValue<T>>, Unavailable>
    where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        let (held, decided, attempts) = self.decide(clock);
        if matches!(decided, Use::ServeAndFetch | Use::Wait) && tokio::runtime::Handle::try_current().is_ok()
        {
            self.start(&attempts, clock, fetch);
        }
        let is_served = matches!(decided, Use::Serve | Use::ServeAndFetch);
        held.filter(|_| is_served).ok_or_else(|| self.unavailable(clock.now()))
    }

    /// The value; waits for a fetch where there is none that may be used.
    pub(crate) async fn get<F>(
        self: &Arc<Self>,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<CachedValue<T>>, Unavailable>
    where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        let (held, decided, attempts) = self.decide(clock);
        match (decided, held) {
            (Use::Serve, Some(held)) => return Ok(held),
            (Use::ServeAndFetch, Some(held)) => {
                self.start(&attempts, clock, fetch);
                return Ok(held);
            }
            (Use::Refuse, _) => return Err(self.unavailable(clock.now())),
            _ => {}
        }
        self.wait(&attempts, clock, fetch).await;
        let now = clock.now();
        self.held().filter(|held| held.freshness.is_usable(now)).ok_or_else(|| self.unavailable(now))
    }

    /// A later value than this one, which lacks something. Waits for one fetch, unless one has ended during
    /// the cool-down. `None` means that there is no later one. An error means that this is unknown, because
    /// the last fetch failed.
    pub(crate) async fn later_than<F>(
        self: &Arc<Self>,
        lacking: &Arc<CachedValue<T>>,
        cool_down: Duration,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Option<Arc<CachedValue<T>>>, Unavailable>
    where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        let attempts = self.attempts();
        if attempts.is_running || attempts.may_start_for_missing(clock.now(), cool_down) {
            self.wait(&attempts, clock, fetch).await;
        }
        let later = self.held().filter(|held| !Arc::ptr_eq(held, lacking));
        let attempts = self.attempts();
        if later.is_none() && (attempts.failures > 0 || attempts.is_running) {
            return Err(self.unavailable(clock.now()));
        }
        Ok(later)
    }

    /// Does so without waiting: starts a fetch if one may start and there is a runtime. The result of the
    /// fetch is unknown then.
    pub(crate) fn later_than_now<F>(
        self: &Arc<Self>,
        cool_down: Duration,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Option<Arc<CachedValue<T>>>, Unavailable>
    where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        let attempts = self.attempts();
        let starts = attempts.may_start_for_missing(clock.now(), cool_down);
        if starts && tokio::runtime::Handle::try_current().is_ok() {
            self.start(&attempts, clock, fetch);
        }
        if starts || attempts.is_running || attempts.failures > 0 {
            return Err(self.unavailable(clock.now()));
        }
        Ok(None)
    }

    /// The step of a use, and the attempts on which it was decided.
    fn decide(&self, clock: &Arc<dyn Clock>) -> (Option<Arc<CachedValue<T>>>, Use, Attempts) {
        let (held, now) = (self.held(), clock.now());
        let is_fresh = |held: &Arc<CachedValue<T>>| now.since(held.freshness.at) < held.freshness.fresh;
        if held.as_ref().is_some_and(is_fresh) {
            return (held, Use::Serve, Attempts::default());
        }
        let attempts = self.attempts();
        let decided = attempts.decide(held.as_ref().map(|held| &held.freshness), now);
        (held, decided, attempts)
    }

    fn attempts(&self) -> Attempts {
        *self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unavailable(&self, now: Moment) -> Unavailable {
        let seconds = self.attempts().wait(now).as_secs().max(1);
        Unavailable { retry_after: Duration::from_secs(seconds) }
    }

    /// Starts a fetch, unless one runs. Returns whether one runs now. None does if one has ended since the
    /// decision.
    fn start<F>(
        self: &Arc<Self>,
        decided_on: &Attempts,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) -> bool
    where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        {
            let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            if attempts.count != decided_on.count || attempts.is_running {
                return attempts.is_running;
            }
            attempts.is_running = true;
        }
        let flight = FetchGuard { cached: Arc::clone(self), clock: Arc::clone(clock), fetched: None };
        let fetch = fetch();
        tokio::spawn(async move {
            // The whole flight moves into the task, so that it ends with the task.
            let mut flight = flight;
            flight.fetched = fetch.await;
        });
        true
    }

    /// Waits for the end of a fetch, and starts one unless one runs.
    async fn wait<F>(
        self: &Arc<Self>,
        decided_on: &Attempts,
        clock: &Arc<dyn Clock>,
        fetch: impl FnOnce() -> F,
    ) where
        F: Future<Output = Option<CachedValue<T>>> + Send + 'static,
    {
        let mut ended = pin!(self.ended.notified());
        // A fetch that ends before the first poll counts, too.
        ended.as_mut().enable();
        if self.start(decided_on, clock, fetch) {
            // If the fetch does not end in time, the caller continues with the present value.
            let _ = timeout(LONGEST_WAIT, ended).await;
        }
    }
}

impl<T> Drop for FetchGuard<T> {
    fn drop(&mut self) {
        let cached = &self.cached;
        {
            let mut attempts = cached.attempts.lock().unwrap_or_else(PoisonError::into_inner);
            attempts.is_running = false;
            attempts.count += 1;
            attempts.ended = Some(self.clock.now());
            attempts.failures = if self.fetched.is_some() { 0 } else { attempts.failures.saturating_add(1) };
            if let Some(fetched) = self.fetched.take() {
                cached.held.store(Some(Arc::new(fetched)));
            }
        }
        cached.ended.notify_waiters();
    }
}
