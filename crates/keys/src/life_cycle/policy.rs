//! The periods of a key's life cycle, and the two that are derived from them.

use tenancy::{SigningPolicy, Tenant};
use values::{Lifetime, Timestamp};

use crate::{KeyAlgorithm, KeyRecord, KeySpec, RsaSize};

/// Timestamps are whole seconds, so an event "now" may happen up to a second later. Every period that others
/// depend on is longer by this.
const CLOCK_STEP: Lifetime = Lifetime::from_seconds(1);

/// A tenant's policy for the keys of one use, the lifetime of its tokens, and the remaining effects of
/// previous policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    pub algorithm: KeyAlgorithm,
    pub rsa_size: RsaSize,
    /// How long a key signs before its successor takes over.
    pub rotate_every: Lifetime,
    /// How long a key is published before it signs, plus one second because clocks show whole seconds.
    pub publish_before: Lifetime,
    /// `max-age` of the JWKS answer (RFC 9111 §5.2.2.1).
    pub jwks_max_age: Lifetime,
    /// `stale-while-revalidate` of the JWKS answer (RFC 5861 §3).
    pub jwks_stale: Lifetime,
    /// The maximum difference between clocks.
    pub skew: Lifetime,
    /// How long a replica may use old rows after another replica has changed them, if no invalidation
    /// arrives.
    pub l1_lifetime: Lifetime,
    pub longest_token: Lifetime,
    /// When the last token with a previous, longer lifetime expires, if such tokens may exist.
    pub previous_tokens_until: Option<Timestamp>,
}

impl KeyPolicy {
    #[must_use]
    pub fn new(signing: &SigningPolicy, longest_token: Lifetime, l1_lifetime: Lifetime) -> Self {
        let SigningPolicy { algorithm, rotate_every, jwks_max_age, jwks_stale, skew, .. } = *signing;
        Self {
            algorithm: algorithm.into(),
            rsa_size: KeySpec::new(signing).rsa_size,
            rotate_every,
            publish_before: sum([signing.publish_before, CLOCK_STEP]),
            jwks_max_age,
            jwks_stale,
            skew,
            l1_lifetime,
            longest_token,
            previous_tokens_until: None,
        }
    }

    /// The policy for the keys of opaque tokens. They have the periods of the signing keys, although no
    /// verifier fetches them.
    pub(super) fn for_opaque_tokens(&self) -> Self {
        Self { algorithm: KeyAlgorithm::OpaqueTokens, ..self.clone() }
    }

    /// Whether the policy is for this key.
    #[must_use]
    pub const fn concerns(&self, key: &KeyRecord) -> bool {
        key.algorithm.has_use_of(self.algorithm)
    }

    /// How long a tenant's keys may be served stale while the store is unavailable: at most as long as the
    /// tenant allows and as is safe for verifiers.
    #[must_use]
    pub fn stale_if_error(tenant: &Tenant, l1_lifetime: Lifetime) -> Lifetime {
        let policy = Self::new(&tenant.signing, tenant.access_token.lifetime, l1_lifetime);
        policy.margin().min(tenant.stale_if_error)
    }

    /// Adds the remaining effects of previous policies: tokens that are valid until `tokens_until`, and
    /// cached copies of the key set. All plans after a change of policy use this. The commit of the change
    /// itself does only the part that cannot wait ([`super::extend_retention`]).
    #[must_use]
    pub fn with_previous(
        self,
        tokens_until: Option<Timestamp>,
        jwks: Option<(Lifetime, Timestamp)>,
        now: Timestamp,
    ) -> Self {
        // On a slow clock these tokens have not expired yet.
        let previous_tokens_until = tokens_until.filter(|until| *until + self.skew > now);
        let longest = previous_tokens_until.map(|until| minus(until.seconds(), now.seconds()));
        let kept = sum([self.jwks_max_age, self.jwks_stale]);
        let age = jwks.filter(|(_, until)| *until > now).map_or(kept, |(age, _)| age);
        let longer = minus(age.seconds(), kept.seconds());
        Self {
            longest_token: longest.map_or(self.longest_token, |longest| longest.max(self.longest_token)),
            previous_tokens_until,
            jwks_stale: sum([self.jwks_stale, longer]),
            publish_before: sum([self.publish_before, longer]),
            ..self
        }
    }

    /// How long until every verifier that honours `Cache-Control` has a newly announced key.
    #[must_use]
    pub fn window(&self) -> Lifetime {
        sum([self.jwks_max_age, self.jwks_stale, self.propagation_delay()])
    }

    /// How long a key is published after its last signature.
    #[must_use]
    pub fn retention(&self) -> Lifetime {
        sum([self.longest_token, self.skew, self.jwks_max_age])
    }

    /// How much longer than the window a key is published before it signs. A replica that cannot read the
    /// change may use its old rows for this long after their freshness. After that, its key set would lack a
    /// key that other replicas sign with, and it would sign with a removed key.
    #[must_use]
    pub fn margin(&self) -> Lifetime {
        minus(self.publish_before.seconds(), self.window().seconds())
    }

    /// The time until every replica acts on a changed row, on any clock. Times within this delay are not
    /// changed any more.
    pub(super) fn propagation_delay(&self) -> Lifetime {
        sum([self.l1_lifetime, self.skew, CLOCK_STEP])
    }

    /// How long a key must be published before it signs: the window, or `publish_before` if the operator has
    /// set a shorter time.
    pub(super) fn least_publication(&self) -> Lifetime {
        self.window().min(self.publish_before)
    }

    /// When the last key of the sequence must have an announced successor.
    pub(super) fn succession_of(&self, last: &KeyRecord) -> Timestamp {
        if last.algorithm != self.algorithm {
            return last.active_from;
        }
        before(last.active_from + self.rotate_every, self.publish_before).max(last.active_from)
    }
}

/// The time that is `lifetime` earlier, at least the epoch.
pub(super) fn before(instant: Timestamp, lifetime: Lifetime) -> Timestamp {
    Timestamp::from_seconds(instant.seconds().saturating_sub(lifetime.seconds()))
}

fn sum<const N: usize>(lifetimes: [Lifetime; N]) -> Lifetime {
    Lifetime::from_seconds(lifetimes.into_iter().map(Lifetime::seconds).fold(0, u64::saturating_add))
}

fn minus(longer: u64, shorter: u64) -> Lifetime {
    Lifetime::from_seconds(longer.saturating_sub(shorter))
}
