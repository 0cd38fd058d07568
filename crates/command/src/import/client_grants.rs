//! The permissions of a realm's client: its grants, scopes and audiences.

use std::collections::BTreeSet;

use protocol::{GrantType, OFFLINE_ACCESS};

use super::left_out::Omissions;
use super::realm::{RealmApplication, attribute};
use super::scopes::Scopes;

/// The supported grants. `has_uris` says whether the client has redirect URIs.
pub(super) fn grants(
    client: &RealmApplication,
    is_public: bool,
    has_uris: bool,
    left_out: &mut Omissions,
) -> Vec<GrantType> {
    let id = &client.client_id;
    let is_set = |name| attribute(&client.attributes, name) == Some("true");
    let mut grants = Vec::new();
    if client.standard_flow_enabled.unwrap_or(true) {
        if has_uris {
            grants.push(GrantType::AuthorizationCode);
        } else {
            left_out.add("the authorization_code grant of clients without a usable redirect URI", id);
        }
    }
    if is_set("oauth2.device.authorization.grant.enabled") {
        grants.push(GrantType::DeviceCode);
    }
    if !grants.is_empty() && attribute(&client.attributes, "use.refresh.tokens") != Some("false") {
        grants.push(GrantType::RefreshToken);
    }
    match (client.service_accounts_enabled, is_public) {
        (true, false) => grants.push(GrantType::ClientCredentials),
        (true, true) => left_out.add("client_credentials of public clients (RFC 6749 section 4.4)", id),
        (false, _) => {}
    }
    grants
}

/// The scopes and audiences. Only clients that sign in people get the scopes of OpenID Connect.
pub(super) fn granted(
    client: &RealmApplication,
    scopes: &mut Scopes<'_>,
    grants: &[GrantType],
    left_out: &mut Omissions,
) -> (Vec<String>, BTreeSet<String>) {
    let named = [&client.default_client_scopes, &client.optional_client_scopes];
    let is_named = named.iter().any(|list| list.is_some());
    let named = is_named.then(|| named.into_iter().flatten().flatten().map(String::as_str).collect());
    let mut granted = scopes.grant(named, left_out);
    for audience in client.protocol_mappers.iter().filter_map(|mapper| mapper.audience()) {
        granted.audiences.extend(scopes.audience(audience, &client.client_id, left_out));
    }
    let refreshes = grants.contains(&GrantType::RefreshToken);
    let is_granted = |scope: &String| scope != "openid" && (scope != OFFLINE_ACCESS || refreshes);
    let of_people = grants.iter().any(|grant| GrantType::OF_PEOPLE.contains(grant));
    let standard = of_people.then(|| {
        let others = granted.standard.into_iter().filter(is_granted);
        std::iter::once("openid".to_owned()).chain(others)
    });
    let scopes = standard.into_iter().flatten().chain(granted.api).collect();
    (scopes, granted.audiences)
}
