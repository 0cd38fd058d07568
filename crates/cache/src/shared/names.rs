//! Names in Redis. The tenant comes first in braces, so that a cluster stores all keys of a tenant on one
//! node. The client id comes last without escaping, so that names are unique.

use administration::kinds::Invalidation;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use registry::SingleUseIdentifier;
use tenancy::TenantId;

#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) prefix: String,
}

impl Names {
    /// The names of a row's value, of its lease and of the tenant's epoch. A row is named like its
    /// invalidation.
    pub(crate) fn of(&self, row: &Invalidation) -> [String; 3] {
        let (tenant, (kind, name)) = (row.tenant(), row.kind_and_name());
        let [value, lease] = match name {
            Some(name) => [format!("{kind}:{name}"), format!("{kind}-lease:{name}")],
            None => [kind.to_owned(), format!("{kind}-lease")],
        };
        [self.below(tenant, &value), self.below(tenant, &lease), self.epoch(tenant)]
    }

    /// The name of the mark of a used identifier.
    pub(crate) fn used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> String {
        self.below(tenant, &format!("used:{}", BASE64.encode(identifier.digest)))
    }

    /// The name of a count that replicas share.
    pub(crate) fn count(&self, tenant: &TenantId, key: u64) -> String {
        self.below(tenant, &format!("count:{key:016x}"))
    }

    /// The name of the tenant's epoch. If the epoch is missing, all rows of the tenant are invalid.
    pub(crate) fn epoch(&self, tenant: &TenantId) -> String {
        self.below(tenant, "epoch")
    }

    /// The channel of invalidation messages.
    pub(crate) fn channel(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    /// The names for a probe, which runs the same commands. No tenant can have these names.
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

    use registry::ClientId;
    use values::Timestamp;

    use super::*;

    #[test]
    fn all_names_in_redis_are_distinct() {
        let names = Names { prefix: "latchkey".to_owned() };
        let tenants = ["acme", "acme-client", "client"].map(|id| TenantId::parse(id).unwrap());
        let clients = ["svc", "svc-lease", "lease:svc", "a:b", "a", "{x}", "epoch", "client:svc", "é"]
            .map(|id| ClientId::parse(id).unwrap());
        let mut seen = HashSet::new();
        for tenant in &tenants {
            assert!(seen.insert(names.epoch(tenant)));
            for client in &clients {
                let used = SingleUseIdentifier::of_assertion(client, "1", Timestamp::from_seconds(60));
                assert!(seen.insert(names.used(tenant, &used)));
            }
            let clients = clients.iter().map(|client| Invalidation::Client(tenant.clone(), client.clone()));
            let others = [Invalidation::Tenant(tenant.clone()), Invalidation::Keys(tenant.clone())];
            for row in clients.chain(others) {
                let [value, lease, epoch] = names.of(&row);
                assert!(seen.insert(value.clone()), "{value}");
                assert!(seen.insert(lease.clone()), "{lease}");
                assert_eq!(epoch, names.epoch(tenant));
            }
        }
        let svc = Invalidation::Client(tenants[0].clone(), clients[0].clone());
        assert_eq!(names.of(&svc)[0], "latchkey:{acme}:client:svc");
    }
}
