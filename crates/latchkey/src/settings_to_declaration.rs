//! From settings to the domain: what the files declare, in the types that administration compares with the store.

use administration::{Declaration, DeclaredClient, DeclaredSecret, DeclaredTenant};
use keys::ImportError;
use protocol::{
    ClientAuthenticationMethod, GrantType, Lifetime, ResourceIndicator, Scope, ScopeToken, SigningAlgorithm,
    Timestamp,
};
use registry::{Client, ClientId, ClientStatus, IntrospectionRight};
use tenancy::{
    AccessTokenPolicy, Issuer, ResourceServer, SigningPolicy, Strategies, Tenant, TenantId, TenantStatus,
    TokenFormat,
};

use crate::settings;

/// A value that passed the checks of the settings and not those of the domain, or a key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub(crate) struct DeclareError {
    key: String,
    problem: String,
}

/// Translates all tenants.
pub(crate) fn declare(tenants: Vec<settings::ResolvedTenant>) -> Result<Declaration, DeclareError> {
    let declared = tenants.into_iter().map(tenant).collect::<Result<_, _>>()?;
    Ok(Declaration { tenants: declared })
}

fn tenant(declared: settings::ResolvedTenant) -> Result<(TenantId, DeclaredTenant), DeclareError> {
    let at = format!("tenants.{}", declared.id);
    let id = TenantId::parse(&declared.id).map_err(|error| wrong(&at, error))?;
    let issuer = |text: &String| Issuer::parse(text).map_err(|error| wrong(&at, error));
    let algorithm = algorithm(declared.signing.algorithm);
    let first_key = declared.signing.first_key.map(|pem| {
        keys::import(&pem, algorithm)
            .map_err(|error: ImportError| wrong(&format!("{at}.signing.first_key"), error))
    });
    let tenant = Tenant {
        id: id.clone(),
        name: declared.name,
        issuer: issuer(&declared.issuer)?,
        issuer_aliases: declared.issuer_aliases.iter().map(issuer).collect::<Result<_, _>>()?,
        status: TenantStatus::Active,
        strategies: Strategies {
            oauth2: declared.strategies.oauth2.enabled,
            oidc: declared.strategies.oidc.enabled,
        },
        stale_if_error: lifetime(declared.stale_if_error),
        signing: SigningPolicy {
            algorithm,
            rotate_every: lifetime(declared.signing.rotate_every),
            publish_before: lifetime(declared.signing.publish_before),
            jwks_max_age: lifetime(declared.signing.jwks_max_age),
            jwks_stale: lifetime(declared.signing.jwks_stale),
            skew: lifetime(declared.signing.skew),
            rsa_bits: declared.signing.rsa_bits,
            hold_activation: declared.signing.hold_activation.map(lifetime),
        },
        access_token: access_token(declared.access_token),
        resource_servers: declared
            .resource_servers
            .into_iter()
            .map(|(audience, server)| {
                let scopes = scope(&server.scopes, &format!("{at}.resource_servers.{audience}.scopes"))?;
                Ok(ResourceServer { audience, scopes, introspection_clients: server.clients })
            })
            .collect::<Result<_, _>>()?,
    };
    let clients = declared
        .clients
        .into_iter()
        .map(|(name, declared)| client(&id, &name, declared, &at))
        .collect::<Result<_, _>>()?;
    Ok((id, DeclaredTenant { tenant, clients, first_key: first_key.transpose()? }))
}

fn client(
    tenant: &TenantId,
    id: &str,
    declared: settings::ResolvedClient,
    at: &str,
) -> Result<DeclaredClient, DeclareError> {
    let at = format!("{at}.clients.{id}");
    for resource in &declared.resources {
        ResourceIndicator::parse(resource).map_err(|error| wrong(&format!("{at}.resources"), error))?;
    }
    let client = Client {
        tenant: tenant.clone(),
        id: ClientId::parse(id).map_err(|error| wrong(&at, error))?,
        name: declared.name,
        status: ClientStatus::Active,
        authentication_method: authentication_method(declared.token_endpoint_auth_method),
        grant_types: declared.grant_types.into_iter().map(grant_type).collect(),
        audiences: declared.audiences,
        resources: declared.resources,
        scope: scope(&declared.scopes, &format!("{at}.scopes"))?,
        access_token_lifetime: declared.access_token_lifetime.map(lifetime),
        issuer: declared
            .token_issuer
            .map(|issuer| Issuer::parse(&issuer).map_err(|error| wrong(&format!("{at}.token.issuer"), error)))
            .transpose()?,
        introspection: match declared.introspection {
            settings::Introspection::Own => IntrospectionRight::Own,
            settings::Introspection::Audience => IntrospectionRight::Audience,
            settings::Introspection::Tenant => IntrospectionRight::Tenant,
        },
        secrets: Vec::new(),
    };
    Ok(DeclaredClient { client, secrets: declared.secrets.into_iter().map(secret).collect() })
}

fn secret(declared: settings::ResolvedSecret) -> DeclaredSecret {
    let expires_at = declared.expires.map(|instant| Timestamp::from_seconds(instant.as_unix()));
    match declared.secret {
        settings::SecretText::Value(text) => DeclaredSecret::Value { secret: text.into_inner(), expires_at },
        settings::SecretText::Hash(phc) => DeclaredSecret::Hash { phc: phc.expose().to_owned(), expires_at },
    }
}

fn access_token(declared: settings::AccessToken) -> AccessTokenPolicy {
    AccessTokenPolicy {
        lifetime: lifetime(declared.lifetime),
        format: match declared.format {
            settings::TokenFormat::Jwt => TokenFormat::Jwt,
            settings::TokenFormat::Opaque => TokenFormat::Opaque,
        },
        typ: declared.typ,
        previous_typs: Vec::new(),
    }
}

fn scope(tokens: &[String], at: &str) -> Result<Scope, DeclareError> {
    tokens.iter().map(|token| ScopeToken::parse(token).map_err(|error| wrong(at, error))).collect()
}

const fn lifetime(declared: settings::Lifetime) -> Lifetime {
    Lifetime::from_seconds(declared.as_secs())
}

pub(crate) const fn algorithm(declared: settings::Algorithm) -> SigningAlgorithm {
    match declared {
        settings::Algorithm::RS256 => SigningAlgorithm::RS256,
        settings::Algorithm::RS384 => SigningAlgorithm::RS384,
        settings::Algorithm::RS512 => SigningAlgorithm::RS512,
        settings::Algorithm::PS256 => SigningAlgorithm::PS256,
        settings::Algorithm::ES256 => SigningAlgorithm::ES256,
        settings::Algorithm::ES384 => SigningAlgorithm::ES384,
        settings::Algorithm::EdDSA => SigningAlgorithm::EdDSA,
    }
}

const fn authentication_method(declared: settings::AuthMethod) -> ClientAuthenticationMethod {
    match declared {
        settings::AuthMethod::Any => ClientAuthenticationMethod::Any,
        settings::AuthMethod::ClientSecretBasic | settings::AuthMethod::ClientSecretPost => {
            ClientAuthenticationMethod::ClientSecret
        }
        settings::AuthMethod::PrivateKeyJwt => ClientAuthenticationMethod::PrivateKeyJwt,
        settings::AuthMethod::TlsClientAuth => ClientAuthenticationMethod::TlsClientAuth,
        settings::AuthMethod::SelfSignedTlsClientAuth => ClientAuthenticationMethod::SelfSignedTlsClientAuth,
        settings::AuthMethod::None => ClientAuthenticationMethod::None,
    }
}

const fn grant_type(declared: settings::GrantType) -> GrantType {
    match declared {
        settings::GrantType::ClientCredentials => GrantType::ClientCredentials,
        settings::GrantType::AuthorizationCode => GrantType::AuthorizationCode,
        settings::GrantType::RefreshToken => GrantType::RefreshToken,
        settings::GrantType::DeviceCode => GrantType::DeviceCode,
        settings::GrantType::TokenExchange => GrantType::TokenExchange,
        settings::GrantType::JwtBearer => GrantType::JwtBearer,
    }
}

fn wrong(at: &str, problem: impl std::fmt::Display) -> DeclareError {
    DeclareError { key: at.to_owned(), problem: problem.to_string() }
}
