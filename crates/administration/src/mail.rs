//! Mail to people: what a message says, the sealed row that waits for delivery, and its store. A request only
//! queues a message; a background task of the server sends it.

use accounts::{AccountId, EmailAddress};
use async_trait::async_trait;
use keys::Aead;
use secrets::{KeyedDigest, Pepper, random_bytes};
use serde::{Deserialize, Serialize};
use sessions::Ring;
use tenancy::{Stored, TenantId};
use values::{Letter, LetterKind, Lifetime, Timestamp, named};

use crate::audit::AuditRecord;
use crate::rows::hex;

/// Whether the server can send mail. By default it cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailPolicy {
    /// Whether the platform has a mail server. Tenants without their own server use it.
    pub sends: bool,
    /// Whether people with administrator permissions can reset their password by mail.
    pub recovers_administrators: bool,
}

/// A message to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// A verified address, or the address to verify.
    pub to: String,
    pub letter: Letter,
}

/// A message that waits for delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMail {
    pub tenant: TenantId,
    /// The partition of the row.
    pub slot: u32,
    /// 32 hexadecimal digits.
    pub id: String,
    pub account: AccountId,
    pub letter: LetterKind,
    pub sealed: Vec<u8>,
    /// Includes attempts that failed.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub deliver_by: Timestamp,
    pub expires_at: Timestamp,
}

impl QueuedMail {
    pub const RING: Ring = Ring::WEEKS;
    /// How long a row is stored, so that support can see what became of the message.
    pub const KEPT: Lifetime = Lifetime::from_seconds(30 * 86_400);
    pub const MOST_ATTEMPTS: u32 = 5;
    /// All attempts take place within this time.
    pub const TRIED_FOR: Lifetime = Lifetime::from_seconds(6 * 3_600);

    /// The wait after the next attempt: 2, 10, 60 and 240 minutes. Greylisting needs at least one minute.
    #[must_use]
    pub const fn wait(&self) -> Lifetime {
        Lifetime::from_seconds(match self.attempts {
            0 => 120,
            1 => 600,
            2 => 3_600,
            _ => 14_400,
        })
    }

    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.attempts + 1 >= Self::MOST_ATTEMPTS
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailOutcome {
    /// The mail server has accepted the message.
    Delivered,
    /// The mail server has refused the message for good.
    Refused,
    /// All attempts have failed.
    Failed,
    /// The code in the message is no longer valid.
    Superseded,
}

named! {
    MailOutcome {
        Delivered => "delivered",
        Refused => "refused",
        Failed => "failed",
        Superseded => "superseded"
    }
}

/// What became of a message, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRecord {
    pub letter: LetterKind,
    pub created_at: Timestamp,
    pub attempts: u32,
    /// `None` if the message is not waiting.
    pub next_attempt_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// `None` while the message waits.
    pub outcome: Option<MailOutcome>,
    /// The last answer of the mail server, without addresses. Empty before the first attempt.
    pub answer: String,
}

/// The tenants whose messages are fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailLane {
    /// Tenants with their own mail server.
    Only(Vec<TenantId>),
    /// All tenants that use the platform's mail server.
    Except(Vec<TenantId>),
}

#[async_trait]
pub trait MailOutbox: Send + Sync {
    /// Adds a message and its audit record, unless the account was sent `most` letters of this kind since
    /// `since`. Returns whether it added the message.
    async fn queue_mail(
        &self,
        mail: &QueuedMail,
        audit: &AuditRecord,
        most: u32,
        since: Timestamp,
    ) -> Stored<bool>;

    /// At most `most` due messages, at most `of_tenant` of one tenant. Tenants take turns, beginning after
    /// the tenant `after`.
    async fn due_mail(
        &self,
        now: Timestamp,
        (most, of_tenant): (u32, u32),
        lane: &MailLane,
        after: Option<&TenantId>,
    ) -> Stored<Vec<QueuedMail>>;

    /// Claims an attempt for this replica and counts it. The next attempt is due at `next`. Returns true for
    /// only one of several concurrent replicas.
    async fn claim_mail(&self, queued: &QueuedMail, next: Timestamp) -> Stored<bool>;

    /// Stores the answer to an attempt. With an outcome the message ends: its content is deleted, and the
    /// audit record is added.
    async fn note_mail(
        &self,
        queued: &QueuedMail,
        answer: &str,
        ended: Option<(MailOutcome, AuditRecord)>,
        now: Timestamp,
    ) -> Stored<()>;

    /// The latest messages to an account, the newest first.
    async fn list_mail(&self, tenant: &TenantId, account: &AccountId, most: u32) -> Stored<Vec<MailRecord>>;
}

/// Seals messages for the outbox, bound to their tenant and row.
pub struct MailSealer(Aead);

impl MailSealer {
    #[must_use]
    pub fn new(pepper: &Pepper) -> Self {
        let digests = KeyedDigest::for_purpose(pepper.expose(), "latchkey mail outbox 1");
        Self(Aead::new(&digests.of([b"key".as_slice()])))
    }

    /// A row for the outbox. `None` if the message cannot be sealed.
    #[must_use]
    pub fn seal(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        to: &EmailAddress,
        letter: Letter,
        now: Timestamp,
    ) -> Option<QueuedMail> {
        let (latest, expires_at) = (now + QueuedMail::TRIED_FOR, now + QueuedMail::KEPT);
        let deliver_by = letter.link.as_ref().map_or(latest, |(_, expires_at)| latest.min(*expires_at));
        let (id, kind) = (hex(&*random_bytes::<16>()), letter.kind);
        let message = Message { to: to.to_string(), letter };
        let plaintext = serde_json::to_vec(&message).ok()?;
        let sealed = self.0.seal(&HEAD, &context(tenant, &id), &plaintext).ok()?;
        Some(QueuedMail {
            tenant: tenant.clone(),
            slot: QueuedMail::RING.slot(expires_at),
            id,
            account: account.clone(),
            letter: kind,
            sealed,
            attempts: 0,
            created_at: now,
            deliver_by,
            expires_at,
        })
    }

    /// `None` if this installation did not seal the row, or not for this tenant and id.
    #[must_use]
    pub fn open(&self, queued: &QueuedMail) -> Option<Message> {
        let sealed = queued.sealed.strip_prefix(&HEAD)?;
        let opened = self.0.open(&HEAD, &context(&queued.tenant, &queued.id), sealed).ok()?;
        serde_json::from_slice(&opened).ok()
    }
}

/// The version of the sealed form, which is authenticated.
const HEAD: [u8; 1] = [1];

fn context(tenant: &TenantId, id: &str) -> Vec<u8> {
    [b"mail1".as_slice(), tenant.as_str().as_bytes(), b"\0", id.as_bytes()].concat()
}
