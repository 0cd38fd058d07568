//! Sends the queued mail. No request waits for a mail server. Each replica reads the waiting messages; the
//! store lets only one replica make each attempt.
//!
//! There are two lanes: tenants with their own mail server, and all others. Within a lane tenants take turns.
//! A server that cannot be reached is paused, and its messages wait. So nobody waits for another tenant's
//! server.

mod sender;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use administration::administrator::ReadClock;
use administration::audit::AuditRecord;
use administration::mail::{MailLane, MailOutbox, MailOutcome, MailSealer, Message, QueuedMail};
use outbound::MailError;
use tenancy::{Stored, TenantId, TenantTurns};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use values::Timestamp;

use crate::addresses::{Addresses, Begun};
use crate::periodic::OutageLog;
pub(crate) use sender::{LetterSender, SendLetter};

/// How often the waiting messages are read.
const EVERY: Duration = Duration::from_secs(2);
/// How soon the messages are read again while some wait for room.
const SOON: Duration = Duration::from_millis(100);
/// The most concurrent attempts of a lane, and of one tenant.
const AT_ONCE: u32 = 16;
const AT_ONCE_OF_TENANT: u32 = 2;

pub(crate) struct MailDelivery {
    pub(crate) outbox: Arc<dyn MailOutbox>,
    pub(crate) sealer: Arc<MailSealer>,
    pub(crate) sender: Arc<dyn SendLetter>,
    /// The tenants with their own mail server.
    pub(crate) own: Vec<TenantId>,
    pub(crate) clock: ReadClock,
}

/// The mail server of a tenant, or of the platform.
type ServerOf = Option<TenantId>;

struct Lane {
    is_own: bool,
    turns: TenantTurns,
    servers: Addresses<ServerOf>,
    /// Each attempt returns whether the server was reached. `None` if nothing was sent.
    attempts: JoinSet<(Begun<ServerOf>, Stored<Option<bool>>)>,
    /// The last tenant of the previous read.
    after: Option<TenantId>,
}

impl MailDelivery {
    /// Looks for messages until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let platform = self.run_lane(false);
        if self.own.is_empty() { platform.await } else { _ = tokio::join!(platform, self.run_lane(true)) }
    }

    async fn run_lane(self: &Arc<Self>, is_own: bool) {
        let (most, of_tenant) = (AT_ONCE as usize, AT_ONCE_OF_TENANT as usize);
        let mut lane = Lane {
            is_own,
            turns: TenantTurns::bounded(most, of_tenant, 0),
            servers: Addresses::new(most),
            attempts: JoinSet::new(),
            after: None,
        };
        let mut log = OutageLog::default();
        loop {
            let passed = self.pass(&mut lane).await;
            log.note(&passed, "cannot deliver mail; trying again", "mail is delivered again");
        }
    }

    /// Reads messages once, then handles the results of attempts until the next read.
    async fn pass(self: &Arc<Self>, lane: &mut Lane) -> Stored<()> {
        let looked_at = Instant::now();
        let looked = self.look(lane).await;
        let has_more = matches!(looked, Ok(true));
        let (mut next, mut outcome) = (looked_at + EVERY, looked.map(drop));
        loop {
            tokio::select! {
                () = sleep_until(next) => return outcome,
                Some(ended) = lane.attempts.join_next() => {
                    // If an attempt has panicked, its message becomes due again later.
                    let Ok((begun, reached)) = ended else { continue };
                    match reached {
                        Ok(Some(true)) => lane.servers.answered(&begun),
                        Ok(Some(false)) => _ = lane.servers.failed(&begun, (self.clock)()),
                        Ok(None) => {}
                        Err(error) => outcome = outcome.and(Err(error)),
                    }
                    if has_more {
                        next = next.min(looked_at + SOON);
                    }
                }
            }
        }
    }

    /// Begins as many attempts as there is room for. Returns whether messages may wait for room.
    async fn look(self: &Arc<Self>, lane: &mut Lane) -> Stored<bool> {
        let now = (self.clock)();
        let closed = lane.servers.closed(now);
        let wanted = match lane.is_own {
            true => {
                let open = self.own.iter().filter(|tenant| !closed.iter().flatten().any(|of| of == *tenant));
                MailLane::Only(open.cloned().collect())
            }
            false if closed.contains(&None) => return Ok(true),
            false => MailLane::Except(self.own.clone()),
        };
        let due =
            self.outbox.due_mail(now, (AT_ONCE, AT_ONCE_OF_TENANT), &wanted, lane.after.as_ref()).await?;
        lane.after = due.last().map(|queued| queued.tenant.clone());
        let has_more = !due.is_empty();
        for queued in due {
            let Some(turn) = lane.turns.try_take(&queued.tenant) else { continue };
            let server = lane.is_own.then(|| queued.tenant.clone());
            let Some(begun) = lane.servers.begin(server, now) else { continue };
            if self.outbox.claim_mail(&queued, now + queued.wait()).await? {
                let delivery = Arc::clone(self);
                lane.attempts.spawn(async move {
                    let reached = delivery.deliver(&queued).await;
                    drop(turn);
                    (begun, reached)
                });
            }
        }
        Ok(has_more)
    }

    /// Makes one attempt, and stores its result. Returns whether the server was reached.
    async fn deliver(&self, queued: &QueuedMail) -> Stored<Option<bool>> {
        let now = (self.clock)();
        let (outcome, answer, reached) = match self.open(queued, now).await? {
            Err((outcome, why)) => (Some(outcome), why.to_owned(), None),
            Ok(message) => match self.sender.send(queued, message, now).await? {
                Ok(answer) => (Some(MailOutcome::Delivered), answer, Some(true)),
                Err(MailError::Refused(why)) => (Some(MailOutcome::Refused), why, Some(true)),
                Err(MailError::Failed(why)) => (failed(queued), why, Some(true)),
                Err(MailError::Unreachable(why)) => (failed(queued), why, Some(false)),
            },
        };
        let (tenant, letter) = (queued.tenant.as_str(), queued.letter.as_str());
        match outcome {
            None => tracing::info!(tenant, letter, answer, "mail was not accepted; trying again"),
            Some(MailOutcome::Delivered) => tracing::debug!(tenant, letter, answer, "mail was accepted"),
            Some(MailOutcome::Superseded) => tracing::debug!(tenant, letter, answer, "mail was not sent"),
            Some(MailOutcome::Refused | MailOutcome::Failed) => {
                tracing::warn!(tenant, letter, answer, "mail cannot be delivered");
            }
        }
        let (now, attempts) = ((self.clock)(), queued.attempts + u32::from(reached.is_some()));
        let audit = |outcome| (outcome, AuditRecord::of_mail(queued, outcome, (&answer, attempts), now));
        self.outbox.note_mail(queued, &answer, outcome.map(audit), now).await?;
        Ok(reached)
    }

    /// The message, or why it is not sent.
    async fn open(
        &self,
        queued: &QueuedMail,
        now: Timestamp,
    ) -> Stored<Result<Message, (MailOutcome, &'static str)>> {
        let Some(message) = self.sealer.open(queued) else {
            return Ok(Err((MailOutcome::Failed, "the message was queued by another installation")));
        };
        let why = match () {
            () if queued.deliver_by <= now => "it is too late to send the message",
            () if !self.sender.is_current(queued, &message.letter, now).await? => {
                "the link is no longer valid"
            }
            () => return Ok(Ok(message)),
        };
        let was_tried = queued.attempts > 0;
        Ok(Err((if was_tried { MailOutcome::Failed } else { MailOutcome::Superseded }, why)))
    }
}

/// How the message ends after a failed attempt, if no other attempt follows.
fn failed(queued: &QueuedMail) -> Option<MailOutcome> {
    queued.is_last().then_some(MailOutcome::Failed)
}
