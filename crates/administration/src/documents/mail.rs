//! The messages to a person, as documents of the API.

use serde::{Deserialize, Serialize};
use values::{LetterKind, Timestamp};

use super::Instant;
use super::schema::{self, JsonSchema};
use crate::mail::{MailOutcome, MailRecord};
use crate::rules::RecoveryObstacle;

/// Why a person gets no mail, and what became of the latest messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailView {
    /// What keeps the person from resetting the password by mail. Empty: nothing.
    #[schemars(extend("items" = schema::one_of(&RecoveryObstacle::NAMES), "uniqueItems" = true))]
    pub recovery_obstacles: Vec<String>,
    /// Whether the person has asked so often within an hour that the next code is not sent.
    pub is_limited: bool,
    /// The latest messages, the newest first.
    pub messages: Vec<MailMessageView>,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MailMessageView {
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

impl MailView {
    pub(crate) fn new(obstacles: &[RecoveryObstacle], is_limited: bool, messages: Vec<MailRecord>) -> Self {
        let recovery_obstacles = obstacles.iter().map(|obstacle| obstacle.as_str().to_owned()).collect();
        Self { recovery_obstacles, is_limited, messages: messages.into_iter().map(Into::into).collect() }
    }
}

impl From<MailRecord> for MailMessageView {
    fn from(record: MailRecord) -> Self {
        let MailRecord { letter, created_at, attempts, next_attempt_at, ended_at, outcome, answer } = record;
        Self {
            letter: letter.as_str().to_owned(),
            created_at: created_at.into(),
            attempts,
            next_attempt_at: next_attempt_at.map(Timestamp::into),
            ended_at: ended_at.map(Timestamp::into),
            outcome: outcome.map(|outcome| outcome.as_str().to_owned()),
            answer,
        }
    }
}
