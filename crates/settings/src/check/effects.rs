//! Valid settings that have no effect, or an unexpected effect. `check` warns of them; no start refuses them.

use std::collections::BTreeMap;

use administration::declaration::DeclaredSecret;
use administration::documents::{ClientSettings, TenantSettings};
use administration::rules;
use protocol::ClientAuthenticationMethod as Method;
use registry::{DeclaredPassword, GroupsClaim};
use tenancy::TenantId;
use values::Timestamp;

use super::super::{
    findings::{Findings, Location},
    resolved::ResolvedTenant,
    sections::{Listener, Server, Surface},
};

/// Checks all tenants, in addition to the warnings that every interface has.
pub(crate) fn check(
    tenants: &BTreeMap<TenantId, ResolvedTenant>,
    server: &Server,
    now: Timestamp,
    findings: &mut Findings,
) {
    let urls = server.outbound.url_rule();
    for (id, ResolvedTenant { at, settings, secrets, .. }) in tenants {
        findings.warn(at, rules::tenant_effects(server.public_url.as_str(), id.as_str(), settings, &urls));
        for (client, effect) in rules::overlapping_subjects(settings) {
            findings.warn(&at.key("clients").key(&client), vec![effect]);
        }
        check_groups(settings, at, findings);
        let offer = rules::Offer::of_settings(settings, &urls);
        for ((id, client), secrets) in settings.clients.iter().zip(secrets) {
            let at = at.key("clients").key(id);
            findings.warn(&at, offer.client_effects(id, client));
            check_expiry(secrets, client, &at, now, findings);
        }
    }
}

/// Warns of groups that no client of the file can get.
fn check_groups(settings: &TenantSettings, at: &Location, findings: &mut Findings) {
    let gets_groups = |client: &ClientSettings| {
        !client.groups.places.is_empty() && client.scopes.iter().any(|scope| scope == GroupsClaim::SCOPE)
    };
    if settings.clients.values().any(gets_groups) {
        return;
    }
    let declared = settings.groups.iter().flatten().next().map(|_| at.key("groups"));
    let account = settings.accounts.iter().find(|(_, account)| !account.groups.is_empty());
    let account = account.map(|(name, _)| at.key("accounts").key(name).key("groups"));
    if let Some(at) = declared.or(account) {
        findings.warning(
            at,
            "no client of this tenant can request the scope groups, so these groups have no effect",
            "add groups to the `scopes` of a client that signs people in, or remove the groups",
        );
    }
}

/// Warns if other machines can reach the administration without TLS, or can reach a console that refuses
/// them. If a proxy is configured, TLS may end at the proxy.
pub(crate) fn check_administration(server: &Server, findings: &mut Findings) {
    for (index, listener) in server.listeners.iter().enumerate() {
        let is_plain = listener.tls.is_none() && listener.trusted_proxies.is_none();
        if is_plain && !listener.is_on_loopback() && listener.surfaces().contains(&Surface::Admin) {
            findings.warning(
                Location::section("server").item("listeners", index).key("serves"),
                "other machines can reach the administration interface here without TLS, so tokens and \
                    secrets travel in clear text",
                "listen on 127.0.0.1, configure `tls`, or list the proxy that terminates TLS in `trusted_proxies`",
            );
        }
        let is_proxied = listener.trusted_proxies.is_some() && server.public_url.is_https();
        let is_unanswered = listener.tls.is_none() && !is_proxied && !listener.is_on_loopback();
        if is_unanswered && listener.names_console() {
            findings.warning(
                Location::section("server").item("listeners", index).key("serves"),
                "other machines reach this address without TLS, so the console refuses their requests",
                "configure `tls`, or an https `public_url` and the proxy that terminates TLS in `trusted_proxies`",
            );
        }
    }
}

/// Warns of clients that need a certificate if no listener reads certificates. All their requests would be
/// refused.
pub(crate) fn check_client_certificates(
    tenants: &BTreeMap<TenantId, ResolvedTenant>,
    server: &Server,
    findings: &mut Findings,
) {
    if server.listeners.iter().any(Listener::reads_client_certificates) {
        return;
    }
    for ResolvedTenant { at, settings, .. } in tenants.values() {
        for (id, client) in &settings.clients {
            let method = client.token_endpoint_auth_method.parse();
            let key = match method {
                Ok(Method::TlsClientAuth | Method::SelfSignedTlsClientAuth) => "token_endpoint_auth_method",
                _ if client.tls_client_certificate_bound_access_tokens => {
                    "tls_client_certificate_bound_access_tokens"
                }
                _ => continue,
            };
            findings.warning(
                at.key("clients").key(id).key(key),
                "this client must present a certificate, but no listener reads client certificates, so the \
                    client cannot get tokens",
                "set `client_certificates: optional` under `tls` of a listener, or `client_certificate` \
                    under its `trusted_proxies`",
            );
        }
    }
}

/// Warns of a secret that looks like a variable of a shell or of Compose, because settings files have no
/// variables.
pub(crate) fn check_placeholder(secret: &DeclaredPassword, at: &Location, findings: &mut Findings) {
    let DeclaredPassword::Value(value) = secret else { return };
    let is_placeholder = value.expose().split_once("${").is_some_and(|(_, rest)| rest.contains('}'));
    if is_placeholder {
        findings.warning(
            at.clone(),
            "this secret contains `${…}`, and Latchkey does not replace variables in a secret",
            "write `{ env: NAME }` with the name of the variable",
        );
    }
}

/// The places of the client's secrets, in the order in which the secrets were resolved.
fn secret_locations(client: &ClientSettings, at: &Location) -> impl Iterator<Item = Location> {
    let single = client.client_secret.iter().map(|_| at.key("client_secret"));
    single.chain((0..client.client_secrets.len()).map(|index| at.item("client_secrets", index)))
}

fn check_expiry(
    secrets: &[DeclaredSecret],
    client: &ClientSettings,
    at: &Location,
    now: Timestamp,
    findings: &mut Findings,
) {
    let has_expired = |secret: &DeclaredSecret| secret.expires_at.is_some_and(|expires| expires <= now);
    let is_last = secrets.iter().all(has_expired);
    for (_, at) in secrets.iter().zip(secret_locations(client, at)).filter(|(secret, _)| has_expired(secret))
    {
        let (problem, hint) = match is_last {
            true => (
                "this secret has expired, and the client has no other secret",
                "give the client a new secret",
            ),
            false => ("this secret has expired", "remove it"),
        };
        findings.warning(at.key("expires"), problem, hint);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::super::{Environment, inspect};
    use super::*;

    /// The warnings, without the file's name.
    fn warnings(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yaml");
        fs::write(&path, text).unwrap();
        let now = Timestamp::parse_rfc3339("2026-06-01T00:00:00Z").unwrap();
        let loaded = inspect(&path, &Environment::default(), now).unwrap();
        loaded.warnings.iter().map(|warning| warning.brief().replace(path.to_str().unwrap(), "")).collect()
    }

    /// Checks the number of warnings, and that each begins with these words.
    #[track_caller]
    fn check(text: &str, words: &str, count: usize) {
        let warnings = warnings(text);
        let begin = warnings.iter().filter(|warning| warning.starts_with(words)).count();
        assert_eq!((warnings.len(), begin), (count, count), "{text}: {warnings:?}");
    }

    /// A tenant with a resource server and with this client.
    fn client(keys: &str) -> String {
        format!(
            "tenants:\n  acme:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n    resource_servers: {{ orders: {{ scopes: ['orders:read'], clients: [auditor] }} }}\n    clients:\n      auditor: {{ client_secret: {{ value: a }} }}\n      web: {{ {keys} }}\n"
        )
    }

    const SOUND: &str = "client_secret: { value: s }, audiences: [orders], scopes: ['orders:read']";

    #[test]
    fn tenant_without_strategy_causes_a_warning() {
        for strategies in [
            "{}",
            "{ strategies: { oauth2: { enabled: false } } }",
            "{ strategies: { oidc: { enabled: true } } }",
        ] {
            let expected = ":2:3: tenants.acme: the strategy oauth2 is not enabled, so the tenant issues no tokens and its endpoints return 404; add `strategies: { oauth2: { enabled: true } }` to the tenant";
            assert_eq!(warnings(&format!("tenants:\n  acme: {strategies}\n")), [expected]);
        }
        assert_eq!(warnings(&client(SOUND)), [""; 0]);
    }

    #[test]
    fn unknown_audiences_and_scopes_cause_warnings() {
        for (keys, expected) in [
            (
                "client_secret: { value: s }, audiences: [oders]",
                &[
                    ":7:55: tenants.acme.clients.web.audiences[0]: no resource server of this tenant has this audience; did you mean `orders`?",
                ][..],
            ),
            (
                "client_secret: { value: s }, audiences: [orders], resources: ['https://a.example'], scopes: ['orders:raed', x]",
                &[
                    ":7:76: tenants.acme.clients.web.resources[0]: no resource server of this tenant has this audience; correct it, or add it to the tenant: `resource_servers: { AUDIENCE: { scopes: […] } }`",
                    ":7:107: tenants.acme.clients.web.scopes[0]: no resource server of this tenant has this scope; did you mean `orders:read`?",
                    ":7:122: tenants.acme.clients.web.scopes[1]: no resource server of this tenant has this scope; correct it",
                ],
            ),
        ] {
            let warnings = warnings(&client(keys));
            assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
            for (warning, expected) in warnings.iter().zip(expected) {
                assert!(warning.starts_with(expected), "{warning}");
            }
        }
    }

    // For example `https://mcp.example.com` and `https://mcp.example.com/` in one file.
    #[test]
    fn two_spellings_of_a_resource_cause_a_warning() {
        let of_client = |id: &str, names: &str| {
            format!(
                "tenants:\n  acme:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n    resource_servers: {{ 'https://a.example': {{}}, 'https://b.example/': {{}} }}\n    clients: {{ '{id}': {{ client_secret: {{ value: s }}, audiences: [{names}] }} }}\n"
            )
        };
        let named = warnings(&of_client("web", "'https://a.example', 'https://A.example:443/'"));
        let expected =
            "clients.web.audiences[1]: `https://A.example:443/` is another spelling of `https://a.example`";
        assert!(named.iter().any(|warning| warning.contains(expected)), "{named:?}");
        let id = warnings(&of_client("https://b.example", "'https://a.example'"));
        let expected = "`https://b.example/` is a resource server of this tenant and another spelling of the";
        assert!(id.iter().any(|warning| warning.contains(expected)), "{id:?}");
        let servers = of_client("web", "'https://a.example'").replace("b.example/", "a.example/");
        let servers = warnings(&servers);
        let expected = "`https://a.example/` is another spelling of `https://a.example` (RFC 3986 §6.2)";
        assert!(servers.iter().any(|warning| warning.contains(expected)), "{servers:?}");
    }

    #[test]
    fn user_grant_without_sign_in_causes_a_warning() {
        let keys = "client_secret: { value: s }, audiences: [orders], grant_types: [authorization_code], redirect_uris: ['https://a.example/cb']";
        let expected = ":7:78: tenants.acme.clients.web.grant_types[0]: the client cannot get tokens with this grant type, because the tenant's strategy oidc is not enabled and nobody can sign in";
        check(&client(keys), expected, 1);
        let signs_in = client(keys).replace("oauth2: {", "oidc: { enabled: true }, oauth2: {");
        assert_eq!(warnings(&signs_in), [""; 0]);
    }

    #[test]
    fn tokens_for_both_api_and_userinfo_cause_a_warning() {
        let web = "client_secret: { value: s }, grant_types: [authorization_code], redirect_uris: ['https://a.example/cb']";
        for (of_tenant, keys, expected) in [
            ("combined", "audiences: [orders], scopes: [openid]", 1),
            ("combined", "audiences: [orders], scopes: [openid], userinfo: separate", 0),
            ("combined", "audiences: [orders], scopes: [openid], userinfo: combined", 0),
            ("separate", "audiences: [orders], scopes: [openid]", 0),
            ("combined", "audiences: [orders], scopes: ['orders:read']", 0),
            ("combined", "scopes: [openid]", 0),
            ("combined", "audiences: [orders], scopes: [openid], grant_types: [client_credentials]", 0),
        ] {
            let web = if keys.contains("grant_types") { "client_secret: { value: s }" } else { web };
            let tenant =
                format!("userinfo: {of_tenant}\n    strategies: {{ oidc: {{ enabled: true }}, oauth2: {{");
            let text = client(&format!("{web}, {keys}")).replace("strategies: { oauth2: {", &tenant);
            let words = ":8:130: tenants.acme.clients.web.audiences: tokens with the scope openid are also valid at userinfo, so these APIs can find out who the person is";
            check(&text, words, expected);
        }
    }

    #[test]
    fn groups_without_a_client_cause_a_warning() {
        let tenant = |keys: &str, scopes: &str, more: &str| {
            let text = client(&format!(
                "client_secret: {{ value: s }}, audiences: [orders], scopes: [{scopes}]{more}"
            ));
            format!("{text}    {keys}\n")
        };
        let account = "accounts: { ada: { username: ada, groups: [staff] } }";
        let declared = "groups: [staff]";
        for (keys, scopes, more, expected) in [
            (account, "", "", Some(":8:47: tenants.acme.accounts.ada.groups")),
            (declared, "", "", Some(":8:13: tenants.acme.groups")),
            (
                account,
                "openid, groups",
                ", groups: { in: [] }",
                Some(":8:47: tenants.acme.accounts.ada.groups"),
            ),
            (account, "openid, groups", "", None),
            (declared, "groups", ", groups: { claim: roles }", None),
            ("groups: []", "", "", None),
            ("accounts: { ada: { username: ada } }", "", "", None),
        ] {
            let text = tenant(keys, scopes, more);
            let words = format!(
                "{}: no client of this tenant can request the scope groups, so these groups have no effect",
                expected.unwrap_or_default()
            );
            check(&text, &words, usize::from(expected.is_some()));
        }
        let unasked = tenant("name: Acme", "", ", groups: { claim: roles }");
        check(&unasked, ":7:84: tenants.acme.clients.web.groups: the client does not get groups", 1);
    }

    // [shared 2.15]: `check` said nothing of URLs at addresses to which the server never sends a request |
    //   fixed | A warning with file, line and key, of clients, their rules and trusted issuers, in files, API
    //   and command line; no name is resolved for it
    #[test]
    fn blocked_outbound_address_causes_a_warning() {
        let of = |key: &str, host: &str| match key {
            "jwks_uri" => client(&format!("{SOUND}, jwks_uri: 'https://{host}/jwks'")),
            "backchannel_logout_uri" => client(&format!("{SOUND}, {key}: 'https://{host}/out'")),
            "federated[0].issuer" => {
                client(&format!("{SOUND}, federated: [{{ issuer: 'https://{host}', subject: s }}]"))
            }
            "trusted_issuers.ci.jwks_uri" => format!(
                "{}    trusted_issuers: {{ ci: {{ issuer: 'https://ci.example', jwks_uri: 'https://{host}/jwks' }} }}\n",
                client(SOUND)
            ),
            "trusted_issuers.ci.issuer" => {
                format!("{}    trusted_issuers: {{ ci: {{ issuer: 'https://{host}' }} }}\n", client(SOUND))
            }
            // Nothing is fetched for an issuer whose keys are in the file.
            _ => format!(
                "{}    trusted_issuers: {{ ci: {{ issuer: 'https://{host}', jwks: {} }} }}\n",
                client(SOUND),
                r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
            ),
        };
        let web = "tenants.acme.clients.web.";
        for (place, key) in [
            (web, "jwks_uri"),
            (web, "backchannel_logout_uri"),
            (web, "federated[0].issuer"),
            ("tenants.acme.", "trusted_issuers.ci.jwks_uri"),
            ("tenants.acme.", "trusted_issuers.ci.issuer"),
            ("", "keys"),
        ] {
            for (host, expected) in [("10.0.0.1", 1), ("[::1]", 1), ("8.8.8.8", 0), ("jwks.example", 0)] {
                let expected = if key == "keys" { 0 } else { expected };
                let warned = warnings(&of(key, host));
                assert_eq!(warned.len(), expected, "{key} at {host}: {warned:?}");
                let at = format!(
                    "{place}{key}: Latchkey does not send requests there: the address is neither public"
                );
                assert!(warned.iter().all(|warning| warning.contains(&at)), "{warned:?}");
            }
            let allowed = "server: { outbound: { allowed_networks: ['10.0.0.0/8'] } }\n";
            assert_eq!(warnings(&format!("{allowed}{}", of(key, "10.0.0.1"))), [""; 0]);
        }
    }

    #[test]
    fn client_without_audience_causes_a_warning() {
        let is_warned = |keys: &str| {
            warnings(&client(keys)).iter().any(|warning| warning.contains("which no API expects"))
        };
        for (keys, expected) in [
            ("client_secret: { value: s }, scopes: ['orders:read']", true),
            ("client_secret: { value: s }, resources: [orders:x]", true),
            (SOUND, false),
            ("client_secret: { value: s }, introspection: audience", false),
            ("client_secret: { value: s }, grant_types: [refresh_token]", false),
        ] {
            assert_eq!(is_warned(keys), expected, "{keys}");
        }
    }

    #[test]
    fn unread_client_certificate_causes_a_warning() {
        let subject = "tls_client_auth_san_dns: web.example.com, audiences: [orders]";
        let (web, method) = ("tenants.acme.clients.web", "token_endpoint_auth_method");
        let bound = "tls_client_certificate_bound_access_tokens";
        for (keys, expected) in [
            (format!("{method}: tls_client_auth, {subject}"), format!(":7:42: {web}.{method}")),
            (format!("{SOUND}, {bound}: true"), format!(":7:133: {web}.{bound}")),
            (SOUND.to_owned(), String::new()),
        ] {
            let words = format!(
                "{expected}: this client must present a certificate, but no listener reads client certificates, so the client cannot get tokens"
            );
            check(&client(&keys), &words, usize::from(!expected.is_empty()));
            let header = "client_certificate: { header: Client-Cert, format: rfc9440 }";
            let listener = format!(
                "server:\n  listeners:\n    - address: 127.0.0.1:0\n      trusted_proxies: {{ from: [127.0.0.1], header: forwarded, {header} }}\n"
            );
            assert_eq!(warnings(&format!("{}{listener}", client(&keys))), [""; 0], "{keys}");
        }
    }

    #[test]
    fn expired_secret_causes_a_warning() {
        let of =
            |secrets: &str| warnings(&client(&format!("client_secrets: [{secrets}], audiences: [orders]")));
        let expired = "{ value: s, expires: 2026-05-31 }";
        let alone = ":7:52: tenants.acme.clients.web.client_secrets[0].expires: this secret has expired, and the client has no other secret; give the client a new secret";
        assert_eq!(of(expired), [alone]);
        let beside =
            ":7:87: tenants.acme.clients.web.client_secrets[1].expires: this secret has expired; remove it";
        assert_eq!(of(&format!("{{ value: t, expires: 2026-06-02 }}, {expired}")), [beside]);
    }

    #[test]
    fn unexpanded_variable_in_secret_causes_a_warning() {
        for (secret, expected) in [
            ("'${SECRET}'", 1),
            ("'x${A_B}y'", 1),
            ("'$SECRET'", 0),
            ("'${'", 0),
            ("'}${'", 0),
            ("'a$b{c}'", 0),
        ] {
            let keys = format!("client_secret: {{ value: {secret} }}, audiences: [orders]");
            let words = ":7:29: tenants.acme.clients.web.client_secret: this secret contains `${…}`, and Latchkey does not replace variables in a secret";
            check(&client(&keys), words, expected);
        }
        let admin = warnings("admin: { users: { ann: { password: { value: '${SECRET}' } } } }");
        assert!(admin[0].starts_with(":1:36: admin.users.ann.password: this secret contains `${…}`, and Latchkey does not replace variables in a secret"), "{admin:?}");
    }

    #[test]
    fn reachable_plaintext_administration_causes_a_warning() {
        let proxy = "trusted_proxies: { from: [10.0.0.1], header: x-forwarded-for }";
        for (listener, expected) in [
            ("address: 0.0.0.0:3000, serves: [admin]".to_owned(), 1),
            (format!("address: 0.0.0.0:3000, serves: [public, admin], {proxy}"), 0),
            ("address: 0.0.0.0:3000, serves: [public]".to_owned(), 0),
            ("address: 127.0.0.1:3000, serves: [admin]".to_owned(), 0),
        ] {
            let settings =
                format!("storage: {{ url: 'sqlite://x/y.db' }}\nserver: {{ listeners: [{{ {listener} }}] }}");
            check(&settings, ":2:56: server.listeners[0].serves: other machines can reach", expected);
        }
    }
}
