//! The defects that a test plants in the invalidation.

/// A simulation that does not find these defects would prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    ClientsAreSkipped,
    RevocationsAreSkipped,
    KeysAreSkipped,
    /// The replica that commits a change does not invalidate its own cache.
    OwnEntriesAreKept,
    /// The log is only read after a notification, and cached rows stay fresh for an hour.
    LostNotificationsAreNeverMadeUpFor,
    /// Two histories of the store are only distinguished by their positions.
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
