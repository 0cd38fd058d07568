//! The connections of a replica: calls of the store, and notifications of changes.

use std::fmt;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use administration::kinds::Invalidation;
use administration::store::ChangeLog as _;
use async_trait::async_trait;
use storage::{LogConnection, LogReading, LoggedChange, NotifyingLog};
use tenancy::{StoreError, Stored};
use testkit::Link;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::sleep;

use super::defect::Defect;
use super::faults::Fault;
use super::run::LONGEST_STOP;
use super::world::{World, at_once};

/// After this time a call without an answer times out.
const GIVEN_UP: Duration = Duration::from_millis(2_500);

/// On average, the process is stopped in one of this many directions of calls.
const CALLS_TO_A_STOP: usize = 1_000;

pub(super) struct StoreLink {
    pub(super) world: Arc<World>,
    pub(super) replica: usize,
}

impl StoreLink {
    async fn pass(&self) -> Stored<()> {
        let Self { world, replica } = self;
        let holds = |fault| world.holds(*replica, fault);
        let (delay, is_lost) = if holds(Fault::StoreRefuses) {
            (world.millis(3), true)
        } else if holds(Fault::StoreHangs) {
            (Duration::from_secs(2) + world.millis(2_000), true)
        } else if holds(Fault::StoreIsSlow) {
            (world.millis(1_500), false)
        } else if holds(Fault::StoreLosesCalls) {
            (world.millis(20), world.below(4) == 0)
        } else {
            (world.millis(12), false)
        };
        // A process may be stopped at any moment of a call.
        let may_stop = !world.has_no_more_faults.load(Ordering::Relaxed) && !holds(Fault::Stopped);
        if may_stop && world.below(CALLS_TO_A_STOP) == 0 {
            world.begin_for_a_while(*replica, Fault::Stopped, LONGEST_STOP);
        }
        sleep(delay).await;
        world.gates[*replica].run(ready(())).await;
        if is_lost { Err(StoreError::unavailable("the simulated store is away")) } else { Ok(()) }
    }
}

#[async_trait]
impl Link for StoreLink {
    async fn send(&self) -> Stored<()> {
        self.pass().await
    }

    async fn receive(&self, method: &str) -> Stored<()> {
        if !["find", "load", "try_lease"].iter().any(|reading| method.starts_with(reading)) {
            self.world.note_commits(self.replica);
        }
        self.pass().await
    }
}

/// The log of changes as a replica reads it.
pub(super) struct Log {
    pub(super) world: Arc<World>,
    pub(super) replica: usize,
}

struct Connection {
    world: Arc<World>,
    replica: usize,
    notifications: UnboundedReceiver<()>,
    /// Whether the log has been read since the last notification.
    has_read: bool,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("replica", &self.replica).finish_non_exhaustive()
    }
}

#[async_trait]
impl NotifyingLog for Log {
    async fn listen(&self) -> Stored<Box<dyn LogConnection>> {
        let (world, replica) = (Arc::clone(&self.world), self.replica);
        answer(&world, replica).await?;
        let (sender, notifications) = unbounded_channel();
        world.listeners.lock()[replica] = Some(sender);
        Ok(Box::new(Connection { world, replica, notifications, has_read: false }))
    }
}

#[async_trait]
impl LogConnection for Connection {
    async fn changes(&mut self, after: &str) -> Stored<LogReading> {
        answer(&self.world, self.replica).await?;
        let (defect, history) = (self.world.defect, self.world.truth.history());
        if defect == Some(Defect::LostNotificationsAreNeverMadeUpFor) && self.has_read {
            let end = after.to_owned();
            return Ok(LogReading {
                history,
                end,
                is_continued: true,
                changes: Vec::new(),
                seen: Vec::new(),
            });
        }
        self.has_read = true;
        let position = after.parse().expect("it is a position");
        let (end, mut changes) =
            (at_once(self.world.truth.position()), at_once(self.world.truth.changes_since(position)));
        changes.retain(|(_, change)| {
            !matches!(
                (defect, change),
                (Some(Defect::ClientsAreSkipped), Invalidation::Client(..))
                    | (Some(Defect::RevocationsAreSkipped), Invalidation::Revocations(_))
                    | (Some(Defect::KeysAreSkipped), Invalidation::Keys(_))
            )
        });
        answer(&self.world, self.replica).await?;
        let changes = changes.into_iter().map(|(position, change)| LoggedChange::new(position, change));
        let is_continued = position <= end;
        let (end, changes) = (end.to_string(), changes.collect());
        Ok(LogReading { history, end, is_continued, changes, seen: Vec::new() })
    }

    async fn notified(&mut self) -> Stored<bool> {
        let is_open = self.notifications.recv().await.is_some();
        while self.notifications.try_recv().is_ok() {}
        self.has_read = false;
        Ok(is_open && !self.world.holds(self.replica, Fault::FeedRefuses))
    }
}

/// One direction of a call of the feed.
async fn answer(world: &World, replica: usize) -> Stored<()> {
    sleep(world.millis(12)).await;
    let is_silent = world.holds(replica, Fault::FeedIsSilent);
    if is_silent {
        sleep(GIVEN_UP).await;
    }
    if is_silent || world.holds(replica, Fault::FeedRefuses) {
        return Err(StoreError::unavailable("the simulated connection is refused"));
    }
    Ok(())
}
