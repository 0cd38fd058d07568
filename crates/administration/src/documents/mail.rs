//! The messages to a person, as documents of the API.

use serde::{Deserialize, Serialize};

use super::MailMessage;
use super::schema::{self, JsonSchema};
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
    pub messages: Vec<MailMessage>,
}

impl MailView {
    pub(crate) fn new(obstacles: &[RecoveryObstacle], is_limited: bool, messages: Vec<MailMessage>) -> Self {
        let recovery_obstacles = obstacles.iter().map(|obstacle| obstacle.as_str().to_owned()).collect();
        Self { recovery_obstacles, is_limited, messages }
    }
}
