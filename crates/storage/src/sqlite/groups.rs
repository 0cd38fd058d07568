//! Lets concurrent writes of requests share a transaction, and so share one flush to the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::{iter, mem};

use parking_lot::Mutex;
use sqlx::SqlitePool;
use tenancy::{StoreError, Stored, TenantId};
use tokio::sync::oneshot;
use tokio::task::yield_now;

use crate::error::Error;

/// The maximum number of writes in one transaction. It limits how long others wait for the writer.
const GROUP: usize = 1_000;

/// A write that shares its transaction with other writes of its kind, also of other tenants.
pub(crate) trait GroupedWrite: Send + Sync + Sized + 'static {
    type Outcome: Send;

    fn tenant(&self) -> &TenantId;

    /// Writes all or none, and returns the results in order. If several writes are equal, only the first
    /// counts.
    fn write_all(
        writer: &SqlitePool,
        statements: &AtomicU64,
        group: &[Self],
    ) -> impl Future<Output = Result<Vec<Self::Outcome>, Error>> + Send;
}

pub(crate) struct Groups<W: GroupedWrite>(Arc<Mutex<Queue<W>>>);

type Answer<W> = oneshot::Sender<Stored<<W as GroupedWrite>::Outcome>>;

struct Queue<W: GroupedWrite> {
    waiting: Vec<(W, Answer<W>)>,
    /// Whether a task is writing the groups.
    has_writer: bool,
}

impl<W: GroupedWrite> Default for Groups<W> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Queue { waiting: Vec::new(), has_writer: false })))
    }
}

impl<W: GroupedWrite> Groups<W> {
    /// Adds a write to the next group. A separate task writes the group, so that a cancelled request (for
    /// example, its client disconnects) does not cancel other writes.
    pub(crate) async fn write(
        &self,
        pool: &SqlitePool,
        statements: &Arc<AtomicU64>,
        write: W,
    ) -> Stored<W::Outcome> {
        let (answer, answered) = oneshot::channel();
        let has_writer = {
            let mut queue = self.0.lock();
            queue.waiting.push((write, answer));
            mem::replace(&mut queue.has_writer, true)
        };
        if !has_writer {
            let writer = Writer { queue: Arc::clone(&self.0), has_left: false };
            tokio::spawn(writer.write_groups(pool.clone(), Arc::clone(statements)));
        }
        // The task ends early only if the program stops. The result of the write is unknown then.
        answered.await.unwrap_or_else(|_ended| Err(StoreError::unavailable("the writer has ended")))
    }
}

/// The task that writes groups until no write is waiting.
struct Writer<W: GroupedWrite> {
    queue: Arc<Mutex<Queue<W>>>,
    has_left: bool,
}

impl<W: GroupedWrite> Writer<W> {
    async fn write_groups(mut self, pool: SqlitePool, statements: Arc<AtomicU64>) {
        loop {
            // Lets other requests that are ready on this thread join the group first, because a commit costs
            // more than its rows.
            yield_now().await;
            let (group, answers): (Vec<_>, Vec<_>) = {
                let mut queue = self.queue.lock();
                if queue.waiting.is_empty() {
                    (queue.has_writer, self.has_left) = (false, true);
                    return;
                }
                next_group(&mut queue.waiting, GROUP).into_iter().unzip()
            };
            let outcomes = W::write_all(&pool, &statements, &group).await.map_err(StoreError::from);
            match outcomes {
                Ok(outcomes) => answer(answers, outcomes.into_iter().map(Ok)),
                Err(error) => answer(answers, iter::repeat_with(|| Err(error.clone()))),
            }
        }
    }
}

/// Removes the writes of the next group from the queue. If there are more than `most`, tenants take turns:
/// the first write of each tenant comes before the second write of any tenant. The writes of one tenant keep
/// their order.
fn next_group<W: GroupedWrite>(waiting: &mut Vec<(W, Answer<W>)>, most: usize) -> Vec<(W, Answer<W>)> {
    if waiting.len() <= most {
        return mem::take(waiting);
    }
    let mut before = HashMap::<&TenantId, usize>::new();
    let turns: Vec<(usize, usize)> = (waiting.iter().enumerate())
        .map(|(place, (write, _))| {
            let of_tenant = before.entry(write.tenant()).or_default();
            *of_tenant += 1;
            (*of_tenant, place)
        })
        .collect();
    let mut in_order = turns.clone();
    let (_, &mut first_left, _) = in_order.select_nth_unstable(most);
    let (group, left): (Vec<_>, Vec<_>) =
        mem::take(waiting).into_iter().zip(turns).partition(|(_, turn)| *turn < first_left);
    let writes = |turns: Vec<_>| turns.into_iter().map(|(write, _)| write).collect();
    *waiting = writes(left);
    writes(group)
}

/// A cancelled request does not receive its answer, which is not an error.
fn answer<A>(answers: Vec<oneshot::Sender<A>>, outcomes: impl Iterator<Item = A>) {
    for (answer, outcome) in answers.into_iter().zip(outcomes) {
        let _ = answer.send(outcome);
    }
}

/// If the task panics, the next write starts a new task, so that writes do not wait forever.
impl<W: GroupedWrite> Drop for Writer<W> {
    fn drop(&mut self) {
        if !self.has_left {
            *self.queue.lock() = Queue { waiting: Vec::new(), has_writer: false };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::sync::atomic::Ordering;

    use sqlx::SqlitePool;

    use super::*;

    static TENANTS: LazyLock<[TenantId; 2]> =
        LazyLock::new(|| ["acme", "globex"].map(|name| TenantId::parse(name).unwrap()));

    /// A number as a write. Numbers from 1 000 000 on belong to a second tenant. Writing 1 fails, and writing
    /// 2 makes the writer panic. The result is the number and the size of its group.
    impl GroupedWrite for u64 {
        type Outcome = (u64, usize);

        fn tenant(&self) -> &TenantId {
            &TENANTS[usize::from(*self >= 1_000_000)]
        }

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
    async fn concurrent_writes_form_one_group() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        let writes = (10..30).map(|number| groups.write(&pool, &statements, number));
        let outcomes = futures_util::future::join_all(writes).await;
        for (number, outcome) in (10..30).zip(outcomes) {
            assert_eq!(outcome.unwrap(), (number, 20));
        }
        assert_eq!(statements.load(Ordering::Relaxed), 1);
        assert_eq!(groups.write(&pool, &statements, 5).await.unwrap(), (5, 1));
    }

    #[test]
    fn full_group_takes_tenants_in_turn() {
        let next = |waiting: &[u64], most| {
            let mut waiting: Vec<_> = waiting.iter().map(|number| (*number, oneshot::channel().0)).collect();
            let numbers = |writes: Vec<(u64, Answer<u64>)>| writes.into_iter().map(|(number, _)| number);
            let group: Vec<_> = numbers(next_group(&mut waiting, most)).collect();
            (group, numbers(waiting).collect::<Vec<_>>())
        };
        let globex: Vec<_> = (1_000_000..1_001_500).collect();
        let waiting = [globex.as_slice(), &[10, 11]].concat();
        let (group, left) = next(&waiting, GROUP);
        assert_eq!((group.len(), left.len()), (GROUP, 502));
        assert_eq!(group[998..], [10, 11], "those of the first tenant wait for no second group");
        assert_eq!((group[997], left[0]), (1_000_997, 1_000_998), "each tenant's oldest go first");
        assert_eq!(next(&globex, GROUP).0, globex[..GROUP]);
        assert_eq!(
            next(&[10, 11, 12, 1_000_000, 1_000_001], 3),
            (vec![10, 11, 1_000_000], vec![12, 1_000_001])
        );
        assert_eq!(next(&[10, 1_000_000], 2), (vec![10, 1_000_000], vec![]));
    }

    #[tokio::test]
    async fn cancelled_request_does_not_cancel_other_writes() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        tokio::select! {
            biased;
            outcome = groups.write(&pool, &statements, 3) => panic!("{outcome:?}"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(groups.write(&pool, &statements, 4).await.unwrap(), (4, 2));
    }

    #[tokio::test]
    async fn next_group_is_written_after_error_or_panic() {
        let (groups, pool, statements) = (Groups::<u64>::default(), pool(), Arc::default());
        for fails in [1, 2] {
            let (failed, with_it) =
                tokio::join!(groups.write(&pool, &statements, fails), groups.write(&pool, &statements, 7));
            assert!(failed.is_err() && with_it.is_err(), "{fails}");
            assert_eq!(groups.write(&pool, &statements, 8).await.unwrap(), (8, 1));
        }
    }
}
