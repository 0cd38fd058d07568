//! Buffers the last uses of client secrets and API keys by address, so that issuing a token does not write to
//! the store.

use indexmap::Equivalent;
use secrets::CallerAddress;
use tenancy::{TenantId, Usage, UsageBuffer};
use values::Timestamp;

use crate::{ApiKeyId, ClientId, SecretId};

/// The number of addresses kept for each secret. Stores keep the same number.
const ADDRESSES: usize = 32;

/// The number of addresses kept for each API key. It is smaller, because a client can have many keys.
const ADDRESSES_OF_KEY: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath {
    pub tenant: TenantId,
    pub client: ClientId,
    pub secret: SecretId,
}

/// Whether a credential was accepted. Each secret keeps both outcomes separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseOutcome {
    /// The client authenticated.
    Accepted,
    /// The credential was expired or revoked.
    Refused,
}

/// The last time that a secret was presented from one address with this outcome.
pub type UsedSecret = Usage<(SecretPath, UseOutcome), CallerAddress>;

pub struct LastUsedSecrets(
    /// The buffer, for the task that writes it to the store.
    pub UsageBuffer<(SecretPath, UseOutcome), CallerAddress>,
);

/// A borrowed [`SecretPath`] with an outcome. The fields have the same order, so it has the same hash and can
/// be used for lookups without allocation.
#[derive(Hash)]
struct BorrowedPath<'a> {
    tenant: &'a TenantId,
    client: &'a ClientId,
    secret: &'a SecretId,
    outcome: UseOutcome,
}

impl Default for LastUsedSecrets {
    fn default() -> Self {
        Self(UsageBuffer::new(ADDRESSES))
    }
}

impl LastUsedSecrets {
    pub fn note(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        outcome: UseOutcome,
        source: &CallerAddress,
        now: Timestamp,
    ) {
        let path = BorrowedPath { tenant, client, secret, outcome };
        self.0.record(
            &path,
            BorrowedPath::to_owner,
            |known: &CallerAddress| known == source,
            || *source,
            (),
            now,
        );
    }
}

/// The last time that an API key was presented from one address with this outcome.
pub type UsedApiKey = Usage<(TenantId, ApiKeyId, UseOutcome), CallerAddress>;

pub struct LastUsedApiKeys(
    /// The buffer, for the task that writes it to the store.
    pub UsageBuffer<(TenantId, ApiKeyId, UseOutcome), CallerAddress>,
);

impl Default for LastUsedApiKeys {
    fn default() -> Self {
        Self(UsageBuffer::new(ADDRESSES_OF_KEY))
    }
}

impl LastUsedApiKeys {
    pub fn note(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
        outcome: UseOutcome,
        source: &CallerAddress,
        now: Timestamp,
    ) {
        // The clones share their text, so they do not allocate.
        let owner = (tenant.clone(), key.clone(), outcome);
        self.0.record(&owner, Clone::clone, |known: &CallerAddress| known == source, || *source, (), now);
    }
}

impl BorrowedPath<'_> {
    fn to_owner(&self) -> (SecretPath, UseOutcome) {
        let Self { tenant, client, secret, outcome } = *self;
        let path = SecretPath { tenant: tenant.clone(), client: client.clone(), secret: secret.clone() };
        (path, outcome)
    }
}

impl Equivalent<(SecretPath, UseOutcome)> for BorrowedPath<'_> {
    fn equivalent(&self, (path, outcome): &(SecretPath, UseOutcome)) -> bool {
        *self.secret == path.secret
            && *self.client == path.client
            && *self.tenant == path.tenant
            && self.outcome == *outcome
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn source(number: u32) -> CallerAddress {
        CallerAddress::new(Some(Ipv4Addr::from(number).into()))
    }

    /// A use of the secret `path`, such as `acme/svc/s1`.
    fn used(path: &str, number: u32, at: u64) -> UsedSecret {
        let mut parts = path.split('/');
        let mut next = || parts.next().unwrap();
        let owner = SecretPath {
            tenant: TenantId::parse(next()).unwrap(),
            client: ClientId::parse(next()).unwrap(),
            secret: SecretId::new(next()),
        };
        let owner = (owner, UseOutcome::Accepted);
        Usage { owner, user: source(number), at: Timestamp::from_seconds(at), newest: () }
    }

    fn note(uses: &LastUsedSecrets, Usage { owner: (path, outcome), user, at, .. }: &UsedSecret) {
        uses.note(&path.tenant, &path.client, &path.secret, *outcome, user, *at);
    }

    #[test]
    fn uses_are_separate_by_tenant_and_client() {
        let uses = LastUsedSecrets::default();
        let apart = [used("acme/svc/s1", 1, 3), used("acme/web/s1", 1, 2), used("globex/svc/s1", 1, 1)];
        apart.iter().for_each(|used| note(&uses, used));
        note(&uses, &used("acme/svc/s1", 1, 2));
        assert_eq!(uses.0.drain(), apart);
    }

    #[test]
    fn accepted_and_refused_uses_have_separate_times() {
        let uses = LastUsedSecrets::default();
        let accepted = used("acme/svc/s1", 1, 3);
        let refused =
            Usage { owner: (accepted.owner.0.clone(), UseOutcome::Refused), ..used("acme/svc/s1", 1, 9) };
        note(&uses, &accepted);
        note(&uses, &refused);
        assert_eq!(uses.0.drain(), [accepted, refused]);
    }

    #[test]
    fn every_kind_of_address_is_recorded() {
        let uses = LastUsedSecrets::default();
        let sources =
            [CallerAddress::new(None), source(1), CallerAddress::new(Some(Ipv6Addr::LOCALHOST.into()))];
        for user in sources {
            note(&uses, &Usage { user, ..used("acme/svc/s1", 0, 5) });
        }
        let drained = uses.0.drain();
        assert_eq!(drained.into_iter().map(|used| used.user).collect::<Vec<_>>(), sources);
    }

    /// The server calls `note` for every issued token.
    #[test]
    fn repeated_use_allocates_nothing() {
        let uses = LastUsedSecrets::default();
        let [first, again] = [used("acme/svc/s1", 1, 10), used("acme/svc/s1", 1, 11)];
        note(&uses, &first);
        let allocated = allocation_counter::measure(|| {
            for _ in 0..1_000 {
                note(&uses, &first);
                note(&uses, &again);
            }
        });
        assert_eq!(allocated.count_total, 0);
    }
}
