//! The limits of one tenant. A limit applies to rows that are new or grow. An earlier row that exceeds a
//! limit stays valid, and may shrink.

use std::num::NonZeroU32;

use registry::{Client, TrustRules};
use tenancy::{ResourceServer, Tenant};

use crate::declaration::Declaration;
use crate::declaration::plan::{Conflict, ConflictKind, Subject};
use crate::documents::ClientSettings;
use crate::edit::FieldError;
use crate::rules::{check_patterns, member};

pub const LIST_ENTRIES: usize = 100;
/// The most bytes of a client's settings as JSON.
pub const CLIENT_BYTES: usize = 128 * 1024;

/// The most bytes of an API key's settings as JSON.
pub const API_KEY_BYTES: usize = 16 * 1024;

type LengthOf = fn(&Client) -> usize;

const LISTS: [(&str, LengthOf); 3] = [
    ("/audiences", |client| client.audiences.len()),
    ("/resources", |client| client.resources.len()),
    ("/scopes", |client| client.scope.iter().count()),
];

/// The limits that a client exceeds after a change from `before`, or as a new client.
pub(crate) fn of_client(before: Option<&Client>, after: &Client) -> Vec<FieldError> {
    let lists = LISTS.iter().map(|(at, length)| list(at, before.map_or(0, length), length(after)));
    let mut errors: Vec<FieldError> = lists.flatten().collect();
    let bytes = bytes(after);
    if bytes > CLIENT_BYTES && before.is_none_or(|before| bytes > self::bytes(before)) {
        let detail = format!(
            "the client takes {bytes} bytes as JSON; the maximum for a new or larger client is {CLIENT_BYTES}"
        );
        errors.push(FieldError::at("", detail));
    }
    let none = TrustRules::default();
    errors.extend(check_patterns(before.map_or(&none, |before| &before.federated), &after.federated));
    errors
}

/// The limits that a tenant exceeds. Does not count its clients.
pub(crate) fn of_tenant(before: Option<&Tenant>, after: &Tenant) -> Vec<FieldError> {
    let aliases = before.map_or(0, |before| before.issuer_aliases.len());
    let mut errors: Vec<FieldError> =
        list("/issuer_aliases", aliases, after.issuer_aliases.len()).into_iter().collect();
    for server in &after.resource_servers {
        let before = before.and_then(|before| before.resource_server(&server.audience));
        let at = member("/resource_servers", &server.audience);
        let scopes = |server: &ResourceServer| server.scopes.iter().count();
        errors.extend(list(&format!("{at}/scopes"), before.map_or(0, scopes), scopes(server)));
        let clients = |server: &ResourceServer| server.introspection_clients.len();
        errors.extend(list(&format!("{at}/clients"), before.map_or(0, clients), clients(server)));
    }
    errors
}

/// A limit of a tenant: the tenant's own, or the platform's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TenantLimit {
    pub(crate) most: u64,
    /// The name of the setting that applies, for people.
    pub(crate) name: &'static str,
}

impl TenantLimit {
    /// How many clients the tenant may have.
    pub(crate) fn of_clients(tenant: &Tenant, platform: u64) -> Self {
        Self::new(tenant.limits.clients, platform, ["limits.clients of the tenant", "limits.clients"])
    }

    /// The most live secrets of a client of the tenant.
    pub(crate) fn of_live_secrets(tenant: &Tenant, platform: u64) -> Self {
        let names = ["limits.live_secrets of the tenant", "limits.live_secrets"];
        Self::new(tenant.limits.live_secrets, platform, names)
    }

    /// The most live API keys of a client of the tenant.
    pub(crate) fn of_api_keys(tenant: &Tenant, platform: u64) -> Self {
        Self::new(tenant.limits.api_keys, platform, ["limits.api_keys of the tenant", "limits.api_keys"])
    }

    fn new(own: Option<NonZeroU32>, platform: u64, [name_of_own, name]: [&'static str; 2]) -> Self {
        own.map_or(Self { most: platform, name }, |own| Self { most: own.get().into(), name: name_of_own })
    }
}

/// Returns the reason why the number of a tenant's clients may not grow from `before` to `after`. In
/// messages, the text follows the name of the tenant.
pub(crate) fn of_clients(tenant: &Tenant, before: u64, after: u64, platform: u64) -> Option<String> {
    let TenantLimit { most, name } = TenantLimit::of_clients(tenant, platform);
    let beyond = after > most && after > before;
    beyond.then(|| format!("would have {after} clients, but {name} allows {most}"))
}

/// The limits that the files exceed. These are warnings: a row that is neither new nor larger stays valid,
/// and only the store knows.
#[must_use]
pub fn beyond_limits(declaration: &Declaration, clients: u64) -> Vec<Conflict> {
    let of_tenants = declaration.tenants.values().map(|declared| {
        of_rows(&declared.tenant, declared.clients.iter().map(|client| &client.client), clients)
    });
    of_tenants.flatten().collect()
}

/// The limits that a tenant and its clients exceed, as if all rows were new.
pub(crate) fn of_rows<'a>(
    tenant: &Tenant,
    clients: impl Iterator<Item = &'a Client>,
    limit: u64,
) -> Vec<Conflict> {
    let beyond = |subject: Subject| {
        move |error| Conflict { subject: subject.clone(), kind: ConflictKind::BeyondLimit(error) }
    };
    let of_tenant = of_tenant(None, tenant).into_iter().map(beyond(Subject::Tenant(tenant.id.clone())));
    let mut found: Vec<Conflict> = of_tenant.collect();
    let mut count = 0;
    for client in clients {
        count += 1;
        let subject = Subject::new::<Client>(&tenant.id, client.id.as_str());
        found.extend(of_client(None, client).into_iter().map(beyond(subject)));
    }
    let message = of_clients(tenant, 0, count, limit).map(ConflictKind::TooManyClients);
    found.extend(message.map(|kind| Conflict::of_tenant(&tenant.id, kind)));
    found
}

fn list(at: &str, before: usize, after: usize) -> Option<FieldError> {
    let beyond = after > LIST_ENTRIES && after > before;
    let detail =
        || format!("the list has {after} entries; the maximum for a new or longer list is {LIST_ENTRIES}");
    beyond.then(|| FieldError::at(at, detail()))
}

fn bytes(client: &Client) -> usize {
    serde_json::to_vec(&ClientSettings::from(client)).map_or(usize::MAX, |document| document.len())
}

#[cfg(test)]
mod tests {
    use protocol::Scope;
    use tenancy::TenantLimits;

    use super::*;
    use crate::edit::test_states::{client, pointers, state};

    fn names(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|nth| format!("{nth:0length$}")).collect()
    }

    fn with(audiences: Vec<String>, resources: Vec<String>, scopes: usize) -> Client {
        let scope = Scope::parse(&names(scopes, 1).join(" ")).unwrap();
        Client { audiences, resources, scope, ..client("t", "svc", "").client }
    }

    // [limits #24]: a client's document; entries of a list | 128 KiB; 100 | 400; existing rows stay valid and
    //   may shrink
    // [found 7]
    #[test]
    fn clients_may_grow_only_within_the_limits() {
        let small = with(names(1, 1), Vec::new(), 0);
        let long = with(names(120, 1), names(120, 1), 120);
        let shorter = with(names(119, 1), names(101, 1), 120);
        let longer = with(names(120, 1), names(121, 1), 120);
        let fat = with(names(100, 1400), Vec::new(), 1);
        let fatter = with(names(100, 1401), Vec::new(), 1);
        let fits = with(names(100, 600), names(100, 600), 100);
        for (before, after, expected) in [
            (None, &small, &[][..]),
            (None, &fits, &[]),
            (None, &long, &["/audiences", "/resources", "/scopes"]),
            (Some(&small), &long, &["/audiences", "/resources", "/scopes"]),
            (Some(&long), &long, &[]),
            (Some(&long), &shorter, &[]),
            (Some(&long), &small, &[]),
            (Some(&long), &longer, &["/resources"]),
            (None, &fat, &[""]),
            (Some(&small), &fat, &[""]),
            (Some(&fat), &fat, &[]),
            (Some(&fatter), &fat, &[]),
            (Some(&fat), &fatter, &[""]),
        ] {
            assert_eq!(pointers(of_client(before, after)), expected);
        }
    }

    // [limits #24]
    #[test]
    fn tenant_lists_may_grow_only_within_the_limit() {
        let small = state("t").tenant;
        let mut long = small.clone();
        long.resource_servers[0].scopes = Scope::parse(&names(101, 1).join(" ")).unwrap();
        long.resource_servers[0].introspection_clients = names(101, 1);
        let audience = &small.resource_servers[0].audience;
        let both = ["scopes", "clients"].map(|list| format!("/resource_servers/{audience}/{list}"));
        assert_eq!(pointers(of_tenant(None, &long)), both);
        assert_eq!(pointers(of_tenant(Some(&small), &long)), both);
        assert!(of_tenant(Some(&long), &long).is_empty() && of_tenant(Some(&long), &small).is_empty());
    }

    #[test]
    fn tenant_over_its_limit_gains_no_clients() {
        let tenant = state("t").tenant;
        for (before, after, refused) in
            [(0, 10, false), (10, 11, true), (12, 12, false), (12, 11, false), (12, 13, true)]
        {
            assert_eq!(of_clients(&tenant, before, after, 10).is_some(), refused, "{before} {after}");
        }
    }

    #[test]
    fn tenant_limit_overrides_platform_limit() {
        let of_tenant = |limits| Tenant { limits, ..state("t").tenant };
        let none = of_tenant(TenantLimits::default());
        let own = of_tenant(TenantLimits {
            clients: NonZeroU32::new(2),
            live_secrets: NonZeroU32::new(20),
            ..TenantLimits::default()
        });
        let clients = |tenant, after| of_clients(tenant, after - 1, after, 10);
        for (tenant, after, expected) in [
            (&none, 10, None),
            (&none, 11, Some("would have 11 clients, but limits.clients allows 10")),
            (&own, 2, None),
            (&own, 3, Some("would have 3 clients, but limits.clients of the tenant allows 2")),
        ] {
            assert_eq!(clients(tenant, after).as_deref(), expected, "{after}");
        }
        let secrets = |tenant| TenantLimit::of_live_secrets(tenant, 5);
        assert_eq!(secrets(&none), TenantLimit { most: 5, name: "limits.live_secrets" });
        assert_eq!(secrets(&own), TenantLimit { most: 20, name: "limits.live_secrets of the tenant" });
    }
}
