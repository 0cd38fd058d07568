//! Writes of requests at the same time share a transaction, and with it one flush to the disk.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{iter, mem};

use sqlx::SqlitePool;
use tenancy::StoreError;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::error::Error;

/// Writes of one transaction: its length bounds how long others wait for the writer.
const GROUP: usize = 1_000;

/// A write of a request that shares its transaction with others of its kind, also of other tenants.
pub(crate) trait GroupedWrite: Send + Sync + Sized + 'static {
    /// What came of it.
    type Outcome: Send;

    /// Writes all of them or none, and returns the outcomes in their order. Of equal ones the first counts.
    fn write_all(
        writer: &SqlitePool,
        statements: &AtomicU64,
        group: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, Error>> + Send;
}

/// The writes of one kind that wait for a transaction.
pub(crate) struct Groups<W: GroupedWrite>(Arc<Mutex<Queue<W>>>);

type Answer<W> = oneshot::Sender<Result<<W as GroupedWrite>::Outcome, StoreError>>;

struct Queue<W: GroupedWrite> {
    waiting: Vec<(W, Answer<W>)>,
    /// A task writes one group after another.
    has_writer: bool,
}

impl<W: GroupedWrite> Default for Groups<W> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Queue { waiting: Vec::new(), has_writer: false })))
    }
}

impl<W: GroupedWrite> Groups<W> {
    /// Writes in the next group. A task of its own writes it: a request that ends early, as when its client leaves, ends no write of another.
    pub(crate) async fn write(
        &self,
        pool: &SqlitePool,
        statements: &Arc<AtomicU64>,
        write: W,
    ) -> Result<W::Outcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        let has_writer = {
            let mut queue = lock(&self.0);
            queue.waiting.push((write, answer));
            mem::replace(&mut queue.has_writer, true)
        };
        if !has_writer {
            let writer = Writer { queue: Arc::clone(&self.0), has_left: false };
            tokio::spawn(writer.write_groups(pool.clone(), Arc::clone(statements)));
        }
        // The end of the program ends the task, too. Then nobody knows what came of the write.
        answered.await.unwrap_or_else(|_ended| Err(StoreError::unavailable("the writer has ended")))
    }
}

fn lock<W: GroupedWrite>(queue: &Mutex<Queue<W>>) -> MutexGuard<'_, Queue<W>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What writes as long as anything waits.
struct Writer<W: GroupedWrite> {
    queue: Arc<Mutex<Queue<W>>>,
    has_left: bool,
}

impl<W: GroupedWrite> Writer<W> {
    async fn write_groups(mut self, pool: SqlitePool, statements: Arc<AtomicU64>) {
        loop {
            // The requests that this thread can go on with join the group first: a commit costs more than its rows.
            yield_now().await;
            let (group, answers): (Vec<_>, Vec<_>) = {
                let mut queue = lock(&self.queue);
                let number = queue.waiting.len().min(GROUP);
                if number == 0 {
                    (queue.has_writer, self.has_left) = (false, true);
                    return;
                }
                queue.waiting.drain(..number).unzip()
            };
            let outcomes = W::write_all(&pool, &statements, &group).await.map_err(StoreError::from);
            match outcomes {
                Ok(outcomes) => answer(answers, outcomes.into_iter().map(Ok)),
                Err(error) => answer(answers, iter::repeat_with(|| Err(error.clone()))),
            }
        }
    }
}

/// A request that has ended reads no answer.
fn answer<A>(answers: Vec<oneshot::Sender<A>>, outcomes: impl Iterator<Item = A>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let _ = answer.send(outcome);
    }
}

/// A writer that ends otherwise, as by a panic, leaves the next write to another one, and nothing waits for it.
impl<W: GroupedWrite> Drop for Writer<W> {
    fn drop(&mut self) {
        if !self.has_left {
            *lock(&self.queue) = Queue { waiting: Vec::new(), has_writer: false };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use sqlx::SqlitePool;

    use super::*;

    /// A number: 1 cannot be written, 2 makes the writer panic. The outcome is the number and the length of its group.
    impl GroupedWrite for u64 {
        type Outcome = (u64, usize);

        async fn write_all(
            _: &SqlitePool,
            statements: &AtomicU64,
            group: &[Self],
        ) -> Result<Vec<Self::Outcome>, Error> {
            yield_now().await;
            assert!(!group.contains(&2), "a write that panics");
            if group.contains(&1) {
                return Err(Error::Stale);
            }
            statements.fetch_add(1, Ordering::Relaxed);
            Ok(group.iter().map(|number| (*number, group.len())).collect())
        }
    }

    fn pool() -> SqlitePool {
        SqlitePool::connect_lazy("sqlite::memory:").unwrap()
    }

    #[tokio::test]
    async fn writes_at_the_same_time_are_one_group_and_each_gets_its_own_outcome() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        let writes = (10..30).map(|number| groups.write(&pool, &statements, number));
        let outcomes = futures_util::future::join_all(writes).await;
        for (number, outcome) in (10..30).zip(outcomes) {
            assert_eq!(outcome.unwrap(), (number, 20));
        }
        assert_eq!(statements.load(Ordering::Relaxed), 1);
        assert_eq!(groups.write(&pool, &statements, 5).await.unwrap(), (5, 1));
    }

    #[tokio::test]
    async fn a_request_that_ends_early_ends_no_write_of_another() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        tokio::select! {
            biased;
            outcome = groups.write(&pool, &statements, 3) => panic!("{outcome:?}"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(groups.write(&pool, &statements, 4).await.unwrap(), (4, 2));
    }

    #[tokio::test]
    async fn after_an_error_and_a_panic_the_next_group_is_written() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        for fails in [1, 2] {
            let (failed, with_it) =
                tokio::join!(groups.write(&pool, &statements, fails), groups.write(&pool, &statements, 7));
            assert!(failed.is_err() && with_it.is_err(), "{fails}");
            assert_eq!(groups.write(&pool, &statements, 8).await.unwrap(), (8, 1));
        }
    }
}
