//! One cached token and its renewal. One request runs at a time, whatever the number of callers. A caller
//! that is dropped changes nothing for others, and no request outlives its entry.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use crate::error::TokenError;
use crate::fetch::{Failure, Fetch};
use crate::moment::Clocks;
use crate::observer::{Observer, Served};
use crate::schedule::Phase;
use crate::state::{Action, Cacheable as _, Event, Pause, TokenState};
use crate::status::Status;
use crate::token::{AccessToken, TokenContent};

type Outcome = Result<AccessToken, TokenError>;

/// One cached token.
pub(crate) struct TokenEntry {
    /// The cached token. Most callers read it without a lock.
    cached: ArcSwapOption<TokenContent>,
    shared: Mutex<EntryShared>,
    /// The running request. It is locked while it is started, so that the newest one is stored.
    task: Mutex<Option<AbortHandle>>,
    fetch: Box<dyn Fetch>,
    clock: Clocks,
    /// How long a caller waits.
    timeout: Duration,
    observer: Option<Arc<dyn Observer>>,
    /// When it was used last, in seconds.
    used: AtomicU64,
}

struct EntryShared {
    state: TokenState<AccessToken, TokenError>,
    outcome: watch::Receiver<Option<Outcome>>,
}

impl TokenEntry {
    pub(crate) fn new(
        fetch: Box<dyn Fetch>,
        clock: Clocks,
        timeout: Duration,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        let shared = EntryShared { state: TokenState::new(), outcome: watch::channel(None).1 };
        Self {
            cached: ArcSwapOption::empty(),
            shared: Mutex::new(shared),
            task: Mutex::new(None),
            used: AtomicU64::new(clock.now().monotonic.as_secs()),
            fetch,
            clock,
            timeout,
            observer,
        }
    }

    /// Returns the part of a token that `read` takes, for a caller.
    pub(crate) async fn token<T>(
        self: &Arc<Self>,
        read: fn(&Arc<TokenContent>) -> T,
    ) -> Result<T, TokenError> {
        let outcome = self.read(read).await;
        if let Some(observer) = &self.observer {
            observer.served(outcome.as_ref().map_or(Served::Failed, |(_, served)| *served));
        }
        outcome.map(|(value, _)| value)
    }

    /// Returns at once if the cached token is fresh.
    pub(crate) async fn read<T>(
        self: &Arc<Self>,
        read: fn(&Arc<TokenContent>) -> T,
    ) -> Result<(T, Served), TokenError> {
        match self.fresh(read) {
            Some(value) => Ok((value, Served::Cached)),
            None => self.renewed().await.map(|(token, served)| (read(&token.0), served)),
        }
    }

    /// Reads the token without a lock, an allocation or waiting.
    fn fresh<T>(&self, read: fn(&Arc<TokenContent>) -> T) -> Option<T> {
        let cached = self.cached.load();
        let token = cached.as_ref()?;
        let now = self.clock.now();
        self.touch(now.monotonic.as_secs());
        (token.life.phase(now) == Phase::Fresh).then(|| read(token))
    }

    /// The cached token until its end.
    pub(crate) fn cached(&self) -> Option<AccessToken> {
        let token = AccessToken(self.cached.load_full()?);
        (token.life().phase(self.clock.now()) != Phase::Ended).then_some(token)
    }

    /// Notes the second of the last use. Written once a second, so that cores do not contend for it.
    fn touch(&self, second: u64) {
        if self.used.load(Ordering::Relaxed) != second {
            self.used.store(second, Ordering::Relaxed);
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Steps the state machine, and waits if it says so.
    async fn renewed(self: &Arc<Self>) -> Result<(AccessToken, Served), TokenError> {
        let mut served = Served::Renewing;
        let waits_until = Instant::now() + self.timeout;
        loop {
            let (action, mut outcome) = self.wanted();
            let otherwise = match action {
                Action::Serve(token) | Action::ServeAndBegin(token) => return Ok((token, served)),
                Action::Fail(error, rest) => return Err(error.with_retry_after(rest)),
                Action::Wait { otherwise, .. } => otherwise,
                Action::Dropped | Action::Nothing => None,
            };
            served = Served::Waited;
            // Half of the rest: the old token must still be of use.
            let until = otherwise.as_ref().map_or(waits_until, |token| {
                waits_until.min(Instant::now() + token.life().rest(self.clock.now()) / 2)
            });
            let waited = timeout_at(until, outcome.wait_for(Option::is_some)).await;
            let waited = waited.map(|outcome| outcome.ok().and_then(|outcome| outcome.clone()));
            let now = self.clock.now();
            let is_good = |token: &AccessToken| token.life().phase(now) != Phase::Ended;
            match (waited, otherwise.filter(is_good)) {
                (Ok(Some(Ok(token))), _) if is_good(&token) || token.life().is_for_once() => {
                    return Ok((token, served));
                }
                (_, Some(token)) => return Ok((token, served)),
                (Ok(Some(Err(error))), None) => return Err(error),
                // The token ended before this caller had its turn, or the wait ended with the old token.
                (_, None) if Instant::now() < waits_until => {}
                (_, None) => return Err(TokenError::TimedOut { after: self.timeout }),
            }
        }
    }

    /// Steps the state machine, and begins the request if it says so. The receiver is that of the running
    /// request.
    fn wanted(self: &Arc<Self>) -> (Action<AccessToken, TokenError>, watch::Receiver<Option<Outcome>>) {
        let now = self.clock.now();
        self.touch(now.monotonic.as_secs());
        let mut shared = self.shared();
        let action = shared.state.step(Event::Wanted, now);
        if !matches!(action, Action::ServeAndBegin(_) | Action::Wait { begin: true, .. }) {
            return (action, shared.outcome.clone());
        }
        // The decision and this have the same lock: a caller that comes now waits for this request, not for
        // the previous one.
        let (sender, outcome) = watch::channel(None);
        shared.outcome = outcome.clone();
        drop(shared);
        self.begin(Landing { entry: Arc::downgrade(self), sender, has_landed: false });
        (action, outcome)
    }

    fn begin(&self, mut landing: Landing) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(runtime) = Handle::try_current() else {
            landing.land(Err((TokenError::unavailable("there is no tokio runtime"), Pause::WhileServed)));
            return;
        };
        let fetch = self.fetch.fetch();
        let running = runtime.spawn(async move { landing.land(fetch.await) });
        *task = Some(running.abort_handle());
    }

    /// The result says how long callers without a token get the same error.
    fn landed(&self, outcome: &Result<AccessToken, Failure>) -> Option<Duration> {
        let event = match outcome {
            Ok(token) => Event::Fetched(token.clone()),
            Err((error, pause)) => Event::Failed(error.clone(), *pause),
        };
        let mut shared = self.shared();
        let now = self.clock.now();
        shared.state.step(event, now);
        self.publish(&shared);
        shared.state.refusal(now)
    }

    /// Drops the token if it is the cached one.
    pub(crate) fn invalidate(&self, token: &AccessToken) -> bool {
        let mut shared = self.shared();
        let action = shared.state.step(Event::Refused(token.clone()), self.clock.now());
        self.publish(&shared);
        drop(shared);
        let is_dropped = matches!(action, Action::Dropped);
        if let Some(observer) = self.observer.as_ref().filter(|_| is_dropped) {
            observer.dropped();
        }
        is_dropped
    }

    /// Drops the token; the next caller fetches another one.
    pub(crate) fn forget(&self) {
        let mut shared = self.shared();
        shared.state.forget();
        self.publish(&shared);
    }

    /// Under the lock, so that the newest state is published last.
    fn publish(&self, shared: &EntryShared) {
        self.cached.store(shared.state.cached().map(|token| Arc::clone(&token.0)));
    }

    pub(crate) fn status(&self) -> Status {
        let now = self.clock.now();
        let shared = self.shared();
        let token = shared.state.cached().filter(|token| token.life().phase(now) != Phase::Ended);
        let failure = shared.state.failure(now);
        Status {
            expires_in: token.map(|token| token.life().rest(now)),
            renews_in: token
                .map(|token| token.life().schedule.renew().saturating_sub(now.since(token.life().begun))),
            is_renewing: shared.state.is_fetching(),
            retry_in: failure.map(|(_, rest)| rest),
            last_error: failure.map(|(error, _)| error.clone()),
        }
    }

    fn shared(&self) -> MutexGuard<'_, EntryShared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TokenEntry {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

/// Notifies the entry and all waiting callers when the request has ended, even by a panic or the end of its
/// runtime.
struct Landing {
    entry: Weak<TokenEntry>,
    sender: watch::Sender<Option<Outcome>>,
    has_landed: bool,
}

impl Landing {
    fn land(&mut self, outcome: Result<AccessToken, Failure>) {
        self.has_landed = true;
        let rest = self.entry.upgrade().and_then(|entry| entry.landed(&outcome));
        let told = |error: TokenError| match rest {
            Some(rest) => error.with_retry_after(rest),
            None => error,
        };
        self.sender.send_replace(Some(outcome.map_err(|(error, _)| told(error))));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if !self.has_landed {
            self.land(Err((TokenError::unavailable("the request was ended early"), Pause::WhileServed)));
        }
    }
}

#[cfg(test)]
mod tests;
