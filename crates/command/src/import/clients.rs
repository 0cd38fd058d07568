//! Translates a client of a realm.

use administration::documents::Wiped;
use protocol::check_redirect_uri;
use serde_json::{Value, json};

use super::client_grants::{granted, grants};
use super::client_proof::{ProofMethod, proof};
use super::left_out::Omissions;
use super::realm::{RealmApplication, attribute, readable};
use super::scopes::{MAPPERS, Scopes};

/// The clients that Keycloak itself creates in each realm.
const BUILT_IN: [&str; 6] =
    ["account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console"];
/// The most characters of a name.
const NAME: usize = 255;
const DESCRIPTION: usize = 256;

const WILDCARD: &str = "redirect URIs with a wildcard, because redirect URIs must match exactly; add the full URIs with `latchkey client set`";
const REASONS: [(&str, &str); 7] = [
    ("implicitFlowEnabled", "the implicit flow is not supported (RFC 9700 section 2.1.2)"),
    ("directAccessGrantsEnabled", "the password grant is not supported (RFC 9700 section 2.4)"),
    ("webOrigins", "web origins are not supported"),
    ("authorizationServicesEnabled", "authorization services (resources, policies) are not supported"),
    ("authorizationSettings", "authorization services (resources, policies) are not supported"),
    ("frontchannelLogout", "front-channel logout is not supported; use back-channel logout"),
    ("defaultRoles", "roles are not supported"),
];
/// Members that have no meaning outside Keycloak.
const MEANINGLESS: [&str; 8] = [
    "access",
    "alwaysDisplayInConsole",
    "fullScopeAllowed",
    "id",
    "nodeReRegistrationTimeout",
    "notBefore",
    "origin",
    "surrogateAuthRequired",
];
/// The attributes that are read here, and attributes that have no meaning outside Keycloak.
const ATTRIBUTES: [&str; 15] = [
    "access.token.lifespan",
    "backchannel.logout.session.required",
    "backchannel.logout.url",
    "client.secret.creation.time",
    "dpop.bound.access.tokens",
    "jwks.string",
    "jwks.url",
    "oauth2.device.authorization.grant.enabled",
    "pkce.code.challenge.method",
    "post.logout.redirect.uris",
    "realm_client",
    "require.pushed.authorization.requests",
    "tls.client.certificate.bound.access.tokens",
    "use.jwks.string",
    "use.jwks.url",
];

pub(super) struct PlannedRegistration {
    pub(super) id: String,
    /// The client as a document of the API.
    pub(super) document: Wiped,
    pub(super) proof: ProofMethod,
}

/// Plans the client, or leaves it out. A bearer-only client is an API and becomes a resource server.
pub(super) fn planned(
    client: &RealmApplication,
    scopes: &mut Scopes<'_>,
    left_out: &mut Omissions,
) -> Option<PlannedRegistration> {
    let id = &client.client_id;
    let why = match client.protocol.as_deref() {
        _ if BUILT_IN.contains(&id.as_str()) => Some("Keycloak's own clients"),
        Some(protocol) if protocol != "openid-connect" => Some("clients of SAML and other protocols"),
        _ if client.enabled == Some(false) => Some("disabled clients"),
        _ => None,
    };
    if let Some(why) = why {
        left_out.add(why, id);
        return None;
    }
    name_left_out(client, left_out);
    if client.bearer_only {
        scopes.add_server(id, left_out);
        if client.secret.is_some() {
            left_out.add(
                "secrets of bearer-only clients: here, an API that introspects tokens is a client with another ID",
                id,
            );
        }
        return None;
    }
    let (proof, proven) = proof(client, left_out)?;
    let is_public = proof == ProofMethod::Public;
    let uris = redirect_uris(client, &client.redirect_uris, is_public, left_out);
    let grants = grants(client, is_public, !uris.is_empty(), left_out);
    let granted = granted(client, scopes, &grants, left_out);
    let is_set = |name| attribute(&client.attributes, name) == Some("true");
    let sign_out = attribute(&client.attributes, "post.logout.redirect.uris").unwrap_or_default();
    let sign_out = match sign_out {
        "+" => uris.clone(),
        listed => {
            let listed: Vec<String> =
                listed.split("##").filter(|uri| !matches!(*uri, "" | "-" | "+")).map(str::to_owned).collect();
            redirect_uris(client, &listed, is_public, left_out)
        }
    };
    let mut document = Wiped::new(json!({
        "client_id": id,
        "name": readable(client.name.as_deref(), NAME),
        "description": readable(client.description.as_deref(), DESCRIPTION),
        "grant_types": grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>(),
        "redirect_uris": uris,
        "post_logout_redirect_uris": sign_out,
        "scopes": granted.0,
        "audiences": granted.1,
        "access_token_lifetime": lifetime(client),
        "first_party": !client.consent_required,
        "require_pkce": is_public || attribute(&client.attributes, "pkce.code.challenge.method").is_some(),
        "require_par": is_set("require.pushed.authorization.requests"),
        "dpop_bound_access_tokens": is_set("dpop.bound.access.tokens"),
        "tls_client_certificate_bound_access_tokens": is_set("tls.client.certificate.bound.access.tokens"),
        "backchannel_logout_uri": backchannel_logout_uri(client, left_out),
    }));
    if let (Value::Object(members), Value::Object(proven)) = (&mut *document, proven.take()) {
        members.extend(proven);
    }
    Some(PlannedRegistration { id: id.clone(), document, proof })
}

/// The URIs that can be registered, each once and in order.
fn redirect_uris(
    client: &RealmApplication,
    uris: &[String],
    is_public: bool,
    left_out: &mut Omissions,
) -> Vec<String> {
    let id = &client.client_id;
    let mut registered: Vec<String> = Vec::new();
    for uri in uris {
        let root = client.root_url.as_deref().filter(|_| uri.starts_with('/')).unwrap_or_default();
        let whole = format!("{}{uri}", root.trim_end_matches('/'));
        if whole.contains('*') {
            left_out.add(WILDCARD, format!("{id} {whole}"));
        } else if let Err(why) = check_redirect_uri(&whole, is_public) {
            left_out.add(format!("redirect URIs: {why}"), format!("{id} {whole}"));
        } else if !registered.contains(&whole) {
            registered.push(whole);
        }
    }
    registered
}

fn lifetime(client: &RealmApplication) -> Option<u64> {
    let seconds = attribute(&client.attributes, "access.token.lifespan")?;
    seconds.parse().ok().filter(|seconds| *seconds > 0)
}

fn backchannel_logout_uri<'c>(client: &'c RealmApplication, left_out: &mut Omissions) -> Option<&'c str> {
    let uri = attribute(&client.attributes, "backchannel.logout.url")?;
    if uri.starts_with("https://") && check_redirect_uri(uri, false).is_ok() {
        return Some(uri);
    }
    left_out.add("back-channel logout requires an https URL", format!("{} {uri}", client.client_id));
    None
}

fn name_left_out(client: &RealmApplication, left_out: &mut Omissions) {
    let owner = format!("{} ", client.client_id);
    left_out.add_members(&owner, &client.others, &REASONS, &MEANINGLESS, "other settings of clients");
    let mappers = client.protocol_mappers.iter().filter(|mapper| mapper.audience().is_none()).count();
    if mappers > 0 {
        left_out.add(MAPPERS, format!("{owner}({mappers})"));
    }
    let attributes = client.attributes.iter().filter(|(name, value)| {
        let says_something = !matches!(value.as_str(), "" | "false");
        says_something && !ATTRIBUTES.contains(&name.as_str()) && name.as_str() != "use.refresh.tokens"
    });
    for (name, _) in attributes {
        left_out.add("other attributes of clients", format!("{owner}{name}"));
    }
    for (text, longest) in [(&client.name, NAME), (&client.description, DESCRIPTION)] {
        let is_given = text.as_ref().is_some_and(|text| !text.is_empty());
        if is_given && readable(text.as_deref(), longest).is_none() {
            left_out.add(
                "names and descriptions of clients that are too long or have more than one line",
                client.client_id.as_str(),
            );
        }
    }
}
