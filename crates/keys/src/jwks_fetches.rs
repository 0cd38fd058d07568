//! Which keys each verifier has fetched, buffered until it is written: an answer with keys costs no write.
//!
//! Anybody can fetch keys under any user agent, so names are cropped and the buffer is bounded.

use std::borrow::Cow;

use protocol::Timestamp;
use tenancy::{TenantId, Usage, UsageBuffer};

use crate::KeyId;

/// Verifiers of one tenant, as many as stores keep: the latest.
const VERIFIERS: usize = 256;
/// Characters of a user agent that are kept.
const MAX_AGENT: usize = 64;

/// The last fetch of a tenant's keys by a verifier, `user agent (address group)`, with the newest key that it got.
pub type JwksFetch = Usage<TenantId, String, KeyId>;

/// The fetches that are not written yet.
pub struct JwksFetches(
    /// The buffer, for the task that writes it.
    pub UsageBuffer<TenantId, String, KeyId>,
);

impl Default for JwksFetches {
    fn default() -> Self {
        Self(UsageBuffer::new(VERIFIERS))
    }
}

impl JwksFetches {
    /// Records that a verifier of this user agent, at an address of this group, got keys up to the newest.
    pub fn note(&self, tenant: &TenantId, agent: &str, group: &str, newest: KeyId, now: Timestamp) {
        let agent = printable(agent);
        let is_verifier = |known: &String| {
            let rest = known.strip_prefix(&*agent).and_then(|rest| rest.strip_prefix(" ("));
            rest.and_then(|rest| rest.strip_suffix(')')) == Some(group)
        };
        let verifier = (is_verifier, || format!("{agent} ({group})"));
        self.0.record((tenant, TenantId::clone), verifier, newest, now);
    }
}

/// The first characters of a user agent, without those that a terminal or a log could interpret.
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

    fn seen(tenant: &str, verifier: &str, key: u32, at: u64) -> JwksFetch {
        Usage {
            owner: self::tenant(tenant),
            user: verifier.to_owned(),
            newest: KeyId::numbered(key),
            at: Timestamp::from_seconds(at),
        }
    }

    #[track_caller]
    fn check(noted: &[(&str, &str, u32, u64)], expected: &[(&str, &str, u32, u64)]) {
        let fetches = JwksFetches::default();
        for (tenant, agent, key, at) in noted {
            let (key, at) = (KeyId::numbered(*key), Timestamp::from_seconds(*at));
            fetches.note(&self::tenant(tenant), agent, "10.0.0.0/24", key, at);
        }
        let of = |(tenant, verifier, key, at): &(&str, &str, u32, u64)| {
            seen(tenant, &format!("{verifier} (10.0.0.0/24)"), *key, *at)
        };
        assert_eq!(fetches.0.drain(), expected.iter().map(of).collect::<Vec<_>>(), "{noted:?}");
    }

    #[test]
    fn the_newest_key_and_the_latest_fetch_of_each_verifier_are_kept() {
        check(&[("acme", "jose", 1, 10), ("acme", "jose", 2, 12)], &[("acme", "jose", 2, 12)]);
        check(
            &[("acme", "a", 1, 1), ("acme", "a (b)", 1, 2), ("acme", "a", 2, 3)],
            &[("acme", "a", 2, 3), ("acme", "a (b)", 1, 2)],
        );
    }

    #[test]
    fn the_same_verifier_of_another_tenant_is_another() {
        let apart = [("acme", "jose", 1, 3), ("globex", "jose", 2, 1)];
        check(&apart, &apart);
    }

    #[test]
    fn a_name_is_cropped_and_has_nothing_that_a_terminal_might_obey() {
        let long = "a".repeat(1000);
        check(&[("acme", &long, 1, 1), ("acme", &long[..80], 2, 2)], &[("acme", &long[..64], 2, 2)]);
        check(&[("acme", "é\x1b[2Jx\r\ny", 1, 1)], &[("acme", "[2Jxy", 1, 1)]);
        check(&[("acme", "", 1, 1)], &[("acme", "", 1, 1)]);
        let far = format!("{}b", "é".repeat(500));
        check(&[("acme", &far, 1, 1)], &[("acme", "b", 1, 1)]);
    }

    #[test]
    fn one_agent_at_two_addresses_is_two_verifiers() {
        let fetches = JwksFetches::default();
        let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(1));
        for group in ["10.0.0.0/24", "2001:db8::/56", "10.0.0.0/24"] {
            fetches.note(&tenant("acme"), "jose", group, key, at);
        }
        let expected = [seen("acme", "jose (10.0.0.0/24)", 1, 1), seen("acme", "jose (2001:db8::/56)", 1, 1)];
        assert_eq!(fetches.0.drain(), expected);
    }

    #[test]
    fn a_verifier_that_comes_again_allocates_nothing() {
        let (fetches, acme) = (JwksFetches::default(), tenant("acme"));
        let note = |at| {
            let (key, at) = (KeyId::numbered(1), Timestamp::from_seconds(at));
            fetches.note(&acme, "okhttp/4.9.0 (Linux)", "10.0.0.0/24", key, at);
        };
        note(1);
        let allocated = allocation_counter::measure(|| (0..1_000).for_each(note));
        assert_eq!(allocated.count_total, 0);
    }
}
