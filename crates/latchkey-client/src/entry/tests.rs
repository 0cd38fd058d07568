//! Tests an entry with a simulated clock, and with a fetch that a test controls.

use std::sync::atomic::AtomicBool;

use tokio::time::{advance, sleep};

use super::*;
use crate::credential::BoxFuture;
use crate::token::tests::token;

const HOUR: Duration = Duration::from_secs(3600);

/// A fetch with a given result, which counts its calls.
#[derive(Clone)]
struct Fake {
    clock: Clocks,
    lifetime: Duration,
    latency: Duration,
    fetches: Arc<AtomicU64>,
    running: Arc<AtomicU64>,
    fails: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

/// Counts a fetch until it finishes or is dropped.
struct Running(Arc<AtomicU64>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fetch for Fake {
    fn fetch(&self) -> BoxFuture<'static, Result<AccessToken, Failure>> {
        let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "one fetch at a time");
        let running = Running(Arc::clone(&self.running));
        let fetched = token(&format!("token-{number}"), self.lifetime, 0.0, &self.clock);
        let (fails, panics) = (self.fails.load(Ordering::SeqCst), self.panics.load(Ordering::SeqCst));
        let latency = self.latency;
        Box::pin(async move {
            sleep(latency).await;
            drop(running);
            assert!(!panics, "a fault in the fetch");
            if fails { Err((TokenError::unavailable("down"), Pause::WhileServed)) } else { Ok(fetched) }
        })
    }
}

struct Tested {
    entry: Arc<TokenEntry>,
    wall: Arc<AtomicU64>,
    fake: Fake,
}

impl Tested {
    fn new(lifetime: Duration, latency: Duration) -> Self {
        let wall = Arc::new(AtomicU64::new(1_800_000_000));
        let clock = Clocks { simulated: Some(Arc::clone(&wall)), ..Clocks::new() };
        let (fetches, running, fails, panics) = Default::default();
        let fake = Fake { clock: clock.clone(), lifetime, latency, fetches, running, fails, panics };
        let entry = TokenEntry::new(Box::new(fake.clone()), clock, Duration::from_secs(10), None);
        Self { entry: Arc::new(entry), wall, fake }
    }

    async fn get(&self) -> Result<String, TokenError> {
        let token = self.entry.token(|token| AccessToken(Arc::clone(token))).await?;
        assert!(token.life().phase(self.fake.clock.now()) != Phase::Ended, "an ended token was handed out");
        Ok(token.expose().to_owned())
    }

    fn fetches(&self) -> u64 {
        self.fake.fetches.load(Ordering::SeqCst)
    }
}

/// Simulates 24 hours with `callers` callers at each tick. The loop calculates the expected number of
/// requests.
async fn a_day(lifetime: Duration, tick: Duration, callers: u32) {
    let latency = Duration::from_millis(20);
    let tested = Tested::new(lifetime, latency);
    let early = Duration::from_secs(300).min(lifetime / 10);
    let day = Duration::from_secs(24 * 3600);
    let (mut now, mut begun, mut expected) = (Duration::ZERO, None::<Duration>, 0);
    let start = Instant::now();
    while now < day {
        if begun.is_none_or(|begun| now - begun >= lifetime - early) {
            (begun, expected) = (Some(now), expected + 1);
        }
        for _ in 0..callers {
            tested.get().await.unwrap();
        }
        now += tick;
        tokio::time::sleep_until(start + now).await;
    }
    assert_eq!(tested.fetches(), expected, "{lifetime:?}, {callers} callers");
}

#[tokio::test(start_paused = true)]
async fn no_expired_token_is_used_in_a_day() {
    for seconds in [2, 60, 300, 3600, 86_400] {
        let lifetime = Duration::from_secs(seconds);
        a_day(lifetime, (lifetime / 8).min(Duration::from_secs(1)), 1).await;
        a_day(lifetime, Duration::from_secs(20), 100).await;
        a_day(lifetime, Duration::from_secs(1800), 10_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn token_age_decides_how_callers_are_served() {
    let tested = Tested::new(HOUR, Duration::from_secs(4));
    let mut served = Vec::new();
    // The first fetch takes 4 s, and the renewal is due at 3300 s.
    for pause in [0, 3295, 1, 10] {
        sleep(Duration::from_secs(pause)).await;
        served.push(tested.entry.read(|_| ()).await.unwrap().1);
    }
    assert_eq!(served, [Served::Waited, Served::Cached, Served::Renewing, Served::Cached]);
    // Callers wait in the last 10 s, and get the old token if the renewal fails.
    tested.fake.fails.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(3582)).await;
    assert_eq!(tested.entry.read(|_| ()).await.unwrap().1, Served::Waited);
}

#[tokio::test(start_paused = true)]
async fn no_caller_waits_while_a_renewal_runs() {
    let tested = Tested::new(HOUR, Duration::from_secs(4));
    tested.get().await.unwrap();
    advance(Duration::from_secs(3300)).await;
    let before = Instant::now();
    for _ in 0..1000 {
        assert_eq!(tested.get().await.unwrap(), "token-1");
    }
    assert_eq!(before.elapsed(), Duration::ZERO);
    sleep(Duration::from_secs(5)).await;
    assert_eq!((tested.get().await.unwrap().as_str(), tested.fetches()), ("token-2", 2));
}

#[tokio::test(start_paused = true)]
async fn failing_renewal_keeps_the_token_until_it_expires() {
    let tested = Tested::new(HOUR, Duration::from_millis(100));
    tested.get().await.unwrap();
    tested.fake.fails.store(true, Ordering::SeqCst);
    advance(Duration::from_secs(3299)).await;
    for _ in 0..290 {
        advance(Duration::from_secs(1)).await;
        assert_eq!(tested.get().await.unwrap(), "token-1");
    }
    let failed = tested.entry.status();
    assert!(failed.has_token() && failed.last_error.is_some(), "{failed:?}");
    // The pauses are 1, 2, 4, 8, 16, 30 s and so on, which gives about twelve requests in five minutes.
    assert!((8..=16).contains(&tested.fetches()), "{}", tested.fetches());
    advance(Duration::from_secs(15)).await;
    assert!(tested.get().await.unwrap_err().is_transient());
    // Callers get the first good answer.
    tested.fake.fails.store(false, Ordering::SeqCst);
    assert_ne!(tested.get().await.unwrap(), "token-1");
    assert!(tested.entry.status().last_error.is_none());
}

#[tokio::test(start_paused = true)]
async fn panic_is_an_error_and_entry_stays_usable() {
    let tested = Tested::new(HOUR, Duration::from_millis(1));
    tested.fake.panics.store(true, Ordering::SeqCst);
    let error = tested.get().await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the request was ended early");
    tested.fake.panics.store(false, Ordering::SeqCst);
    assert_eq!(tested.get().await.unwrap(), "token-2");
}

#[tokio::test(start_paused = true)]
async fn token_is_renewed_after_machine_suspension() {
    let tested = Tested::new(HOUR, Duration::ZERO);
    assert_eq!(tested.get().await.unwrap(), "token-1");
    tested.wall.fetch_add(8 * 3600, Ordering::SeqCst);
    assert_eq!(tested.get().await.unwrap(), "token-2");
    tested.wall.fetch_sub(20 * 3600, Ordering::SeqCst);
    assert_eq!(tested.get().await.unwrap(), "token-2", "a clock that is set back costs nothing");
}

#[tokio::test(start_paused = true)]
async fn caller_waits_at_most_its_timeout() {
    let tested = Tested::new(HOUR, Duration::from_secs(14));
    let begun = Instant::now();
    let error = tested.get().await.unwrap_err();
    assert_eq!((error.to_string(), begun.elapsed().as_secs()), ("no token within 10 s".to_owned(), 10));
    // The first request continued, so no second one begins.
    assert_eq!((tested.get().await.unwrap().as_str(), tested.fetches()), ("token-1", 1));
}

#[tokio::test(start_paused = true)]
async fn caller_falls_back_to_the_expiring_token() {
    let tested = Tested::new(HOUR, Duration::from_secs(14));
    tested.get().await.unwrap_err();
    tested.get().await.unwrap();
    let age = tested.entry.status().expires_in.map_or(Duration::ZERO, |rest| HOUR - rest);
    advance(Duration::from_secs(3592) - age).await;
    let begun = Instant::now();
    assert_eq!(tested.get().await.unwrap(), "token-1");
    assert_eq!(begun.elapsed().as_secs(), 4, "half of the rest");
}

#[tokio::test(start_paused = true)]
async fn token_without_lifetime_is_only_given_to_waiters() {
    let tested = Tested::new(Duration::ZERO, Duration::from_secs(1));
    let read =
        |entry: Arc<TokenEntry>| async move { entry.token(|token| token.header.clone()).await.unwrap() };
    let (one, other) = tokio::join!(read(tested.entry.clone()), read(tested.entry.clone()));
    assert_eq!((one.as_bytes(), other.as_bytes()), (&b"Bearer token-1"[..], &b"Bearer token-1"[..]));
    assert!(tested.entry.cached().is_none());
    assert_eq!(read(tested.entry.clone()).await.as_bytes(), b"Bearer token-2");
}

#[tokio::test(start_paused = true)]
async fn no_request_outlives_its_entry() {
    let mut running = Vec::new();
    for _ in 0..1000 {
        let tested = Tested::new(HOUR, Duration::from_secs(5));
        running.push(tested.fake.running.clone());
        let waits = tokio::time::timeout(Duration::from_millis(1), tested.get()).await;
        assert!(waits.is_err());
    }
    // The runtime needs a turn to drop aborted tasks.
    sleep(Duration::from_millis(1)).await;
    let count = || running.iter().map(|running| running.load(Ordering::SeqCst)).sum::<u64>();
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    assert_eq!(count(), 0);
}

#[tokio::test(start_paused = true)]
async fn warm_token_is_renewed_until_the_guard_is_dropped() {
    let tested = Tested::new(HOUR, Duration::from_millis(50));
    let warm = crate::keep_warm::KeepWarm::start(&tested.entry);
    sleep(HOUR * 5).await;
    // Each token is renewed 5 minutes before it expires, or within the 30 s after that.
    assert_eq!(tested.fetches(), 6);
    assert!(tested.entry.status().has_token());
    drop(warm);
    sleep(HOUR * 2).await;
    assert_eq!((tested.fetches(), tested.entry.status().has_token()), (6, false));
}

#[test]
fn without_a_runtime_no_token_is_returned() {
    let tested = Tested::new(HOUR, Duration::ZERO);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut get = std::pin::pin!(tested.get());
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| get.as_mut().poll(&mut context)));
    assert!(!matches!(polled, Ok(std::task::Poll::Ready(Ok(_)))));
}
