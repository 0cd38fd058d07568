//! How long a cached row is served without reading the store: the bound for a change whose message was lost.
//! It counts from the moment at which the store is [known](crate::followed) to have held the row.

use std::time::Duration;

use values::Lifetime;

/// The default freshness of an entry.
pub const FRESH: Duration = Duration::from_secs(10);

/// The longest freshness of revocations. A revocation takes effect everywhere within [`FRESH`], and reading
/// it takes time, too.
pub const REVOCATIONS_FRESH: Duration = Duration::from_secs(8);

/// The freshness of an absence: short, because new rows are used at once.
const NEGATIVE_FRESH: Duration = Duration::from_secs(1);

/// However well the changes are followed, a row is read again within this time. Rows of one moment are read
/// at different ones.
const READ_AGAIN: [Duration; 2] = [Duration::from_mins(10), Duration::from_mins(30)];

/// The time after which a row is read again: early for 0 and late for 1.
pub(crate) fn read_again_after(spread: f64) -> Duration {
    let [least, most] = READ_AGAIN;
    least + (most - least).mul_f64(spread)
}

/// How long entries are fresh, in this process and in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness(Duration);

impl Freshness {
    /// Creates a freshness; an absence is fresh for no longer, and for a second at most.
    #[must_use]
    pub fn new(fresh: Duration) -> Self {
        Self(fresh)
    }

    /// Returns the shorter of this freshness and the given one.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        Self(self.0.min(longest))
    }

    pub(crate) fn of_values(self) -> Duration {
        self.0
    }

    /// The freshness of a value in whole seconds, rounded up.
    pub(crate) fn lifetime(self) -> Lifetime {
        Lifetime::from_seconds(self.0.as_secs().saturating_add(u64::from(self.0.subsec_nanos() > 0)))
    }

    /// The freshness of a reading.
    pub(crate) fn of<V>(self, value: Option<&V>) -> Duration {
        if value.is_some() { self.0 } else { self.0.min(NEGATIVE_FRESH) }
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self(FRESH)
    }
}
