//! Notifies clients that a person's session has ended (OpenID Connect Back-Channel Logout 1.0 §2.5). No
//! browser waits for the notices. Each replica reads the waiting notices; the store lets only one replica
//! make each attempt.
//!
//! Tenants take turns with the attempts of a replica. An attempt begins as soon as there is room, while
//! earlier ones are still running. If a client does not answer, only this client is paused.

mod sender;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use administration::administrator::ReadClock;
use grants::{LogoutAddress, LogoutOutbox, LogoutTurn, QueuedLogout};
use tenancy::{Stored, TenantTurns};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use values::{Lifetime, Timestamp};

use crate::addresses::{Addresses, Begun};
use crate::periodic::OutageLog;
use sender::DeliveryResult;
pub(crate) use sender::{LogoutSender, SendLogout};

/// How often the waiting notices are read.
const EVERY: Duration = Duration::from_secs(2);
/// How soon a notice whose attempt was not made is due again.
const LOOK_AGAIN: Lifetime = Lifetime::from_seconds(2);
/// How soon the notices are read again while some wait for room.
const SOON: Duration = Duration::from_millis(100);
/// The most concurrent attempts of all tenants.
const AT_ONCE: usize = 64;
const AT_ONCE_OF_TENANT: usize = 32;
/// The most notices of one read.
const READ: u32 = 64;

pub(crate) struct LogoutDelivery {
    pub(crate) outbox: Arc<dyn LogoutOutbox>,
    pub(crate) sender: Arc<dyn SendLogout>,
    pub(crate) clock: ReadClock,
}

struct UnderWay {
    turns: TenantTurns,
    addresses: Addresses<LogoutAddress>,
    attempts: JoinSet<(Begun<LogoutAddress>, Stored<HasAnswered>)>,
    turn: LogoutTurn,
}

/// Whether the client has answered. `None` if nothing was sent.
type HasAnswered = Option<bool>;

impl LogoutDelivery {
    /// Looks for notices until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut under_way = UnderWay {
            turns: TenantTurns::bounded(AT_ONCE, AT_ONCE_OF_TENANT, 0),
            addresses: Addresses::new(QueuedLogout::MOST_AT_ONCE as usize),
            attempts: JoinSet::new(),
            turn: LogoutTurn::default(),
        };
        let mut log = OutageLog::default();
        loop {
            log.note(
                &self.pass(&mut under_way).await,
                "cannot send logout tokens; trying again",
                "logout tokens are sent again",
            );
        }
    }

    /// Reads notices once, then handles the results of attempts until the next read.
    async fn pass(self: &Arc<Self>, under_way: &mut UnderWay) -> Stored<()> {
        let looked_at = Instant::now();
        let looked = self.look(under_way).await;
        let has_more = matches!(looked, Ok(true));
        let (mut next, mut outcome) = (looked_at + EVERY, looked.map(drop));
        loop {
            tokio::select! {
                () = sleep_until(next) => return outcome,
                Some(ended) = under_way.attempts.join_next() => {
                    // If an attempt has panicked, its notice becomes due again later.
                    let Ok((begun, answered)) = ended else { continue };
                    outcome = outcome.and(self.note(under_way, &begun, answered).await);
                    // Frees the place that the attempt took among those of its client.
                    drop(begun);
                    if has_more {
                        next = next.min(looked_at + SOON);
                    }
                }
            }
        }
    }

    /// Begins as many attempts as there is room for. Returns whether notices may wait for room.
    async fn look(self: &Arc<Self>, under_way: &mut UnderWay) -> Stored<bool> {
        let now = (self.clock)();
        under_way.turn.except = under_way.addresses.closed(now);
        let due = self.outbox.due_logouts(now, READ, &under_way.turn).await?;
        let mut has_more = !due.is_empty() || !under_way.turn.except.is_empty();
        if due.len() == READ as usize {
            under_way.turn.after = due.last().map(|queued| queued.tenant.clone());
        }
        for queued in under_way.addresses.in_turn(due) {
            let Some(turn) = under_way.turns.try_take(&queued.tenant) else { continue };
            let Some(begun) = under_way.addresses.begin(queued.address(), now) else { continue };
            if self.outbox.claim_logout(&queued, now + queued.wait()).await? {
                let delivery = Arc::clone(self);
                under_way.attempts.spawn(async move {
                    let answered = delivery.deliver(&queued, now).await;
                    drop(turn);
                    (begun, answered)
                });
            }
        }
        has_more &= !under_way.attempts.is_empty();
        Ok(has_more)
    }

    async fn note(
        &self,
        under_way: &mut UnderWay,
        begun: &Begun<LogoutAddress>,
        answered: Stored<HasAnswered>,
    ) -> Stored<()> {
        let now = (self.clock)();
        match answered? {
            Some(true) => under_way.addresses.answered(begun),
            Some(false) if under_way.addresses.failed(begun, now) => {
                // Deletes the address's notices that will not be sent any longer, so that they are not read
                // each time.
                self.outbox.delete_ended_logouts(&begun.address, now).await?;
            }
            Some(false) | None => {}
        }
        Ok(())
    }

    async fn deliver(&self, queued: &QueuedLogout, now: Timestamp) -> Stored<HasAnswered> {
        let (tenant, client) = (queued.tenant.as_str(), queued.client.as_str());
        let (error, has_answered) = match self.sender.send(queued, now).await? {
            DeliveryResult::Delivered | DeliveryResult::Unaddressed => {
                self.outbox.delete_logout(queued).await?;
                return Ok(Some(true));
            }
            DeliveryResult::Postponed => {
                self.outbox.return_logout(queued, now + LOOK_AGAIN).await?;
                return Ok(None);
            }
            DeliveryResult::Refused(error) => (error, true),
            DeliveryResult::Failed(error) => (error, false),
        };
        if queued.is_last() {
            tracing::warn!(tenant, client, error, "cannot notify a client that a session has ended");
            self.outbox.delete_logout(queued).await?;
        } else {
            tracing::info!(tenant, client, error, "a client did not accept a logout token; trying again");
        }
        Ok(Some(has_answered))
    }
}
