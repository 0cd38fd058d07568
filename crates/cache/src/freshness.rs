//! How long what was read answers without asking the store: the bound for a change whose message was lost.

use std::time::Duration;

use protocol::Lifetime;

/// How long an entry is fresh unless told otherwise.
pub const FRESH: Duration = Duration::from_secs(10);

/// The same for "there is none": short, because what is created is used at once.
pub const NEGATIVE_FRESH: Duration = Duration::from_secs(1);

/// How long entries are fresh, in this process and in what replicas share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness(Duration);

impl Freshness {
    /// For so long; an absence for no longer, and for a second at most.
    #[must_use]
    pub fn new(fresh: Duration) -> Self {
        Self(fresh)
    }

    /// Of what there is.
    pub(crate) fn of_values(self) -> Duration {
        self.0
    }

    /// The same in whole seconds, none of it left out.
    pub(crate) fn lifetime(self) -> Lifetime {
        Lifetime::from_seconds(self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0)))
    }

    /// Of this reading.
    pub(crate) fn of<V>(self, value: Option<&V>) -> Duration {
        if value.is_some() { self.0 } else { self.0.min(NEGATIVE_FRESH) }
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self(FRESH)
    }
}
