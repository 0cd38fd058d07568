//! The spans that a key's life is made of, and the two that follow from them.

use protocol::{Lifetime, SigningAlgorithm, Timestamp};
use tenancy::{SigningPolicy, Tenant};

use crate::{KeyRecord, KeySpec, RsaSize};

/// Timestamps are whole seconds, so what happens "now" may happen up to a second after it, and every span that others rely on is
/// longer by this.
const CLOCK_STEP: Lifetime = Lifetime::from_seconds(1);

/// A tenant's signing policy, how long its tokens live, and what an earlier policy has left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// What new tokens are signed with.
    pub algorithm: SigningAlgorithm,
    /// How long new RSA keys are.
    pub rsa_size: RsaSize,
    /// How long a key signs before the next one takes over.
    pub rotate_every: Lifetime,
    /// How long a key is published before it signs, a second for the whole seconds of clocks included.
    pub publish_before: Lifetime,
    /// `max-age` of the JWKS answer (RFC 9111 §5.2.2.1).
    pub jwks_max_age: Lifetime,
    /// `stale-while-revalidate` of the JWKS answer (RFC 5861 §3).
    pub jwks_stale: Lifetime,
    /// By how much clocks may differ.
    pub skew: Lifetime,
    /// How long a replica may go on with rows that another one has changed, if no message of the change reaches it.
    pub l1_lifetime: Lifetime,
    /// The longest lifetime that the tenant's tokens are given.
    pub longest_token: Lifetime,
    /// When the last token that was issued under an earlier, longer lifetime expires, where such tokens may be about.
    pub previous_tokens_until: Option<Timestamp>,
}

impl KeyPolicy {
    /// Of a tenant's settings.
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

    /// For how long after they ceased to be fresh a tenant's keys may be used while the store is unavailable: no longer than the tenant
    /// allows, nor than its verifiers bear.
    #[must_use]
    pub fn stale_if_error(tenant: &Tenant, l1_lifetime: Lifetime) -> Lifetime {
        let policy = Self::new(&tenant.signing, tenant.access_token.lifetime, l1_lifetime);
        policy.margin().min(tenant.stale_if_error)
    }

    /// This policy while earlier ones still have effects: tokens that live until then, and copies of the key set that are kept for so
    /// long until then. Everything is planned with this that is planned after a change of policy; its own commit does what cannot wait for
    /// that ([`super::extend_retention`]).
    #[must_use]
    pub fn with_previous(
        self,
        tokens_until: Option<Timestamp>,
        jwks: Option<(Lifetime, Timestamp)>,
        now: Timestamp,
    ) -> Self {
        let previous_tokens_until = tokens_until.filter(|until| *until > now);
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

    /// How long it takes until no verifier that honours `Cache-Control` goes on without a newly announced key.
    #[must_use]
    pub fn window(&self) -> Lifetime {
        sum([self.jwks_max_age, self.jwks_stale, self.propagation_delay()])
    }

    /// How long a key is published after its last signature.
    #[must_use]
    pub fn retention(&self) -> Lifetime {
        sum([self.longest_token, self.skew, self.jwks_max_age])
    }

    /// By how much longer than the window a key is published before it signs: for so long, after its rows have ceased to be fresh, may a
    /// replica go on with them that cannot read what has changed. Later its key set would lack a key that signs elsewhere, and it would
    /// sign with one that is gone.
    #[must_use]
    pub fn margin(&self) -> Lifetime {
        minus(self.publish_before.seconds(), self.window().seconds())
    }

    /// How long it takes until every replica acts on a changed row, by whatever clock. What lies nearer is not changed any more.
    pub(super) fn propagation_delay(&self) -> Lifetime {
        sum([self.l1_lifetime, self.skew, CLOCK_STEP])
    }

    /// For how long a key must have been published. It is the window; a `publish_before` that is shorter is the operator's word.
    pub(super) fn least_publication(&self) -> Lifetime {
        self.window().min(self.publish_before)
    }

    /// When the last key of the line must have a successor announced.
    pub(super) fn succession_of(&self, last: &KeyRecord) -> Timestamp {
        if last.algorithm != self.algorithm {
            return last.active_from;
        }
        before(last.active_from + self.rotate_every, self.publish_before).max(last.active_from)
    }
}

/// The instant that lies this much earlier, or the epoch.
pub(super) fn before(instant: Timestamp, lifetime: Lifetime) -> Timestamp {
    Timestamp::from_seconds(instant.seconds().saturating_sub(lifetime.seconds()))
}

fn sum<const N: usize>(lifetimes: [Lifetime; N]) -> Lifetime {
    Lifetime::from_seconds(lifetimes.into_iter().map(Lifetime::seconds).fold(0, u64::saturating_add))
}

fn minus(longer: u64, shorter: u64) -> Lifetime {
    Lifetime::from_seconds(longer.saturating_sub(shorter))
}
