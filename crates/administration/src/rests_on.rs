//! What a commit rests on: the rows that it changes, as they were when it was planned. A store reads these rows in the transaction
//! in which it writes, and writes nothing where one of them no longer fits.

use std::collections::{BTreeMap, BTreeSet};

use registry::{Client, ClientId};
use tenancy::{ResourceServer, Tenant, TenantId};

use crate::{Change, ChangeKind, ClientState, ResourceServerState, RowChange, Standing};

/// Rows that are to be there, with what is planned for them.
#[derive(Debug, Default)]
pub struct RestsOn<'a> {
    tenants: BTreeMap<&'a TenantId, &'a RowChange<Tenant>>,
    resource_servers: BTreeMap<&'a TenantId, Vec<&'a RowChange<ResourceServer>>>,
    clients: BTreeMap<(&'a TenantId, &'a ClientId), &'a RowChange<Client>>,
}

impl<'a> RestsOn<'a> {
    /// Of changes that belong together. What is added rests on nothing.
    #[must_use]
    pub fn of(changes: &'a [Change]) -> Self {
        let mut rests_on = Self::default();
        for change in changes {
            match change {
                Change::Tenant(row) if row.kind != ChangeKind::Added => {
                    rests_on.tenants.insert(&row.after.id, row);
                }
                Change::ResourceServer(tenant, row) if row.kind != ChangeKind::Added => {
                    rests_on.resource_servers.entry(tenant).or_default().push(row);
                }
                Change::Client(row) if row.kind != ChangeKind::Added => {
                    rests_on.clients.insert((&row.after.tenant, &row.after.id), row);
                }
                _ => {}
            }
        }
        rests_on
    }

    /// Tenants to read, with their resource servers. Each of them has to be there.
    #[must_use]
    pub fn tenants(&self) -> Vec<&'a TenantId> {
        let named: BTreeSet<_> = self.tenants.keys().chain(self.resource_servers.keys()).copied().collect();
        named.into_iter().collect()
    }

    /// Clients to read. Each of them has to be there.
    #[must_use]
    pub fn clients(&self) -> Vec<(&'a TenantId, &'a ClientId)> {
        self.clients.keys().copied().collect()
    }

    /// Whether a tenant and its resource servers are as they were.
    #[must_use]
    pub fn fits_tenant(
        &self,
        tenant: &Tenant,
        standing: &Standing,
        resource_servers: &[ResourceServerState],
    ) -> bool {
        let planned = self.tenants.get(&tenant.id);
        let own = planned.is_none_or(|change| change.fits(tenant, standing));
        let planned = self.resource_servers.get(&tenant.id);
        own && planned.into_iter().flatten().all(|change| {
            let audience = &change.after.audience;
            let found = resource_servers.iter().find(|row| row.resource_server.audience == *audience);
            found.is_some_and(|row| change.fits(&row.resource_server, &row.standing))
        })
    }

    /// Whether a client is as it was.
    #[must_use]
    pub fn fits_client(&self, found: &ClientState) -> bool {
        let planned = self.clients.get(&(&found.client.tenant, &found.client.id));
        planned.is_some_and(|change| change.fits(&found.client, &found.standing))
    }
}

#[cfg(test)]
mod tests {
    use tenancy::ResourceServer;

    use super::*;
    use crate::ManagedBy;

    fn check(kind: ChangeKind, before: &str, found: &str, retired: bool, expected: bool) {
        let server = |scopes: &str| ResourceServer {
            audience: "api".to_owned(),
            scopes: protocol::Scope::parse(scopes).unwrap(),
            introspection_clients: Vec::new(),
        };
        let retired_at = retired.then(|| protocol::Timestamp::from_seconds(1));
        let standing = Standing { retired_at, ..Standing::fresh(ManagedBy::Config) };
        let before = Some(Box::new(server(before)));
        let change = RowChange { kind, before, after: Box::new(server("after")) };
        assert_eq!(change.fits(&server(found), &standing), expected, "{kind:?} of {found:?}");
    }

    #[test]
    fn a_row_fits_while_nobody_has_written_to_it() {
        use ChangeKind::{Changed, Restored, Retired};
        check(Changed, "a", "a", false, true);
        check(Changed, "a", "b", false, false);
        check(Changed, "a", "a", true, false);
        check(Restored, "a", "a", true, true);
        check(Retired, "a", "a", false, true);
        check(Retired, "a", "a b", false, false);
    }

    #[test]
    fn a_row_that_is_added_rests_on_nothing() {
        let id = TenantId::parse("acme").unwrap();
        let server = ResourceServer {
            audience: "api".to_owned(),
            scopes: protocol::Scope::parse("").unwrap(),
            introspection_clients: Vec::new(),
        };
        let row = |kind| RowChange { kind, before: None, after: Box::new(server.clone()) };
        for (kind, expected) in [(ChangeKind::Added, 0), (ChangeKind::Retired, 1)] {
            let changes = [Change::ResourceServer(id.clone(), row(kind))];
            assert_eq!(RestsOn::of(&changes).tenants().len(), expected);
        }
    }
}
