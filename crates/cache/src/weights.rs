//! The size of an entry in memory, estimated from the lengths of its members, rather too high than too low. It bounds
//! the caches, so that a few large rows cannot exhaust the memory.

use accounts::Account;
use keys::KeyRecords;
use protocol::Scope;
use registry::Client;
use secrets::SecretHash;
use tenancy::Tenant;

/// An entry without its value: slot, epoch and the bookkeeping of the cache.
const ENTRY: usize = 512;
/// A text without its bytes: pointer and overhead of the allocator.
const TEXT: usize = 48;

/// The size of an entry with a key of this length and a value of this size.
pub(crate) const fn entry(key: usize, value: usize) -> usize {
    ENTRY + key + value
}

pub(crate) fn of_tenant(tenant: &Tenant) -> usize {
    let Tenant { id, name, issuer, issuer_aliases, access_token, resource_servers, branding, .. } = tenant;
    let addresses = [&branding.support_url, &branding.terms_url, &branding.privacy_url];
    let addresses: usize = addresses.into_iter().flatten().map(|url| text(url)).sum();
    let logos: usize = branding.logos().map(|logo| text(logo.hash())).sum();
    let aliases: usize = issuer_aliases.iter().map(|alias| text(alias.as_str())).sum();
    let typs = (1 + access_token.previous_typs.len()) * text(&access_token.typ);
    let servers = resource_servers.iter().map(|server| {
        text(&server.audience) + of_scope(&server.scopes) + texts(&server.introspection_clients)
    });
    let own = text(id.as_str()) + text(name) + text(issuer.as_str());
    size_of::<Tenant>() + own + addresses + logos + aliases + typs + servers.sum::<usize>()
}

pub(crate) fn of_client(client: &Client) -> usize {
    let Client {
        tenant,
        id,
        name,
        description,
        audiences,
        resources,
        scope,
        issuer,
        keys,
        jwks_uri,
        secrets,
        ..
    } = client;
    let subject = client.certificate_subject.as_ref().map_or(0, |subject| 3 * text(&subject.text()));
    let secrets = secrets.iter().map(|secret| {
        let hash = match &secret.hash {
            SecretHash::Token(_) => 0,
            SecretHash::Password(phc) => text(phc),
        };
        size_of_val(secret) + text(secret.id.as_str()) + hash + text(&secret.hint)
    });
    let own = text(tenant.as_str()) + text(id.as_str()) + text(name);
    let issuer = issuer.as_ref().map_or(0, |issuer| text(issuer.as_str()));
    let description = description.as_deref().map_or(0, text);
    // Parsed keys are larger than their text.
    let keys = keys.as_ref().map_or(0, |keys| 8 * text(keys.document()));
    let jwks_uri = jwks_uri.as_deref().map_or(0, text);
    let flow = &client.code_flow;
    let backchannel = flow.backchannel_logout_uri.as_deref().map_or(0, text);
    let sector = flow.sector_identifier_uri.as_deref().map_or(0, text);
    let uris = texts(&flow.redirect_uris) + texts(&flow.post_logout_redirect_uris) + backchannel + sector;
    let lists = uris + texts(audiences) + texts(resources) + of_scope(scope);
    let texts = own + description + issuer + jwks_uri + subject;
    size_of::<Client>() + texts + keys + lists + secrets.sum::<usize>()
}

/// The values of claims are counted as their JSON.
pub(crate) fn of_account(account: &Account) -> usize {
    let Account { tenant, id, identifiers, external_id, claims, groups, .. } = account;
    let held = identifiers.iter().map(|held| size_of_val(held) + text(held.identifier.as_str()));
    let claims = claims.iter().map(|(name, value)| text(name) + 4 * text(&value.to_string()));
    let own = text(tenant.as_str()) + text(id.as_str()) + external_id.as_deref().map_or(0, text);
    size_of::<Account>() + own + held.sum::<usize>() + claims.sum::<usize>() + texts(groups)
}

pub(crate) fn of_keys(records: &KeyRecords) -> usize {
    let keys = records
        .keys
        .iter()
        .map(|key| size_of_val(key) + TEXT + key.sealed_private_key.len() + text(&key.thumbprint));
    size_of::<KeyRecords>() + keys.sum::<usize>()
}

fn of_scope(scope: &Scope) -> usize {
    scope.iter().map(|token| text(token.as_str())).sum()
}

fn texts(texts: &[String]) -> usize {
    texts.iter().map(|item| text(item)).sum()
}

const fn text(text: &str) -> usize {
    TEXT + text.len()
}
