//! What the contract of config.yaml accepts and this version does not do yet. It is neither granted nor advertised, and
//! `latchkey check` says so with the line.

use super::super::{
    client::{AuthMethod, GrantType},
    findings::{Findings, Location},
    resolved::{ResolvedClient, ResolvedTenant, SealingKeySource, StorageLocation},
    tenant::TokenFormat,
};

const NOT_YET: &str = "is accepted, but not built in this version";

/// The store and the key that seals it.
pub(crate) fn warn_storage(
    storage: &StorageLocation,
    sealing_key: &SealingKeySource,
    at: &Location,
    findings: &mut Findings,
) {
    match (storage, sealing_key) {
        (StorageLocation::Sqlite(database), SealingKeySource::File(key))
            if database.parent() == key.parent() =>
        {
            findings.warning(
                at.key("keys").key("sealing_key"),
                "the sealing key lies beside the database, so one stolen folder opens every key",
                "in production keep it elsewhere, or in a variable: `sealing_key: { env: NAME }`",
            );
        }
        (StorageLocation::Sqlite(_) | StorageLocation::Postgres(_), _) => {}
    }
}

/// What a tenant's tokens and clients come to.
pub(crate) fn warn_clients(tenant: &ResolvedTenant, at: &Location, findings: &mut Findings) {
    if tenant.access_token.format == TokenFormat::Opaque {
        let at = at.key("access_token").key("format");
        findings.warning(
            at,
            format!("an opaque token {NOT_YET}"),
            "this tenant issues no token; use jwt until then",
        );
    }
    for (id, client) in &tenant.clients {
        warn_client(client, &at.key("clients").key(id), findings);
    }
}

fn warn_client(client: &ResolvedClient, at: &Location, findings: &mut Findings) {
    let method = match client.token_endpoint_auth_method {
        AuthMethod::Any | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => None,
        AuthMethod::PrivateKeyJwt => Some("private_key_jwt"),
        AuthMethod::TlsClientAuth => Some("tls_client_auth"),
        AuthMethod::SelfSignedTlsClientAuth => Some("self_signed_tls_client_auth"),
        AuthMethod::None => Some("none"),
    };
    if let Some(method) = method {
        let at = at.key("token_endpoint_auth_method");
        findings.warning(at, format!("{method} {NOT_YET}"), "this client gets no token");
    }
    for (index, grant) in client.grant_types.iter().enumerate() {
        let name = match grant {
            GrantType::ClientCredentials => continue,
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::DeviceCode => "the device grant",
            GrantType::TokenExchange => "token exchange",
            GrantType::JwtBearer => "the jwt-bearer grant",
        };
        let at = at.item("grant_types", index);
        findings.warning(at, format!("{name} {NOT_YET}"), "it is neither granted nor advertised");
    }
    for (key, given) in [
        ("jwks", client.jwks.is_some()),
        ("jwks_uri", client.jwks_uri.is_some()),
        ("redirect_uris", !client.redirect_uris.is_empty()),
    ] {
        if given {
            findings.warning(at.key(key), format!("{key} {NOT_YET}"), "it has no effect");
        }
    }
}
