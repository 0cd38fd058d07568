//! Valid settings that have no effect, or an unexpected effect. Every interface warns of them, and none
//! refuses them.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::sync::Arc;

use protocol::{GrantType, ScopeToken};
use registry::{GroupsClaim, IntrospectionRight};
use serde_json::{Map, Value};
use tenancy::{ReuseWindow, Tenant, TokenFormat, UserinfoTokens};

use super::issuer_paths::elsewhere;
use super::names::spelled_twice;
use super::static_claims::misread;
use super::text::member;
use crate::documents::nearest;
use crate::documents::{
    AccessTokenSettings, ClientSettings, GroupsClaimSettings, OwnAccessTokenSettings, TenantSettings,
};
use crate::edit::FieldError;

/// Says why the server refuses to send requests to a URL of a tenant or client, if it does.
#[derive(Clone)]
pub struct UrlRule(Arc<Refuses>);

type Refuses = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The audiences and scopes that a tenant offers its clients.
pub struct Offer<'a> {
    audiences: BTreeSet<&'a str>,
    scopes: BTreeSet<&'a str>,
    introspecting: BTreeSet<&'a str>,
    signs_people_in: bool,
    userinfo: &'a str,
    claims_allow: &'a [String],
    urls: &'a UrlRule,
}

/// Warnings about the settings of a tenant without its clients.
#[must_use]
pub fn tenant_effects(
    public_url: &str,
    id: &str,
    settings: &TenantSettings,
    urls: &UrlRule,
) -> Vec<FieldError> {
    // Every other strategy needs the token endpoint, which belongs to oauth2.
    let issues_tokens = settings.strategies.oauth2.enabled == Some(true);
    let warning =
        "the strategy oauth2 is not enabled, so the tenant issues no tokens and its endpoints return 404";
    let hint = "add `strategies: { oauth2: { enabled: true } }` to the tenant";
    let mut found = Vec::from_iter((!issues_tokens).then(|| FieldError::at("", warning).with_hint(hint)));
    let issuer = settings.issuer.as_deref().filter(|_| issues_tokens);
    found.extend(issuer.and_then(|issuer| elsewhere(public_url, id, issuer)));
    let of_issuers = settings.trusted_issuers.iter().filter_map(|(name, trusted)| {
        // Without keys and a URL for keys, the issuer's metadata is fetched to find them.
        let (key, url) = match &trusted.jwks_uri {
            Some(url) => ("jwks_uri", url),
            None => ("issuer", Some(&trusted.issuer).filter(|_| trusted.jwks.is_none())?),
        };
        Some((format!("{}/{key}", member("/trusted_issuers", name)), url))
    });
    found.extend(urls.refusals(of_issuers));
    found.extend(misread_claims(
        "/access_token/claims",
        &settings.access_token.claims,
        &settings.access_token.claims_allow,
    ));
    let AccessTokenSettings { format, reuse, .. } = &settings.access_token;
    found.extend(token_effects("", Some(format), Some(reuse)));
    for (name, server) in &settings.resource_servers {
        let at = member("/resource_servers", name);
        found.extend(token_effects(&at, server.access_token.format.as_deref(), None));
    }
    let names = settings.resource_servers.keys();
    found.extend(spelled_twice(names.map(|name| (member("/resource_servers", name), name)), |_| false));
    found
}

/// Warns of tokens that cannot be verified offline, and of tokens that requests share.
fn token_effects(at: &str, format: Option<&str>, reuse: Option<&str>) -> Vec<FieldError> {
    let mut found = Vec::new();
    if format == Some(TokenFormat::Opaque.as_str()) {
        let detail = "APIs that verify these tokens offline, with the JWKS, will refuse them";
        let hint = "let these APIs introspect tokens: list a client of each API under `resource_servers: \
            { AUDIENCE: { clients: […] } }`. Older tokens stay valid until they expire";
        found.push(FieldError::at(format!("{at}/access_token/format"), detail).with_hint(hint));
    }
    if reuse.and_then(ReuseWindow::parse).is_some_and(|window| window != ReuseWindow::default()) {
        let detail = "identical requests share a token, so revoking it, also by its `jti`, ends it for all \
            instances that got it";
        let hint = "to end access of one instance, give it its own client or credential and revoke that";
        found.push(FieldError::at(format!("{at}/access_token/reuse"), detail).with_hint(hint));
    }
    found
}

/// Warns of claims that new settings could not have. Tokens contain them before the claims of the server.
fn misread_claims(at: &str, claims: &Map<String, Value>, allow: &[String]) -> Vec<FieldError> {
    claims.keys().filter_map(|name| misread(&member(at, name), name, allow)).collect()
}

impl UrlRule {
    /// `refuses` returns the reason to refuse a URL, or `None`.
    pub fn new(refuses: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(refuses))
    }

    /// The errors for those of the URLs, each with its place, to which this server opens no connection.
    fn refusals<'u>(&self, urls: impl Iterator<Item = (String, &'u String)>) -> Vec<FieldError> {
        let refused = urls.filter_map(|(at, url)| Some((at, self.0(url)?)));
        let hint =
            "use a host that this server is allowed to reach, or ask the operator to allow the network";
        refused
            .map(|(at, why)| {
                FieldError::at(at, format!("Latchkey does not send requests there: {why}")).with_hint(hint)
            })
            .collect()
    }
}

impl Default for UrlRule {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl Debug for UrlRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UrlRule")
    }
}

impl<'a> Offer<'a> {
    /// Takes the names from a tenant's document.
    #[must_use]
    pub fn of_settings(settings: &'a TenantSettings, urls: &'a UrlRule) -> Self {
        let servers = || settings.resource_servers.values();
        Self {
            audiences: settings.resource_servers.keys().map(String::as_str).collect(),
            scopes: servers().flat_map(|server| server.scopes.names()).collect(),
            introspecting: servers().flat_map(|server| &server.clients).map(String::as_str).collect(),
            signs_people_in: settings.strategies.oidc.enabled == Some(true),
            userinfo: &settings.userinfo,
            claims_allow: &settings.access_token.claims_allow,
            urls,
        }
    }

    /// Takes the names from a tenant's row.
    pub(crate) fn of_tenant(tenant: &'a Tenant, urls: &'a UrlRule) -> Self {
        let servers = || tenant.resource_servers.iter();
        Self {
            audiences: servers().map(|server| server.audience.as_str()).collect(),
            scopes: servers().flat_map(|server| server.scopes.iter()).map(ScopeToken::as_str).collect(),
            introspecting: servers()
                .flat_map(|server| &server.introspection_clients)
                .map(String::as_str)
                .collect(),
            signs_people_in: tenant.strategies.oidc,
            userinfo: tenant.userinfo.as_str(),
            claims_allow: &tenant.access_token.claims_allow,
            urls,
        }
    }

    /// Warnings about the settings of a client of the tenant.
    #[must_use]
    pub fn client_effects(&self, id: &str, client: &ClientSettings) -> Vec<FieldError> {
        let mut found = self.unknown_names(client);
        found.extend(self.own_audience(id, client));
        found.extend(self.codes_without_people(client));
        found.extend(self.userinfo_for_apis(client));
        found.extend(groups_without_scope(client));
        found.extend(self.unfetched(client));
        let OwnAccessTokenSettings { format, reuse } = &client.access_token;
        found.extend(token_effects("", format.as_deref(), reuse.as_deref()));
        found.extend(misread_claims("/claims", &client.claims, self.claims_allow));
        let lists = [("audiences", &client.audiences), ("resources", &client.resources)];
        let names = lists.into_iter().flat_map(|(list, names)| {
            names.iter().enumerate().map(move |(index, name)| (format!("/{list}/{index}"), name))
        });
        found.extend(spelled_twice(names, |_| false));
        found
    }

    /// Audiences, resources and scopes that no resource server of the tenant has. They are probably
    /// misspelled.
    fn unknown_names(&self, client: &ClientSettings) -> Vec<FieldError> {
        let is_of_people = |scope: &str| ScopeToken::OF_PEOPLE.contains(&scope);
        let is_reserved = |scope: &str| scope.starts_with(ScopeToken::RESERVED_PREFIX);
        let lists = [
            ("audiences", "audience", &client.audiences, &self.audiences),
            ("resources", "audience", &client.resources, &self.audiences),
            ("scopes", "scope", &client.scopes, &self.scopes),
        ];
        let mut found = Vec::new();
        for (key, what, names, known) in lists {
            let is_known = |name: &str| {
                known.contains(name) || (key == "scopes" && (is_of_people(name) || is_reserved(name)))
            };
            for (index, name) in names.iter().enumerate().filter(|(_, name)| !is_known(name)) {
                let hint = match nearest(name, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "correct it, or add it to the tenant: `resource_servers: { AUDIENCE: { scopes: […] } }`".to_owned(),
                };
                let detail = format!("no resource server of this tenant has this {what}");
                found.push(FieldError::at(format!("/{key}/{index}"), detail).with_hint(hint));
            }
        }
        found
    }

    /// Warns of a client without an audience. A client that only introspects needs none.
    fn own_audience(&self, id: &str, client: &ClientSettings) -> Option<FieldError> {
        let gets_tokens = grants(client, GrantType::ClientCredentials);
        let introspects =
            client.introspection != IntrospectionRight::Own.as_str() || self.introspecting.contains(id);
        let administers = client.scopes.iter().any(|scope| scope.starts_with(ScopeToken::RESERVED_PREFIX));
        if !gets_tokens || introspects || administers || !client.audiences.is_empty() {
            return None;
        }
        let detail = match client.resources.is_empty() {
            true => "the `aud` of the client's tokens is its own client id, which no API expects",
            false => {
                "if a request has no `resource`, the `aud` of the token is the client's own id, which no API expects"
            }
        };
        let hint = "set `audiences` to the names that your APIs expect";
        Some(FieldError::at("", detail).with_hint(hint))
    }

    fn codes_without_people(&self, client: &ClientSettings) -> Option<FieldError> {
        let grant = GrantType::BEGINNINGS
            .into_iter()
            .find(|grant| grants(client, *grant))
            .filter(|_| !self.signs_people_in)?;
        let index = client.grant_types.iter().position(|name| name == grant.as_str())?;
        let detail = "the client cannot get tokens with this grant type, because the tenant's strategy oidc \
            is not enabled and nobody can sign in";
        let hint = "add `strategies: { oidc: { enabled: true } }` to the tenant, or remove the grant type";
        Some(FieldError::at(format!("/grant_types/{index}"), detail).with_hint(hint))
    }

    /// Warns if APIs could use the client's tokens, which they receive, to read userinfo, unless the client
    /// explicitly allows it.
    fn userinfo_for_apis(&self, client: &ClientSettings) -> Option<FieldError> {
        let signs_in = GrantType::BEGINNINGS.into_iter().any(|grant| grants(client, grant));
        let asks = self.signs_people_in && signs_in && client.scopes.iter().any(|scope| scope == "openid");
        let is_combined = self.userinfo == UserinfoTokens::Combined.as_str() && client.userinfo.is_none();
        if !asks || !is_combined || client.audiences.is_empty() {
            return None;
        }
        let detail = "tokens with the scope openid are also valid at userinfo, so these APIs can find out \
            who the person is";
        let hint = "set `userinfo: separate` and request the API with `resource`, or set `userinfo: \
            combined` if these APIs are allowed to know who the person is";
        Some(FieldError::at("/audiences", detail).with_hint(hint))
    }

    /// URLs to which this server opens no connection.
    fn unfetched(&self, client: &ClientSettings) -> Vec<FieldError> {
        let own =
            [("jwks_uri", &client.jwks_uri), ("backchannel_logout_uri", &client.backchannel_logout_uri)];
        let own = own.into_iter().filter_map(|(key, url)| Some((format!("/{key}"), url.as_ref()?)));
        let rules = client.federated.iter().enumerate();
        let rules = rules.map(|(index, rule)| (format!("/federated/{index}/issuer"), &rule.issuer));
        self.urls.refusals(own.chain(rules.filter(|(_, issuer)| issuer.contains("://"))))
    }
}

fn groups_without_scope(client: &ClientSettings) -> Option<FieldError> {
    let has_scope = client.scopes.iter().any(|scope| scope == GroupsClaim::SCOPE);
    let is_set = client.groups != GroupsClaimSettings::default();
    let detail = "the client does not get groups, because it cannot request the scope groups";
    let hint = "add groups to `scopes`, or remove this setting";
    (is_set && !has_scope).then(|| FieldError::at("/groups", detail).with_hint(hint))
}

fn grants(client: &ClientSettings, grant: GrantType) -> bool {
    client.grant_types.iter().any(|name| name == grant.as_str())
}
