//! Names in Redis. The tenant comes first and in braces, so a cluster keeps a tenant's keys on one node. The client's
//! identifier comes last and unescaped, so no two items share a name, whatever its characters.

use registry::ClientId;
use tenancy::TenantId;

/// An item that can be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SharedItem<'a> {
    Tenant(&'a TenantId),
    Client(&'a TenantId, &'a ClientId),
    Keys(&'a TenantId),
}

/// The names of one installation.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl<'a> SharedItem<'a> {
    pub(crate) fn tenant(&self) -> &'a TenantId {
        match self {
            Self::Tenant(tenant) | Self::Client(tenant, _) | Self::Keys(tenant) => tenant,
        }
    }
}

impl Names {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix }
    }

    /// The names of the value, of its lease and of the tenant's epoch.
    pub(crate) fn of(&self, item: SharedItem<'_>) -> [String; 3] {
        let tenant = item.tenant();
        let [value, lease] = match item {
            SharedItem::Tenant(_) => ["tenant", "tenant-lease"].map(str::to_owned),
            SharedItem::Keys(_) => ["keys", "keys-lease"].map(str::to_owned),
            SharedItem::Client(_, client) => [format!("client:{client}"), format!("client-lease:{client}")],
        };
        [self.below(tenant, &value), self.below(tenant, &lease), self.epoch(tenant)]
    }

    /// The name of the epoch: a token without which all rows of a tenant are void.
    pub(crate) fn epoch(&self, tenant: &TenantId) -> String {
        self.below(tenant, "epoch")
    }

    /// The channel of invalidations.
    pub(crate) fn channel(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    /// Names that no tenant has, for a probe with the same commands.
    pub(crate) fn probe(&self) -> [String; 3] {
        ["value", "lease", "epoch"].map(|what| format!("{}:{{.probe}}:{what}", self.prefix))
    }

    fn below(&self, tenant: &TenantId, what: &str) -> String {
        format!("{}:{{{tenant}}}:{what}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_things_share_a_name() {
        let names = Names::new("latchkey".to_owned());
        let tenants = ["acme", "acme-client", "client"].map(|id| TenantId::parse(id).unwrap());
        let clients = ["svc", "svc-lease", "lease:svc", "a:b", "a", "{x}", "epoch", "client:svc", "é"]
            .map(|id| ClientId::parse(id).unwrap());
        let mut seen = HashSet::new();
        for tenant in &tenants {
            assert!(seen.insert(names.epoch(tenant)));
            let clients = clients.iter().map(|client| SharedItem::Client(tenant, client));
            for item in clients.chain([SharedItem::Tenant(tenant), SharedItem::Keys(tenant)]) {
                let [value, lease, epoch] = names.of(item);
                assert!(seen.insert(value.clone()), "{value}");
                assert!(seen.insert(lease.clone()), "{lease}");
                assert_eq!(epoch, names.epoch(tenant));
            }
        }
        let svc = SharedItem::Client(&tenants[0], &clients[0]);
        assert_eq!(names.of(svc)[0], "latchkey:{acme}:client:svc");
    }
}
