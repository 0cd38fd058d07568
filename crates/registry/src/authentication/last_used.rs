//! Buffers the last uses of client secrets and API keys by address until they are written, so that issuing a
//! token costs no write.

use indexmap::Equivalent;
use secrets::ClientAddress;
use tenancy::{TenantId, Usage, UsageBuffer};
use values::Timestamp;

use crate::{ApiKeyId, ClientId, SecretId};

/// The addresses of one secret. Stores keep the same number.
const ADDRESSES: usize = 32;

/// The addresses of one API key. A client has many keys, so there are fewer.
const ADDRESSES_OF_KEY: usize = 8;

/// A secret with its client and tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretPath {
    /// The tenant.
    pub tenant: TenantId,
    /// The client.
    pub client: ClientId,
    /// The secret.
    pub secret: SecretId,
}

/// Whether a presented credential counted. A refused attempt is no use, so neither takes the other's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UseOutcome {
    /// The client authenticated with it.
    Accepted,
    /// It had ended.
    Refused,
}

/// The last time that a secret was presented from one address with this outcome.
pub type UsedSecret = Usage<(SecretPath, UseOutcome), ClientAddress>;

/// The uses of secrets that are not written yet.
pub struct LastUsedSecrets(
    /// The buffer, for the task that writes it.
    pub UsageBuffer<(SecretPath, UseOutcome), ClientAddress>,
);

/// A borrowed [`SecretPath`] with an outcome. It has the same members in the same order, so it has the same
/// hash.
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
    /// Records that a secret was presented.
    pub fn note(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        outcome: UseOutcome,
        source: &ClientAddress,
        now: Timestamp,
    ) {
        let path = BorrowedPath { tenant, client, secret, outcome };
        self.0.record(
            &path,
            BorrowedPath::to_owner,
            |known: &ClientAddress| known == source,
            || *source,
            (),
            now,
        );
    }
}

/// The last time that an API key was presented from one address with this outcome.
pub type UsedApiKey = Usage<(TenantId, ApiKeyId, UseOutcome), ClientAddress>;

/// The uses of API keys that are not written yet.
pub struct LastUsedApiKeys(
    /// The buffer, for the task that writes it.
    pub UsageBuffer<(TenantId, ApiKeyId, UseOutcome), ClientAddress>,
);

impl Default for LastUsedApiKeys {
    fn default() -> Self {
        Self(UsageBuffer::new(ADDRESSES_OF_KEY))
    }
}

impl LastUsedApiKeys {
    /// Records that a key was presented.
    pub fn note(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
        outcome: UseOutcome,
        source: &ClientAddress,
        now: Timestamp,
    ) {
        // The clones share their text.
        let owner = (tenant.clone(), key.clone(), outcome);
        self.0.record(&owner, Clone::clone, |known: &ClientAddress| known == source, || *source, (), now);
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

    fn source(number: u32) -> ClientAddress {
        ClientAddress::new(Some(Ipv4Addr::from(number).into()))
    }

    /// `acme/svc/s1` used from an address at a time.
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
    fn the_same_names_in_another_tenant_or_client_are_others() {
        let uses = LastUsedSecrets::default();
        let apart = [used("acme/svc/s1", 1, 3), used("acme/web/s1", 1, 2), used("globex/svc/s1", 1, 1)];
        apart.iter().for_each(|used| note(&uses, used));
        note(&uses, &used("acme/svc/s1", 1, 2));
        assert_eq!(uses.0.drain(), apart);
    }

    #[test]
    fn a_refused_attempt_and_a_use_keep_a_time_each() {
        let uses = LastUsedSecrets::default();
        let accepted = used("acme/svc/s1", 1, 3);
        let refused =
            Usage { owner: (accepted.owner.0.clone(), UseOutcome::Refused), ..used("acme/svc/s1", 1, 9) };
        note(&uses, &accepted);
        note(&uses, &refused);
        assert_eq!(uses.0.drain(), [accepted, refused]);
    }

    #[test]
    fn every_kind_of_source_is_noted() {
        let uses = LastUsedSecrets::default();
        let sources =
            [ClientAddress::new(None), source(1), ClientAddress::new(Some(Ipv6Addr::LOCALHOST.into()))];
        for user in sources {
            note(&uses, &Usage { user, ..used("acme/svc/s1", 0, 5) });
        }
        let drained = uses.0.drain();
        assert_eq!(drained.into_iter().map(|used| used.user).collect::<Vec<_>>(), sources);
    }

    /// The cost of a token includes this call.
    #[test]
    fn the_same_secret_from_the_same_address_again_allocates_nothing() {
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
