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

/// The last use of a secret from one address.
pub type UsedSecret = Usage<SecretPath, ClientAddress>;

/// The uses of secrets that are not written yet.
pub struct LastUsedSecrets(
    /// The buffer, for the task that writes it.
    pub UsageBuffer<SecretPath, ClientAddress>,
);

/// A borrowed [`SecretPath`]. It has the same members in the same order, so it has the same hash.
#[derive(Hash)]
struct SecretPathRef<'a> {
    tenant: &'a TenantId,
    client: &'a ClientId,
    secret: &'a SecretId,
}

impl Default for LastUsedSecrets {
    fn default() -> Self {
        Self(UsageBuffer::new(ADDRESSES))
    }
}

impl LastUsedSecrets {
    /// Records that a secret was used.
    pub fn note(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        source: &ClientAddress,
        now: Timestamp,
    ) {
        let path = (&SecretPathRef { tenant, client, secret }, SecretPathRef::to_path);
        self.0.record(path, (|known: &ClientAddress| known == source, || *source), (), now);
    }
}

/// The last use of an API key from one address.
pub type UsedApiKey = Usage<(TenantId, ApiKeyId), ClientAddress>;

/// The uses of API keys that are not written yet.
pub struct LastUsedApiKeys(
    /// The buffer, for the task that writes it.
    pub UsageBuffer<(TenantId, ApiKeyId), ClientAddress>,
);

impl Default for LastUsedApiKeys {
    fn default() -> Self {
        Self(UsageBuffer::new(ADDRESSES_OF_KEY))
    }
}

impl LastUsedApiKeys {
    /// Records that a key was used.
    pub fn note(&self, tenant: &TenantId, key: &ApiKeyId, source: &ClientAddress, now: Timestamp) {
        // The clones share their text.
        let owner = (tenant.clone(), key.clone());
        self.0.record((&owner, Clone::clone), (|known: &ClientAddress| known == source, || *source), (), now);
    }
}

impl SecretPathRef<'_> {
    fn to_path(&self) -> SecretPath {
        let Self { tenant, client, secret } = *self;
        SecretPath { tenant: tenant.clone(), client: client.clone(), secret: secret.clone() }
    }
}

impl Equivalent<SecretPath> for SecretPathRef<'_> {
    fn equivalent(&self, path: &SecretPath) -> bool {
        *self.secret == path.secret && *self.client == path.client && *self.tenant == path.tenant
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
        Usage { owner, user: source(number), at: Timestamp::from_seconds(at), newest: () }
    }

    fn note(uses: &LastUsedSecrets, Usage { owner, user, at, .. }: &UsedSecret) {
        uses.note(&owner.tenant, &owner.client, &owner.secret, user, *at);
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
