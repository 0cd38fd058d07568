//! The partition of a row that expires. Rows that expire in the same unit of time share a partition. The
//! partitions form a ring that is large enough that all rows of a partition have expired long before it is
//! used again. So a partition can be emptied at once, without deleting single rows.

use values::{Lifetime, Timestamp};

/// The partitions of a ring are created by migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    unit: Lifetime,
    slots: u32,
}

impl Ring {
    /// One partition for each day.
    pub const DAYS: Self = Self { unit: Lifetime::from_seconds(86_400), slots: 8 };
    /// One partition for each week.
    pub const WEEKS: Self = Self { unit: Lifetime::from_seconds(7 * 86_400), slots: 16 };
    /// One partition for each thirty days.
    pub const MONTHS: Self = Self { unit: Lifetime::from_seconds(30 * 86_400), slots: 20 };
    pub const ALL: [Self; 3] = [Self::DAYS, Self::WEEKS, Self::MONTHS];

    /// The length of time that one partition covers.
    #[must_use]
    pub const fn unit(self) -> Lifetime {
        self.unit
    }

    #[must_use]
    pub const fn slots(self) -> u32 {
        self.slots
    }

    /// The partition of a row that expires at this time.
    #[must_use]
    pub fn slot(self, expires_at: Timestamp) -> u32 {
        let slot = expires_at.seconds() / self.unit.seconds() % u64::from(self.slots);
        u32::try_from(slot).unwrap_or_default()
    }

    #[must_use]
    pub const fn has(self, slot: u32) -> bool {
        slot < self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_wrap_around() {
        for ring in Ring::ALL {
            let at = |units: u64, seconds| Timestamp::from_seconds(ring.unit().seconds() * units + seconds);
            let slots = u64::from(ring.slots());
            assert_eq!([ring.slot(at(0, 0)), ring.slot(at(slots, 0))], [0, 0]);
            assert_eq!([ring.slot(at(1, 0)), ring.slot(at(slots + 2, 0))], [1, 2]);
            assert_eq!(ring.slot(at(slots - 1, ring.unit().seconds() - 1)), ring.slots() - 1);
            assert!(ring.has(ring.slots() - 1) && !ring.has(ring.slots()));
        }
    }
}
