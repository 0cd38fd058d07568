//! The rules for the sections of the whole server: listeners, storage, caches, and the tenants that they
//! name.

use std::{collections::HashSet, sync::Arc, time::Duration};

use administration::declaration::Declaration;
use administration::rules::{FieldErrors, Interface, LONGEST_URI};
use gateway::CertificateRequests;
use tenancy::TenantId;

use super::super::{
    findings::{Findings, Location},
    locations::Locations,
    resolved::{PostgresUrls, StorageLocation, is_of_postgres},
    scalar::PublicUrl,
    sections::{
        Cache, Connections, Limits, Listener, PoolerMode, ProtectedResource, Server, SignInLimits, Storage,
        Surface, TrustedProxies,
    },
};

/// The limits on wrong passwords for the server. A tenant's own limits are checked with its document.
pub(crate) fn check_limits(limits: &Limits, findings: &mut Findings) {
    let SignInLimits { account, known_browser, source } = limits.sign_in;
    let own = tenancy::PasswordLimits {
        account: Some(account),
        known_browser: Some(known_browser),
        source: Some(source),
    };
    for name in own.excessive() {
        let at = Location::section("limits").key("sign_in").key(name);
        findings.error(at, "this number must be from 1 to 100", "use a number in this range");
    }
}

/// Checks listeners, and the tenant at the paths without a prefix.
pub(crate) fn check(server: &Server, declaration: &Declaration, findings: &mut Findings) {
    let at = Location::section("server");
    if server.listeners.is_empty() {
        let hint = "write `- address: 127.0.0.1:3000`, or remove the key";
        findings.error(at.key("listeners"), "the list of listeners is empty", hint);
    }
    if server.max_connections.is_some_and(|most| !(1..=1_000_000).contains(&most)) {
        let problem = "this number must be from 1 to 1000000";
        findings.error(at.key("max_connections"), problem, "use a number in this range");
    }
    let mut addresses = HashSet::new();
    for (index, listener) in server.listeners.iter().enumerate() {
        let at = at.item("listeners", index);
        // With port 0 the system chooses a free port, so such addresses never conflict.
        if listener.address.socket().port() != 0 && !addresses.insert(listener.address.socket()) {
            let problem = "another listener has this address";
            findings.error(at.key("address"), problem, "remove one of the two");
        }
        let distinct: HashSet<_> = listener.surfaces().iter().map(|surface| *surface as u8).collect();
        if distinct.is_empty() || distinct.len() < listener.surfaces().len() {
            let problem = "this list must contain at least one of public, admin, console and \
                operator_console, each at most once";
            findings.error(at.key("serves"), problem, "write [public], [admin] or [public, admin]");
        }
        check_hosts(listener, &at, findings);
        check_proxies(listener, &server.public_url, &at, findings);
        check_client_certificates(listener, &at, findings);
        if listener.serves.is_none() && !listener.is_on_loopback() {
            let paths = gateway::ListenerSurface::ADMIN_PATHS.join(", ");
            let problem = format!(
                "a listener beyond loopback serves the administration interface only if `serves` \
                    says so; this listener does not serve {paths}"
            );
            let hint = "write serves: [public], or serves: [public, admin] to serve these paths here";
            findings.warning(at.key("address"), problem, hint);
        }
    }
    let networks = &server.outbound.allowed_networks;
    for (index, network) in
        networks.iter().enumerate().filter(|(index, network)| networks[..*index].contains(network))
    {
        let at = at.key("outbound").item("allowed_networks", index);
        let problem = format!("{} is already listed", network.net());
        findings.error(at, problem, "remove one of the two");
    }
    if let Some(url) = &server.outbound.github_keys
        && let Err(error) = server.outbound.guard().check(url)
    {
        let at = at.key("outbound").key("github_keys");
        let hint = "write https://api.github.com/meta/public_keys/secret_scanning";
        findings.error(at, error.to_string(), hint);
    }
    check_mtls_url(server, &at, findings);
    if let Some(id) = &server.default_tenant {
        check_tenant_reference(id, declaration, at.key("default_tenant"), findings);
    }
}

/// Checks the host names of the administration.
fn check_hosts(listener: &Listener, at: &Location, findings: &mut Findings) {
    for (index, host) in listener.hosts.iter().enumerate() {
        let fits = host.len() <= 253
            && host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        let at = || at.item("hosts", index);
        if !fits {
            let hint = "write a name without a port; you don't need to list addresses";
            findings.error(at(), "this is not a valid host name", hint);
        } else if listener.hosts[..index].contains(host) {
            findings.error(at(), "this name is already listed", "remove one of the two");
        }
    }
}

/// Checks the proxies that name the caller of a request.
fn check_proxies(listener: &Listener, public_url: &PublicUrl, at: &Location, findings: &mut Findings) {
    if let Some(proxies) = &listener.trusted_proxies {
        if proxies.from.is_empty() {
            let at = at.key("trusted_proxies").key("from");
            let hint = "list addresses or networks, or remove trusted_proxies";
            findings.error(at, "the list of proxies is empty", hint);
        }
        check_certificate_header(proxies, at, findings);
    } else if listener.surfaces().contains(&Surface::Public)
        && listener.is_on_loopback()
        && !public_url.is_on_loopback()
    {
        let problem = "this address needs a proxy on this machine, but `trusted_proxies` lists none, so all callers count as one";
        let hint = "write trusted_proxies: { from: [127.0.0.1], header: x-forwarded-for }, or forwarded if \
            your proxy sends that header";
        findings.warning(at.key("address"), problem, hint);
    }
}

/// Checks the client certificates that the TLS handshake asks for.
fn check_client_certificates(listener: &Listener, at: &Location, findings: &mut Findings) {
    let Some(tls) = &listener.tls else { return };
    if tls.client_certificates == Some(CertificateRequests::Required) && tls.client_ca.is_none() {
        findings.error(
            at.key("tls").key("client_certificates"),
            "`required` needs certificate authorities, and none are configured",
            "list them in client_ca, or write optional",
        );
    }
}

fn check_mtls_url(server: &Server, at: &Location, findings: &mut Findings) {
    let Some(url) = &server.mtls_url else { return };
    let at = at.key("mtls_url");
    if !url.is_https() {
        findings.error(at, "client certificates require https", "use an https URL");
    } else if !server.listeners.iter().any(Listener::reads_client_certificates) {
        let hint = "set `client_certificates: optional` under `tls` of a listener, or `client_certificate` \
            under its `trusted_proxies`";
        findings.error(at, "no listener reads client certificates", hint);
    }
}

/// Checks the header in which proxies pass client certificates.
fn check_certificate_header(proxies: &TrustedProxies, at: &Location, findings: &mut Findings) {
    if let Some(header) = &proxies.client_certificate
        && gateway::CertificateHeader::name(&header.header).is_err()
    {
        let at = at.key("trusted_proxies").key("client_certificate").key("header");
        findings.error(at, "this is not a valid header name", "use a name such as Client-Cert");
    }
}

/// Checks tenant, audience and scope of the sample resource server.
pub(crate) fn check_protected_resource(
    resource: &ProtectedResource,
    declaration: &Declaration,
    findings: &mut Findings,
) {
    let at = Location::section("protected_resource");
    check_tenant_reference(&resource.tenant, declaration, at.key("tenant"), findings);
    let mut errors = FieldErrors::from_interface(Interface::File);
    errors.check_name("/audience", "the audience", &resource.audience, LONGEST_URI);
    if let Some(scope) = &resource.required_scope {
        errors.check_scope("/required_scope", scope);
        errors.refuse_reserved_scope("/required_scope", scope);
    }
    findings.extend(&at, errors);
}

pub(crate) fn storage(
    storage: &Storage,
    locations: &Locations,
    findings: &mut Findings,
) -> Option<StorageLocation> {
    let Connections { readers, writers } = storage.connections;
    for (name, number) in [("readers", readers), ("writers", writers)] {
        if number.is_some_and(|number| !(1..=1_000).contains(&number)) {
            let at = Location::section("storage").key("connections").key(name);
            findings.error(at, "this number must be from 1 to 1000", "use a number in this range");
        }
    }
    let at = Location::section("storage").key("url");
    let location = StorageLocation::of_url(&storage.url, locations.folder(&at));
    if location.is_none() {
        findings.error(at, "this is not the URL of a store", StorageLocation::HINT);
    }
    let at = |key| Location::section("storage").key(key);
    let pools_transactions = storage.pooler == PoolerMode::Transaction;
    match (location, &storage.direct_url) {
        (Some(StorageLocation::Sqlite(_)), Some(_)) => {
            findings.error(at("direct_url"), "a SQLite file cannot have a second URL", "remove it");
        }
        (Some(StorageLocation::Sqlite(_)), None) if pools_transactions => {
            findings.error(at("pooler"), "a SQLite file has no pooler", "remove it");
        }
        (Some(StorageLocation::Postgres(_)), Some(direct)) if !is_of_postgres(direct) => {
            let hint = "write postgres://…, or remove it";
            findings.error(at("direct_url"), "this is not a PostgreSQL URL", hint);
        }
        (Some(StorageLocation::Postgres(_)), None) if pools_transactions => {
            let problem = "a pooler of transactions receives no notifications and cannot migrate the schema";
            findings.error(at("pooler"), problem, "set storage.direct_url to PostgreSQL itself as well");
        }
        (Some(StorageLocation::Postgres(urls)), direct_url) => {
            let (direct_url, pooler) = (direct_url.clone(), storage.pooler);
            return Some(StorageLocation::Postgres(PostgresUrls { direct_url, pooler, ..urls }));
        }
        (location, _) => return location,
    }
    None
}

/// Checks how long replicas cache, and the URL of the shared cache, if there is one.
pub(crate) fn check_cache(settings: &Cache, findings: &mut Findings) {
    let at = Location::section("cache");
    // A change of a client must take effect everywhere within ten seconds, even if its notification is lost.
    if !(1..=cache::FRESH.as_secs()).contains(&settings.l1_lifetime.seconds()) {
        findings.error(
            at.key("l1_lifetime"),
            "a replica can cache answers for 1s to 10s",
            "use a duration in this range",
        );
    }
    for (name, mebibytes) in settings.memory.given() {
        if !(1..=65_536).contains(&mebibytes) {
            let at = Location::section("cache").key("memory").key(name);
            findings.error(at, "this number must be from 1 to 65536", "use a number of MiB in this range");
        }
    }
    let Some(url) = &settings.redis_url else { return };
    if let Err(error) = cache::RedisOptions::new(url.expose(), Arc::new(|| Duration::ZERO)) {
        let hint =
            "write redis://… or rediss://…, with +sentinel or +cluster for several hosts, or remove the key";
        findings.error(at.key("redis_url"), error.to_string(), hint);
    }
}

fn check_tenant_reference(id: &str, declaration: &Declaration, at: Location, findings: &mut Findings) {
    let id = TenantId::parse(id);
    if !id.as_ref().is_ok_and(|id| declaration.tenants.contains_key(id)) {
        let problem = match id {
            Ok(id) if id.as_str() == TenantId::PLATFORM => {
                "`platform` is the tenant of the platform administrators".to_owned()
            }
            Ok(id) => format!("tenant `{id}` is not declared"),
            Err(_) => "this is not a valid tenant id".to_owned(),
        };
        let hint = "name a tenant from `tenants` or `tenants_dir`, or remove the key";
        findings.error(at, problem, hint);
    }
}
