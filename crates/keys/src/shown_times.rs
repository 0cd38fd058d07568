//! The times of a key that people are shown. A command that revokes a key writes times that are earlier than the command by the skew, so that
//! they are past on the clock of every replica. What is shown is the instant at which it happened.

use protocol::Timestamp;

/// The instants that are shown in place of those of the row; none where the row's own is true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownTimes {
    /// In place of `announced_at`.
    pub announced_at: Option<Timestamp>,
    /// In place of `active_from`.
    pub active_from: Option<Timestamp>,
    /// In place of `retiring_from`.
    pub retiring_from: Option<Timestamp>,
    /// In place of `removed_at`.
    pub removed_at: Option<Timestamp>,
}
