//! The mark that a copy sets on a store.

use values::Timestamp;

/// A store that must not be used, with the name of the other store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreMark {
    /// The store is an incomplete copy of this store.
    #[error("is the unfinished copy of {0}")]
    Unfinished(String),
    /// The rows were moved to this store at this time.
    #[error("was moved to {0} at {at}, and is read-only", at = .1.to_rfc3339())]
    Moved(String, Timestamp),
}
