//! The rules over the sections of the whole server: listeners, storage, caches, and the tenants they name.

use std::{collections::HashSet, path::Path, sync::Arc, time::Duration};

use super::{
    super::{
        declared::{DeclaredTenant, StorageLocation},
        findings::{Findings, Location},
        secret::Secret,
        sections::{Cache, ProtectedResource, Server, Storage},
    },
    tenant::is_tenant_id,
    text::{check_name, check_scope},
};

/// Listeners, and the tenant at the un-prefixed paths.
pub(crate) fn check(
    server: &Server,
    tenants: &[(DeclaredTenant, Location)],
    at: &Location,
    findings: &mut Findings,
) {
    let at = at.key("server");
    if server.listeners.is_empty() {
        let problem = "there is nothing to listen on";
        findings.error(
            at.key("listeners"),
            problem,
            "write `- address: 127.0.0.1:3000`, or leave the key out",
        );
    }
    let mut addresses = HashSet::new();
    for (index, listener) in server.listeners.iter().enumerate() {
        let at = at.item("listeners", index);
        // Port 0 asks the system for any free port, so it is never the same one.
        if listener.address.socket().port() != 0 && !addresses.insert(listener.address.socket()) {
            findings.error(
                at.key("address"),
                "another listener has this address",
                "leave one of the two out",
            );
        }
        let distinct: HashSet<_> = listener.serves.iter().map(|surface| *surface as u8).collect();
        if listener.serves.is_empty() || distinct.len() < listener.serves.len() {
            let problem = "this must name public, admin or both, once each";
            findings.error(at.key("serves"), problem, "write [public], [admin] or [public, admin]");
        }
    }
    if let Some(id) = &server.default_tenant {
        check_tenant_reference(id, tenants, at.key("default_tenant"), findings);
    }
}

/// The sample resource server's tenant, audience and scope.
pub(crate) fn check_protected_resource(
    resource: &ProtectedResource,
    tenants: &[(DeclaredTenant, Location)],
    at: &Location,
    findings: &mut Findings,
) {
    let at = at.key("protected_resource");
    check_tenant_reference(&resource.tenant, tenants, at.key("tenant"), findings);
    check_name(findings, at.key("audience"), false, "the audience", &resource.audience);
    if let Some(scope) = &resource.required_scope {
        check_scope(findings, at.key("required_scope"), scope);
    }
}

/// Where rows are kept; a relative path is relative to `folder`.
pub(crate) fn storage(
    storage: &Storage,
    folder: &Path,
    at: &Location,
    findings: &mut Findings,
) -> Option<StorageLocation> {
    let url = storage.url.expose();
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Some(StorageLocation::Postgres(Secret::new(url.to_owned())));
    }
    match url.strip_prefix("sqlite://") {
        Some(path)
            if !path.is_empty() && !path.contains(['?', '#']) && !path.chars().any(char::is_control) =>
        {
            Some(StorageLocation::Sqlite(folder.join(path)))
        }
        Some(_) | None => {
            let mend = "write sqlite:// and a path, such as sqlite://data/latchkey.db, or postgres://…";
            findings.error(at.key("storage").key("url"), "this names no store", mend);
            None
        }
    }
}

/// How long replicas remember, and the shared cache's URL, if there is one.
pub(crate) fn check_cache(settings: &Cache, at: &Location, findings: &mut Findings) {
    // A change of a client counts everywhere within ten seconds, also if no message of it arrives.
    if !(1..=cache::FRESH.as_secs()).contains(&settings.l1_lifetime.as_secs()) {
        let at = at.key("cache").key("l1_lifetime");
        findings.error(at, "replicas remember for 1s to 10s", "write a span of time between them");
    }
    let Some(url) = &settings.redis_url else { return };
    if let Err(error) = cache::RedisOptions::new(url.expose(), Arc::new(|| Duration::ZERO)) {
        let mend = "write redis://… or rediss://…, with +sentinel or +cluster for several hosts, or leave the key out";
        findings.error(at.key("cache").key("redis_url"), error.to_string(), mend);
    }
}

fn check_tenant_reference(
    id: &str,
    tenants: &[(DeclaredTenant, Location)],
    at: Location,
    findings: &mut Findings,
) {
    // Tenants are in the order of their ids.
    let declared = tenants.binary_search_by(|(tenant, _)| tenant.id.as_str().cmp(id)).is_ok();
    if !declared {
        let problem = match id {
            "platform" => "`platform` is the tenant of platform administrators".to_owned(),
            id if is_tenant_id(id) => format!("no tenant `{id}` is declared"),
            _ => "this is not a tenant id".to_owned(),
        };
        let mend = "name a tenant that stands under `tenants` or in `tenants_dir`, or leave the key out";
        findings.error(at, problem, mend);
    }
}
