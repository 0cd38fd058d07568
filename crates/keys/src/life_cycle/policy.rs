//! The periods of a key's lifecycle, and the two derived from them.

use protocol::SigningAlgorithm;
use tenancy::{SigningPolicy, Tenant};
use values::{Lifetime, Timestamp};

use crate::{KeyRecord, KeySpec, RsaSize};

/// Timestamps are whole seconds, so an event "now" may happen up to a second later. Every period that others
/// depend on is longer by this step.
const CLOCK_STEP: Lifetime = Lifetime::from_seconds(1);

/// A tenant's signing policy, the lifetime of its tokens, and the remaining effects of previous policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// The algorithm of new tokens.
    pub algorithm: SigningAlgorithm,
    /// The size of new RSA keys.
    pub rsa_size: RsaSize,
    /// How long a key signs before its successor takes over.
    pub rotate_every: Lifetime,
    /// How long a key is published before it signs, plus a second for whole-second clocks.
    pub publish_before: Lifetime,
    /// `max-age` of the JWKS answer (RFC 9111 §5.2.2.1).
    pub jwks_max_age: Lifetime,
    /// `stale-while-revalidate` of the JWKS answer (RFC 5861 §3).
    pub jwks_stale: Lifetime,
    /// The difference between clocks.
    pub skew: Lifetime,
    /// How long a replica may use rows after another replica has changed them, if no invalidation reaches it.
    pub l1_lifetime: Lifetime,
    /// The longest lifetime of the tenant's tokens.
    pub longest_token: Lifetime,
    /// When the last token of a previous, longer lifetime expires, if there may be such tokens.
    pub previous_tokens_until: Option<Timestamp>,
}

impl KeyPolicy {
    /// Creates the policy from a tenant's settings.
    #[must_use]
    pub fn new(signing: &SigningPolicy, longest_token: Lifetime, l1_lifetime: Lifetime) -> Self {
        let SigningPolicy { algorithm, rotate_every, jwks_max_age, jwks_stale, skew, .. } = *signing;
        Self {
            algorithm,
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

    /// How long a tenant's keys may serve stale while the store is unavailable: no longer than the tenant
    /// allows, and no longer than is safe for its verifiers.
    #[must_use]
    pub fn stale_if_error(tenant: &Tenant, l1_lifetime: Lifetime) -> Lifetime {
        let policy = Self::new(&tenant.signing, tenant.access_token.lifetime, l1_lifetime);
        policy.margin().min(tenant.stale_if_error)
    }

    /// This policy with the remaining effects of previous ones: tokens that live until then, and copies of
    /// the key set that are cached until then. All plans after a change of policy use it. The commit of the
    /// change itself does the part that cannot wait ([`super::extend_retention`]).
    #[must_use]
    pub fn with_previous(
        self,
        tokens_until: Option<Timestamp>,
        jwks: Option<(Lifetime, Timestamp)>,
        now: Timestamp,
    ) -> Self {
        // By a clock that is behind, they have not expired yet.
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

    /// The margin by which a key is published before it signs, beyond the window. A replica that cannot read
    /// the change may use its old rows for this long after their freshness. After that its key set would lack
    /// a key that signs elsewhere, and it would sign with a removed one.
    #[must_use]
    pub fn margin(&self) -> Lifetime {
        minus(self.publish_before.seconds(), self.window().seconds())
    }

    /// How long it takes until every replica acts on a changed row, by any clock. Times that are nearer are
    /// not changed any more.
    pub(super) fn propagation_delay(&self) -> Lifetime {
        sum([self.l1_lifetime, self.skew, CLOCK_STEP])
    }

    /// How long a key must have been published: the window, or a shorter `publish_before`
    /// if the operator chose one.
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

/// The instant that is this much earlier, or the epoch.
pub(super) fn before(instant: Timestamp, lifetime: Lifetime) -> Timestamp {
    Timestamp::from_seconds(instant.seconds().saturating_sub(lifetime.seconds()))
}

fn sum<const N: usize>(lifetimes: [Lifetime; N]) -> Lifetime {
    Lifetime::from_seconds(lifetimes.into_iter().map(Lifetime::seconds).fold(0, u64::saturating_add))
}

fn minus(longer: u64, shorter: u64) -> Lifetime {
    Lifetime::from_seconds(longer.saturating_sub(shorter))
}
