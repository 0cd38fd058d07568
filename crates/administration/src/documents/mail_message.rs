//! A message to a person, without its content: a row of the outbox, and a document of the API.

use serde::{Deserialize, Serialize};
use values::{LetterKind, named};

use super::Instant;
use super::schema::JsonSchema;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailMessage {
    /// What the message is about.
    #[schemars(extend("enum" = LetterKind::NAMES))]
    pub letter: String,
    /// When it was queued.
    pub created_at: Instant,
    /// How often the server has tried to send it.
    pub attempts: u32,
    /// When it is tried next. Null: never.
    pub next_attempt_at: Option<Instant>,
    /// When it was delivered or given up. Null: it waits.
    pub ended_at: Option<Instant>,
    /// What became of it: the mail server has accepted it (`delivered`) or refused it, all attempts have
    /// failed, or its code is no longer valid (`superseded`). Null: it waits.
    #[schemars(extend("enum" = [MailOutcome::NAMES[0], MailOutcome::NAMES[1], MailOutcome::NAMES[2], MailOutcome::NAMES[3], ()]))]
    pub outcome: Option<String>,
    /// The last answer of the mail server, without addresses. Empty: there is none.
    pub answer: String,
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
