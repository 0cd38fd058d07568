//! Defects that the test plants: a simulation that finds none of them would show nothing.

/// A defect that is planted into the invalidation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// The feed skips changes of clients.
    ClientsAreSkipped,
    /// The feed skips revocations.
    RevocationsAreSkipped,
    /// The feed skips changes of keys.
    KeysAreSkipped,
    /// The replica that commits a change keeps its own entries.
    OwnEntriesAreKept,
    /// The log is read after a notification alone, and entries stay fresh for an hour.
    LostNotificationsAreNeverMadeUpFor,
    /// Readings of two histories of the store are compared by their positions alone.
    HistoriesAreNotToldApart,
}

impl Defect {
    pub(super) const ALL: [Self; 6] = [
        Self::ClientsAreSkipped,
        Self::RevocationsAreSkipped,
        Self::KeysAreSkipped,
        Self::OwnEntriesAreKept,
        Self::LostNotificationsAreNeverMadeUpFor,
        Self::HistoriesAreNotToldApart,
    ];
}
