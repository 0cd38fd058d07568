//! Threads for argon2id, so that 11 ms of computing do not delay other requests. [`HashLanes`] decides the
//! order.
//!
//! Hashes of other systems may take seconds each, so a separate thread checks them in the order of
//! [`ForeignQueue`]. They never occupy another thread, and need the memory of only one check.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tenancy::TenantId;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::foreign_queue::{CheckTurn, ForeignCheck, ForeignQueue};
use crate::hash_lanes::{Busy, HashJob, HashLanes, Lane, Taken};
use crate::password_hash::{HashMemory, OutOfMemory};
use crate::{CallerAddress, SecretHash};

/// How long an idle thread keeps its memory.
const KEPT: Duration = Duration::from_secs(2);

/// A bounded pool of threads that compute password hashes. The threads end when the pool is dropped.
pub struct HashPool {
    shared: Arc<HashPoolState>,
}

struct HashPoolState {
    lanes: Mutex<Lanes>,
    changed: Condvar,
    foreign_changed: Condvar,
    computed: AtomicU64,
}

#[derive(Default)]
struct Lanes {
    lanes: HashLanes,
    foreign: ForeignQueue,
    closed: bool,
}

impl HashPool {
    /// How long a caller waits before it gets [`Busy`].
    pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

    /// Starts the threads, and one more for hashes of other systems. Pass one thread less than there are
    /// cores, so that a core stays free for other requests.
    ///
    /// # Errors
    /// If the system cannot create a thread.
    pub fn start(threads: NonZeroUsize) -> io::Result<Self> {
        let pool = Self::new();
        for _ in 0..threads.get() {
            pool.shared.spawn()?;
        }
        let shared = Arc::clone(&pool.shared);
        thread::Builder::new().name("foreign-hashes".to_owned()).spawn(move || shared.check_foreign())?;
        Ok(pool)
    }

    /// Computes a hash when it is its turn. Must run in a Tokio runtime with a clock.
    ///
    /// # Errors
    /// [`Busy`], after at most five seconds, and also if the secret does not match the job's foreign hash.
    pub async fn hash(
        &self,
        tenant: &TenantId,
        job: HashJob,
        lane: Lane,
        source: &CallerAddress,
    ) -> Result<SecretHash, Busy> {
        self.hash_if_right(tenant, job, lane, source).await?.ok_or(Busy)
    }

    /// Like [`HashPool::hash`], but returns `None` if the secret does not match the job's foreign hash. Jobs
    /// with a foreign hash do not use a lane.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash_if_right(
        &self,
        tenant: &TenantId,
        job: HashJob,
        lane: Lane,
        source: &CallerAddress,
    ) -> Result<Option<SecretHash>, Busy> {
        let (answer, answered) = oneshot::channel();
        if job.only_if.is_some() {
            self.shared.lanes.lock().foreign.add(tenant, job, *source, answer)?;
            self.shared.foreign_changed.notify_one();
        } else {
            self.shared.lanes.lock().lanes.add(tenant, job, lane, *source, answer)?;
            self.shared.changed.notify_one();
        }
        let answered = timeout(Self::LONGEST_WAIT, answered).await.map_err(|_elapsed| Busy)?;
        answered.map_err(|_given_up| Busy)?.map_err(|OutOfMemory| Busy)
    }

    #[must_use]
    pub fn hashes_computed(&self) -> u64 {
        self.shared.computed.load(Ordering::Relaxed)
    }

    fn new() -> Self {
        let shared = HashPoolState {
            lanes: Mutex::default(),
            changed: Condvar::new(),
            foreign_changed: Condvar::new(),
            computed: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared) }
    }
}

/// For tests that run the pool step by step.
#[cfg(any(test, feature = "manual-hash-pool"))]
impl HashPool {
    /// Jobs wait until a thread is added.
    #[must_use]
    pub fn without_threads() -> Self {
        Self::new()
    }

    /// Adds a thread.
    ///
    /// # Errors
    /// If the system cannot create a thread.
    pub fn add_thread(&self) -> io::Result<()> {
        self.shared.spawn()
    }

    #[must_use]
    pub fn callers(&self) -> usize {
        let lanes = self.shared.lanes.lock();
        lanes.lanes.callers() + lanes.foreign.callers()
    }

    /// Checks the next foreign hash on this thread. Returns `false` if none is waiting.
    pub fn step_foreign(&self) -> bool {
        let taken = self.shared.lanes.lock().foreign.next();
        taken.is_some_and(|(check, turn)| {
            self.shared.check(check, turn);
            true
        })
    }

    /// Computes the next hash on this thread. Returns `false` if none is waiting. Foreign hashes need
    /// [`HashPool::step_foreign`].
    pub fn step(&self) -> bool {
        let taken = self.shared.lanes.lock().lanes.next();
        taken.is_some_and(|taken| {
            self.shared.compute(taken, &mut HashMemory::default());
            true
        })
    }
}

/// Waiting callers get [`Busy`]. Running computations finish.
impl Drop for HashPool {
    fn drop(&mut self) {
        *self.shared.lanes.lock() = Lanes { closed: true, ..Lanes::default() };
        self.shared.changed.notify_all();
        self.shared.foreign_changed.notify_all();
    }
}

impl HashJob {
    fn compute(&self, memory: &mut HashMemory) -> Result<Option<SecretHash>, OutOfMemory> {
        if let Some(foreign) = &self.only_if
            && !foreign.verify(&self.secret)?
        {
            return Ok(None);
        }
        memory.hash(&self.secret, &self.salt).map(Some)
    }
}

impl HashPoolState {
    fn spawn(self: &Arc<Self>) -> io::Result<()> {
        let shared = Arc::clone(self);
        thread::Builder::new().name("argon2id".to_owned()).spawn(move || shared.work()).map(drop)
    }

    fn work(&self) {
        let mut memory = HashMemory::default();
        while let Some(taken) = self.next(&mut memory) {
            self.compute(taken, &mut memory);
        }
    }

    fn compute(&self, Taken { job, turn }: Taken, memory: &mut HashMemory) {
        self.computed.fetch_add(1, Ordering::Relaxed);
        // A panic must not end the thread, because without threads no chosen secret could be checked until a
        // restart. The content of the memory after a panic does not matter.
        let hash = catch_unwind(AssertUnwindSafe(|| job.compute(memory)));
        drop(job);
        let answers = self.lanes.lock().lanes.finish(&turn);
        if let Ok(hash) = hash {
            for answer in answers {
                // The caller may have gone away.
                let _ = answer.send(hash.clone());
            }
        }
    }

    fn check_foreign(&self) {
        loop {
            let mut lanes = self.lanes.lock();
            let (check, turn) = loop {
                if lanes.closed {
                    return;
                }
                if let Some(taken) = lanes.foreign.next() {
                    break taken;
                }
                self.foreign_changed.wait(&mut lanes);
            };
            drop(lanes);
            self.check(check, turn);
        }
    }

    fn check(&self, ForeignCheck { job, answer, .. }: ForeignCheck, turn: CheckTurn) {
        self.computed.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        // A panic must not end this thread either.
        let hash = catch_unwind(AssertUnwindSafe(|| job.compute(&mut HashMemory::default())));
        drop(job);
        self.lanes.lock().foreign.finish(turn, began.elapsed());
        if let Ok(hash) = hash {
            // The caller may have gone away.
            let _ = answer.send(hash);
        }
    }

    /// The next job, or `None` if the pool is closed. Frees the memory if there is no job for a while.
    fn next(&self, memory: &mut HashMemory) -> Option<Taken> {
        let mut lanes = self.lanes.lock();
        while !lanes.closed {
            if let Some(taken) = lanes.lanes.next() {
                return Some(taken);
            }
            if memory.is_held() {
                if self.changed.wait_for(&mut lanes, KEPT).timed_out() {
                    memory.release();
                }
            } else {
                self.changed.wait(&mut lanes);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use values::Secret;

    use super::*;
    use crate::password_hash::{PasswordSalt, hash_password};

    fn job(text: &str) -> HashJob {
        let (secret, salt) = (Secret::new(text.to_owned()), PasswordSalt::dummy());
        HashJob { secret, salt, key: None, only_if: None }
    }

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    /// From PyPI bcrypt: `bcrypt.hashpw(b"a" * 72, …)`.
    const FOREIGN: &str = "$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe";

    #[tokio::test]
    async fn secret_is_hashed_only_if_foreign_hash_matches() {
        let pool = HashPool::start(NonZeroUsize::MIN).unwrap();
        let source = CallerAddress::new(None);
        let of = |text: &str| HashJob { only_if: Some(FOREIGN.parse().unwrap()), ..job(text) };
        let (acme, right) = (tenant("acme"), "a".repeat(72));
        let hash = pool.hash_if_right(&acme, of(&right), Lane::SignIn, &source).await.unwrap().unwrap();
        assert!(hash.matches(&hash_password(&job(&right).secret, &PasswordSalt::dummy()).unwrap()));
        assert_eq!(pool.hash_if_right(&acme, of("a"), Lane::SignIn, &source).await, Ok(None));
        assert_eq!(pool.hash(&acme, of("a"), Lane::SignIn, &source).await, Err(Busy));
        assert_eq!(pool.hashes_computed(), 3);
    }

    #[tokio::test]
    async fn pool_and_hash_function_give_equal_hashes() {
        let pool = HashPool::start(NonZeroUsize::new(2).unwrap()).unwrap();
        let expected = hash_password(&job("a").secret, &PasswordSalt::dummy()).unwrap();
        for lane in [Lane::SignIn, Lane::Client, Lane::Last] {
            let hash = pool.hash(&tenant("acme"), job("a"), lane, &CallerAddress::new(None)).await;
            assert!(hash.unwrap().matches(&expected));
        }
        assert_eq!(pool.hashes_computed(), 3);
    }

    // [found 25]: A job in the low lane could wait without end | fixed | A wait ends after 5 s in every lane,
    //   with 503 and `Retry-After`
    // [limits #18]
    #[tokio::test(start_paused = true)]
    async fn every_lane_times_out_after_five_seconds() {
        let pool = HashPool::without_threads();
        for lane in [Lane::SignIn, Lane::Client, Lane::Last] {
            let began = tokio::time::Instant::now();
            let hash = pool.hash(&tenant("acme"), job("a"), lane, &CallerAddress::new(None)).await;
            // Tokio's clock has a resolution of one millisecond.
            let waited = began.elapsed().as_millis();
            assert!(hash.is_err() && (5_000..=5_001).contains(&waited), "{lane:?} {waited}");
        }
        assert!(!pool.step(), "no hash is computed for callers that are gone");
    }

    // [attacks #19]
    /// Runs with one source and with a thousand. The test bounds the number of hashes, so it does not depend
    /// on the speed of the machine.
    #[tokio::test(start_paused = true)]
    async fn disconnected_callers_cost_no_hash() {
        for sources in [1, 1_000] {
            let pool = Arc::new(HashPool::without_threads());
            let ask = |number: u32, text: String| {
                let pool = Arc::clone(&pool);
                let source = CallerAddress::new(Some(std::net::Ipv4Addr::from(0x0a00_0000 + number).into()));
                tokio::spawn(
                    async move { pool.hash(&tenant("acme"), job(&text), Lane::SignIn, &source).await },
                )
            };
            let settle = async || {
                for _ in 0..200 {
                    tokio::task::yield_now().await;
                }
            };
            let strangers: Vec<_> =
                (0..1_000_u32).map(|at| ask(1 + at % sources, format!("guess {at}"))).collect();
            settle().await;
            // One source has at most 256 waiting callers. The others were refused immediately.
            assert_eq!(pool.callers(), if sources == 1 { 256 } else { 1_000 });
            // Two of them are served and another caller arrives before all of them disconnect.
            assert!(pool.step() && pool.step());
            let owner = ask(0, "the password".to_owned());
            settle().await;
            strangers.iter().for_each(tokio::task::JoinHandle::abort);
            settle().await;
            let before = pool.hashes_computed();
            while !owner.is_finished() {
                assert!(pool.step(), "the caller that stays is never dropped");
                settle().await;
            }
            let expected = hash_password(&job("the password").secret, &PasswordSalt::dummy()).unwrap();
            assert!(owner.await.unwrap().unwrap().matches(&expected));
            assert_eq!(pool.hashes_computed() - before, 1, "none is computed for callers that are gone");
            assert!(!pool.step() && pool.callers() == 0);
        }
    }

    #[test]
    fn dropping_the_pool_stops_its_threads() {
        let pool = HashPool::start(NonZeroUsize::new(3).unwrap()).unwrap();
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        for _ in 0..1_000 {
            if shared.strong_count() > 0 {
                thread::sleep(Duration::from_millis(10));
            }
        }
        assert_eq!(shared.strong_count(), 0, "threads that still run");
    }
}
