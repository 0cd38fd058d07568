//! Which verifiers fetched which keys: what several requests and replicas saw, as one row a verifier.

use std::collections::BTreeMap;

use protocol::{Lifetime, Timestamp};
use serde_json::{Value, json};

use super::seconds;
use crate::VerifierFetch;

/// A verifier that fetched within this span stays among those that are kept of a tenant. Anyone can fetch keys under any name, and
/// new verifiers in any number must not displace those that wait for an announced key.
const PLACE_KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// Each verifier of a tenant once, with its last fetch and the newest key that it ever was given, in the order of their names.
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

/// A verifier that fetched after this, or in this batch, stays.
#[must_use]
pub fn places_kept_since(fetches: &[VerifierFetch]) -> Timestamp {
    let latest = fetches.iter().map(|seen| seen.last_fetch_at.seconds()).max();
    Timestamp::from_seconds(latest.unwrap_or(0).saturating_sub(PLACE_KEPT.seconds()))
}

/// Rows of the fetch log; see [`merged_fetches`] for what must not be there twice. A row that exists keeps the later time and the newer
/// key.
#[must_use]
pub fn verifier_fetch_rows(fetches: &[VerifierFetch]) -> Vec<Value> {
    let row = |VerifierFetch { tenant, verifier, last_fetch_at, newest_key }: &_| {
        json!({
            "tenant_id": tenant.as_str(),
            "verifier": verifier,
            "last_fetch_at": seconds(*last_fetch_at),
            "newest_key": newest_key.number(),
        })
    };
    fetches.iter().map(row).collect()
}
