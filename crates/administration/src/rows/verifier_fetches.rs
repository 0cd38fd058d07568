//! The keys that verifiers fetched: merges the fetches of several requests and replicas into one row for each
//! verifier.

use std::collections::BTreeMap;

use values::{Lifetime, Timestamp};

use crate::store::VerifierFetch;

/// A verifier that fetched within this time keeps its row. Anybody can fetch keys under any name. New
/// verifiers in any number must not displace the verifiers that an announced key waits for.
const PLACE_KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// One entry for each verifier of a tenant, with its last fetch and the newest key that it received, in the
/// order of their names.
#[must_use]
pub fn merged_fetches(fetches: &[VerifierFetch]) -> Vec<VerifierFetch> {
    let mut merged: BTreeMap<_, VerifierFetch> = BTreeMap::new();
    for seen in fetches {
        let kept = merged.entry((&seen.tenant, &seen.verifier)).or_insert_with(|| seen.clone());
        kept.last_fetch_at = kept.last_fetch_at.max(seen.last_fetch_at);
        kept.newest_key = kept.newest_key.max(seen.newest_key);
    }
    merged.into_values().collect()
}

/// A verifier keeps its row if it fetched after this time or is in this batch.
#[must_use]
pub fn places_kept_since(fetches: &[VerifierFetch]) -> Timestamp {
    let latest = fetches.iter().map(|seen| seen.last_fetch_at.seconds()).max();
    Timestamp::from_seconds(latest.unwrap_or(0).saturating_sub(PLACE_KEPT.seconds()))
}
