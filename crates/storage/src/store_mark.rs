//! What a copy says of a store.

use values::Timestamp;

/// A store that must not be used, and the other store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreMark {
    /// An incomplete copy of the other store.
    #[error("is the unfinished copy of {0}")]
    Unfinished(String),
    /// The other store has its rows since then.
    #[error("was moved to {0} at {at}, and takes no writes", at = .1.to_rfc3339())]
    Moved(String, Timestamp),
}
