//! From where secrets were used: what several requests and replicas saw, as one row an address.

use std::collections::BTreeMap;

use serde::Serialize;

use super::seconds;
use crate::SecretUsage;

/// A row of the table `secret_uses`.
#[derive(Debug, Serialize)]
pub struct SecretUsageRow<'a> {
    /// Whose client.
    pub tenant_id: &'a str,
    /// Whose secret.
    pub client_id: &'a str,
    /// Which.
    pub secret_id: &'a str,
    /// From where.
    pub address: &'a str,
    /// When last.
    pub last_used_at: i64,
}

/// Each address of a secret once, with its last use, and of each secret only so many addresses, the latest.
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
        // Stable, so that of addresses used at once the smaller ones stay.
        usage.sort_by_key(|used| std::cmp::Reverse(used.at));
        all.extend(usage.into_iter().take(kept).cloned());
    }
    all
}

/// As a store binds them; see [`latest_usage`] for what must not be there twice.
#[must_use]
pub fn secret_usage_rows(usage: &[SecretUsage]) -> Vec<SecretUsageRow<'_>> {
    usage.iter().map(row).collect()
}

fn row(used: &SecretUsage) -> SecretUsageRow<'_> {
    let SecretUsage { tenant, client, secret, address, at } = used;
    SecretUsageRow {
        tenant_id: tenant.as_str(),
        client_id: client.as_str(),
        secret_id: secret.as_str(),
        address,
        last_used_at: seconds(*at),
    }
}
