//! How long a cached row is used without reading the store. This limits the effect of a lost invalidation.
//! The time counts from when the row was last [known](crate::followed) to be current.

use std::time::Duration;

use values::Lifetime;

/// The default freshness of an entry.
pub const FRESH: Duration = Duration::from_secs(10);

/// The maximum freshness of revocations. A revocation must take effect everywhere within [`FRESH`], and
/// reading revocations takes time too.
pub const REVOCATIONS_FRESH: Duration = Duration::from_secs(8);

/// The freshness of a negative result. Short, because new rows are often used immediately.
const NEGATIVE_FRESH: Duration = Duration::from_secs(1);

/// The minimum and the maximum time after which a row is read again, even if the change log is followed. Rows
/// that were read together are read again at different times.
const READ_AGAIN: [Duration; 2] = [Duration::from_mins(10), Duration::from_mins(30)];

/// The time after which a row is read again: the minimum for 0, the maximum for 1.
pub(crate) fn read_again_after(spread: f64) -> Duration {
    let [least, most] = READ_AGAIN;
    least + (most - least).mul_f64(spread)
}

/// How long entries are fresh, in this process and in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness(Duration);

impl Freshness {
    /// A negative result is fresh for the same time, but at most for one second.
    #[must_use]
    pub fn new(fresh: Duration) -> Self {
        Self(fresh)
    }

    /// The shorter of both.
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

    /// The freshness of a value, or of a negative result for `None`.
    pub(crate) fn of<V>(self, value: Option<&V>) -> Duration {
        if value.is_some() { self.0 } else { self.0.min(NEGATIVE_FRESH) }
    }
}

impl Default for Freshness {
    fn default() -> Self {
        Self(FRESH)
    }
}
