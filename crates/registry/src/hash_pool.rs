//! Threads for argon2id, so that 11 ms of computing hold up no request but their own, with two bounded queues before them.
//!
//! Work of the low lane waits until the normal lane is empty. Whoever fills a queue is told so at once rather than kept waiting.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use protocol::Secret;
use tokio::sync::oneshot;

use crate::SecretHash;
use crate::chosen_hash::{ChosenSalt, OutOfMemory, hash_chosen};

/// How many jobs may wait in the normal lane.
const NORMAL_QUEUE: usize = 1024;
/// How many jobs may wait behind them.
const LOW_QUEUE: usize = 256;

/// A bounded pool of threads that compute hashes of chosen secrets. The threads end when the pool is dropped.
pub struct HashPool {
    shared: Arc<Shared>,
}

/// What is to be hashed. The secret is wiped as soon as that is done, or given up.
#[derive(Debug)]
pub struct HashJob {
    /// The text.
    pub secret: Secret,
    /// The salt of the client's chosen secrets.
    pub salt: ChosenSalt,
}

/// Where a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// In turn.
    Normal,
    /// Behind everything in the normal lane.
    Low,
}

/// The queue is full, or there is no memory for the computation (503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be checked")]
pub struct Busy;

struct Shared {
    queues: Mutex<Queues>,
    changed: Condvar,
    computed: AtomicU64,
}

#[derive(Default)]
struct Queues {
    normal: VecDeque<Waiting>,
    low: VecDeque<Waiting>,
    closed: bool,
}

struct Waiting {
    job: HashJob,
    answer: oneshot::Sender<Result<SecretHash, OutOfMemory>>,
}

impl HashPool {
    /// Starts the threads. One fewer than there are cores leaves a core to requests that need no hash.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(threads: NonZeroUsize) -> io::Result<Self> {
        let pool = Self::without_threads();
        for _ in 0..threads.get() {
            pool.add_thread()?;
        }
        Ok(pool)
    }

    /// Computes a hash when its turn comes.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, job: HashJob, lane: Lane) -> Result<SecretHash, Busy> {
        let (answer, answered) = oneshot::channel();
        self.shared.add(Waiting { job, answer }, lane)?;
        answered.await.map_err(|_| Busy)?.map_err(|OutOfMemory| Busy)
    }

    /// How many hashes were computed so far.
    #[must_use]
    pub fn hashes_computed(&self) -> u64 {
        self.shared.computed.load(Ordering::Relaxed)
    }

    /// Jobs wait until there is a thread.
    pub(crate) fn without_threads() -> Self {
        let shared =
            Shared { queues: Mutex::default(), changed: Condvar::new(), computed: AtomicU64::new(0) };
        Self { shared: Arc::new(shared) }
    }

    pub(crate) fn add_thread(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        thread::Builder::new().name("argon2id".to_owned()).spawn(move || shared.work()).map(drop)
    }
}

/// Who still waits is told that there is no answer; running computations end by themselves.
impl Drop for HashPool {
    fn drop(&mut self) {
        let mut queues = self.shared.lock();
        *queues = Queues { closed: true, ..Queues::default() };
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn add(&self, waiting: Waiting, lane: Lane) -> Result<(), Busy> {
        let mut queues = self.lock();
        let (queue, bound) = match lane {
            Lane::Normal => (&mut queues.normal, NORMAL_QUEUE),
            Lane::Low => (&mut queues.low, LOW_QUEUE),
        };
        if queue.len() >= bound {
            // Those who went away leave their places to those who are here.
            queue.retain(|waiting| !waiting.answer.is_closed());
        }
        if queue.len() >= bound {
            return Err(Busy);
        }
        queue.push_back(waiting);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        while let Some(Waiting { job: HashJob { secret, salt }, answer }) = self.next() {
            if answer.is_closed() {
                continue;
            }
            self.computed.fetch_add(1, Ordering::Relaxed);
            // A panic must not cost the pool a thread: with the last one gone, no chosen secret could be checked until a restart.
            if let Ok(hash) = catch_unwind(|| hash_chosen(&secret, &salt)) {
                drop(secret);
                // Nobody waits any more: the hash is of no use then.
                let _ = answer.send(hash);
            }
        }
    }

    /// The next job, or nothing when the pool is gone.
    fn next(&self) -> Option<Waiting> {
        let mut queues = self.lock();
        while !queues.closed {
            if let Some(waiting) = queues.normal.pop_front() {
                return Some(waiting);
            }
            if let Some(waiting) = queues.low.pop_front() {
                return Some(waiting);
            }
            queues = self.changed.wait(queues).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    /// No code panics while it holds the lock, so a poisoned one still guards whole queues.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};
    use std::time::Duration;

    use super::*;

    fn job(text: &str) -> HashJob {
        HashJob { secret: Secret::new(text.to_owned()), salt: ChosenSalt::dummy() }
    }

    fn is_refused(future: Pin<&mut impl Future<Output = Result<SecretHash, Busy>>>) -> bool {
        future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn the_pool_computes_what_the_function_computes() {
        let pool = HashPool::start(NonZeroUsize::new(2).unwrap()).unwrap();
        let expected = hash_chosen(&job("a").secret, &ChosenSalt::dummy()).unwrap();
        for lane in [Lane::Normal, Lane::Low] {
            assert!(pool.hash(job("a"), lane).await.unwrap().matches(&expected));
        }
        assert_eq!(pool.hashes_computed(), 2);
    }

    #[test]
    fn a_full_lane_refuses_at_once_and_does_not_fill_the_other() {
        let pool = HashPool::without_threads();
        let mut waiting = Vec::new();
        for (lane, bound) in [(Lane::Normal, NORMAL_QUEUE), (Lane::Low, LOW_QUEUE)] {
            for _ in 0..bound {
                let mut future = Box::pin(pool.hash(job("a"), lane));
                assert!(!is_refused(future.as_mut()));
                waiting.push(future);
            }
            assert!(is_refused(pin!(pool.hash(job("a"), lane))));
        }
        waiting.truncate(NORMAL_QUEUE - 1);
        assert!(
            !is_refused(pin!(pool.hash(job("a"), Lane::Normal))),
            "the place of one who went away is free"
        );
    }

    #[test]
    fn the_low_lane_waits_until_the_normal_one_is_empty() {
        let pool = HashPool::without_threads();
        let mut waiting = Vec::new();
        for (text, lane) in [("1", Lane::Low), ("2", Lane::Normal), ("3", Lane::Low), ("4", Lane::Normal)] {
            let mut future = Box::pin(pool.hash(job(text), lane));
            assert!(!is_refused(future.as_mut()));
            waiting.push(future);
        }
        let order: Vec<String> =
            (0..4).map(|_| pool.shared.next().unwrap().job.secret.expose().to_owned()).collect();
        assert_eq!(order, ["2", "4", "1", "3"]);
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let pool = HashPool::start(NonZeroUsize::new(3).unwrap()).unwrap();
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        for _ in 0..1_000 {
            if shared.strong_count() == 0 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("{} threads still run", shared.strong_count());
    }
}
