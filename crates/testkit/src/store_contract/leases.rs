//! Leases: only one of several processes does some work, and another takes over when that process stops.

use super::{Stores, at};
use crate::at_once;

/// The process that holds the lease may renew and release it.
pub async fn lease_has_one_owner_until_expiry(stores: Stores) {
    for (now, name, holder, until, expected) in [
        (0, "rotation", "first", 15, true),
        (0, "rotation", "second", 15, false),
        (14, "rotation", "second", 29, false),
        (14, "cleaning", "second", 20, true),
        (14, "rotation", "first", 29, true),
        (15, "rotation", "second", 30, false),
        (28, "rotation", "second", 43, false),
        (29, "rotation", "second", 44, true),
        (30, "rotation", "first", 45, false),
        (30, "rotation", "second", 30, true),
        (30, "rotation", "first", 45, true),
        (19, "cleaning", "first", 30, false),
        (100, "cleaning", "second", 110, true),
    ] {
        let got = stores.try_lease(name, holder, at(now), at(until)).await.unwrap();
        assert_eq!(got, expected, "{holder} wants {name} at {now}");
    }
}

/// In the second round the lease of the first round has just expired.
pub async fn only_one_process_gets_a_lease(stores: Stores) {
    for round in 0..2 {
        let attempts = (0..20).map(|nth| {
            let store = stores.clone();
            let (holder, now) = (format!("process {nth} of {round}"), 15 * round);
            async move { store.try_lease("rotation", &holder, at(now), at(now + 15)).await.unwrap() }
        });
        assert_eq!(at_once(attempts).await.into_iter().filter(|is_held| *is_held).count(), 1);
    }
}
