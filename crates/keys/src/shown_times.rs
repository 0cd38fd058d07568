//! The times of a key as people see them. A command that revokes a key writes times before the command,
//! earlier by the skew, so that they are past on the clock of every replica. People see the instant at which
//! it happened.

use values::Timestamp;

/// The instants that are shown in place of those in the row. None if the row's own instant is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownTimes {
    /// The instant in place of `announced_at`.
    pub announced_at: Option<Timestamp>,
    /// The instant in place of `active_from`.
    pub active_from: Option<Timestamp>,
    /// The instant in place of `retiring_from`.
    pub retiring_from: Option<Timestamp>,
    /// The instant in place of `removed_at`.
    pub removed_at: Option<Timestamp>,
}
