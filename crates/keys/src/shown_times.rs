//! The times of a key as people see them. Revoking a key writes times that are earlier than the command by
//! the skew, so that they are in the past on every replica's clock. People see the time when the command ran.

use values::Timestamp;

/// Times to show instead of those in the row. `None` shows the time in the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownTimes {
    pub announced_at: Option<Timestamp>,
    pub active_from: Option<Timestamp>,
    pub retiring_from: Option<Timestamp>,
    pub removed_at: Option<Timestamp>,
}
