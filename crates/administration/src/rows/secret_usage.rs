//! The addresses that used secrets: merges the uses of several requests and replicas into one row for each
//! address.

use std::collections::BTreeMap;

use crate::SecretUsage;

/// Each address of a secret once, with its last use. Of each secret only this number of addresses, the latest
/// ones.
#[must_use]
pub fn latest_usage(usage: &[SecretUsage], kept: usize) -> Vec<SecretUsage> {
    let mut latest: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for used in usage {
        let of_secret = latest.entry((&used.tenant, &used.client, &used.secret)).or_default();
        let kept = of_secret.entry(&used.address).or_insert(used);
        if kept.at < used.at {
            *kept = used;
        }
    }
    let mut all = Vec::new();
    for addresses in latest.into_values() {
        let mut usage: Vec<_> = addresses.into_values().collect();
        // The sort is stable: of addresses that were used at the same time the smaller ones stay.
        usage.sort_by_key(|used| std::cmp::Reverse(used.at));
        all.extend(usage.into_iter().take(kept).cloned());
    }
    all
}
