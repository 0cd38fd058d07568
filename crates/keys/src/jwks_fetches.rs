//! Buffers which keys each verifier has fetched, so that a JWKS response does not write to the store.
//!
//! Anybody can fetch keys with any user agent, so names are cut and the buffer is bounded.

use std::borrow::Cow;

use tenancy::{TenantId, Usage, UsageBuffer};
use values::Timestamp;

use crate::KeyId;

/// The number of verifiers kept for each tenant. Stores keep the same number.
const VERIFIERS: usize = 256;
/// The number of characters kept of a user agent.
const MAX_AGENT: usize = 64;

/// A verifier, identified by its user agent and the group of its address. It is formatted as `agent (group)`
/// when it is written to the store, not at each fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, derive_more::Display)]
#[display("{agent} ({group})")]
pub struct JwksReader<G> {
    agent: String,
    group: G,
}

/// The last fetch of a tenant's keys by a verifier, and the newest key in it.
pub type JwksFetch<G> = Usage<TenantId, JwksReader<G>, KeyId>;

/// The fetches that have not been written to the store yet. `G` is the type of address groups.
pub struct JwksFetches<G>(
    /// The buffer, for the task that writes it to the store.
    pub UsageBuffer<TenantId, JwksReader<G>, KeyId>,
);

impl<G: Clone + Ord> Default for JwksFetches<G> {
    fn default() -> Self {
        Self(UsageBuffer::new(VERIFIERS))
    }
}

impl<G: Clone + Ord> JwksFetches<G> {
    /// Records that a verifier with this user agent and address group fetched all keys up to `newest`.
    pub fn note(&self, tenant: &TenantId, agent: &str, group: &G, newest: KeyId, now: Timestamp) {
        let agent = printable(agent);
        let is_verifier = |known: &JwksReader<G>| known.group == *group && known.agent == agent;
        let verifier = || JwksReader { agent: agent.clone().into_owned(), group: group.clone() };
        self.0.record(tenant, TenantId::clone, is_verifier, verifier, newest, now);
    }
}

/// The first characters of a user agent, without characters that a terminal or a log could interpret.
fn printable(agent: &str) -> Cow<'_, str> {
    let is_printable = |character: char| character == ' ' || character.is_ascii_graphic();
    let end = agent.char_indices().nth(MAX_AGENT).map_or(agent.len(), |(end, _)| end);
    let beginning = &agent[..end];
    if beginning.chars().all(is_printable) {
        return Cow::Borrowed(beginning);
    }
    Cow::Owned(agent.chars().filter(|character| is_printable(*character)).take(MAX_AGENT).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn seen(
        (tenant, agent, key, at): (&str, &str, u32, u64),
        group: &'static str,
    ) -> JwksFetch<&'static str> {
        Usage {
            owner: self::tenant(tenant),
            user: JwksReader { agent: agent.to_owned(), group },
            newest: KeyId::numbered(key),
            at: Timestamp::from_seconds(at),
        }
    }

    #[track_caller]
    fn check(noted: &[(&str, &str, u32, u64)], expected: &[(&str, &str, u32, u64)]) {
        let fetches = JwksFetches::default();
        for (tenant, agent, key, at) in noted {
            let (key, at) = (KeyId::numbered(*key), Timestamp::from_seconds(*at));
            fetches.note(&self::tenant(tenant), agent, &"10.0.0.0/24", key, at);
        }
        let expected: Vec<_> = expected.iter().map(|row| seen(*row, "10.0.0.0/24")).collect();
        assert_eq!(fetches.0.drain(), expected, "{noted:?}");
    }

    #[test]
    fn newest_key_and_latest_fetch_are_kept_per_verifier() {
        check(&[("acme", "jose", 1, 10), ("acme", "jose", 2, 12)], &[("acme", "jose", 2, 12)]);
        check(
            &[("acme", "a", 1, 1), ("acme", "a (b)", 1, 2), ("acme", "a", 2, 3)],
            &[("acme", "a", 2, 3), ("acme", "a (b)", 1, 2)],
        );
    }

    #[test]
    fn verifiers_are_recorded_per_tenant() {
        let apart = [("acme", "jose", 1, 3), ("globex", "jose", 2, 1)];
        check(&apart, &apart);
    }

    #[test]
    fn agent_name_keeps_64_printable_ascii_characters() {
        let long = "a".repeat(1000);
        check(&[("acme", &long, 1, 1), ("acme", &long[..80], 2, 2)], &[("acme", &long[..64], 2, 2)]);
        check(&[("acme", "é\x1b[2Jx\r\ny", 1, 1)], &[("acme", "[2Jxy", 1, 1)]);
        check(&[("acme", "", 1, 1)], &[("acme", "", 1, 1)]);
        let far = format!("{}b", "é".repeat(500));
        check(&[("acme", &far, 1, 1)], &[("acme", "b", 1, 1)]);
    }

    #[test]
    fn agent_at_two_addresses_counts_as_two_verifiers() {
        let fetches = JwksFetches::default();
        let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(1));
        for group in ["10.0.0.0/24", "2001:db8::/56", "10.0.0.0/24"] {
            fetches.note(&tenant("acme"), "jose", &group, key, at);
        }
        let drained = fetches.0.drain();
        assert_eq!(
            drained,
            ["10.0.0.0/24", "2001:db8::/56"].map(|group| seen(("acme", "jose", 1, 1), group))
        );
        assert_eq!(drained[0].user.to_string(), "jose (10.0.0.0/24)");
    }

    #[test]
    fn repeated_fetch_allocates_nothing() {
        let (fetches, acme) = (JwksFetches::default(), tenant("acme"));
        let note = |at| {
            let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(at));
            fetches.note(&acme, "okhttp/4.9.0 (Linux)", &"10.0.0.0/24", key, at);
        };
        note(1);
        let allocated = allocation_counter::measure(|| (0..1_000).for_each(note));
        assert_eq!(allocated.count_total, 0);
    }
}
