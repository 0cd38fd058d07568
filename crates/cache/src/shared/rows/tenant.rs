//! A tenant with its policies and resource servers.

use protocol::{Lifetime, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use tenancy::{
    AccessTokenPolicy, Issuer, PreviousTyp, ResourceServer, SigningPolicy, Strategies, Tenant, TenantId,
    TenantStatus, TokenFormat,
};

use super::{Row, named};

#[derive(Serialize, Deserialize)]
pub(crate) struct TenantForm {
    id: String,
    name: String,
    issuer: String,
    issuer_aliases: Vec<String>,
    /// Nothing for an active tenant.
    suspended_keys_published_until: Option<Timestamp>,
    oauth2: bool,
    oidc: bool,
    stale_if_error: Lifetime,
    signing: SigningForm,
    access_token: AccessTokenForm,
    resource_servers: Vec<ResourceServerForm>,
}

#[derive(Serialize, Deserialize)]
struct SigningForm {
    algorithm: String,
    rotate_every: Lifetime,
    publish_before: Lifetime,
    jwks_max_age: Lifetime,
    jwks_stale: Lifetime,
    skew: Lifetime,
    rsa_bits: u32,
    hold_activation: Option<Lifetime>,
}

#[derive(Serialize, Deserialize)]
struct AccessTokenForm {
    lifetime: Lifetime,
    format: String,
    typ: String,
    former_typs: Vec<(String, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
struct ResourceServerForm {
    audience: String,
    scopes: String,
    introspection_clients: Vec<String>,
}

impl Row for Tenant {
    type Form = TenantForm;

    fn to_form(&self) -> TenantForm {
        let Self {
            id,
            name,
            issuer,
            issuer_aliases,
            status,
            strategies: Strategies { oauth2, oidc },
            stale_if_error,
            signing,
            access_token,
            resource_servers,
        } = self;
        TenantForm {
            id: id.to_string(),
            name: name.clone(),
            issuer: issuer.to_string(),
            issuer_aliases: issuer_aliases.iter().map(ToString::to_string).collect(),
            suspended_keys_published_until: match status {
                TenantStatus::Active => None,
                TenantStatus::Suspended { keys_published_until } => Some(*keys_published_until),
            },
            oauth2: *oauth2,
            oidc: *oidc,
            stale_if_error: *stale_if_error,
            signing: signing_form(signing),
            access_token: access_token_form(access_token),
            resource_servers: resource_servers.iter().map(resource_server_form).collect(),
        }
    }

    fn from_form(form: TenantForm) -> Option<Self> {
        let issuer = |text: &String| Issuer::parse(text).ok();
        let suspended = |keys_published_until| TenantStatus::Suspended { keys_published_until };
        Some(Self {
            id: TenantId::parse(&form.id).ok()?,
            name: form.name,
            issuer: issuer(&form.issuer)?,
            issuer_aliases: form.issuer_aliases.iter().map(issuer).collect::<Option<_>>()?,
            status: form.suspended_keys_published_until.map_or(TenantStatus::Active, suspended),
            strategies: Strategies { oauth2: form.oauth2, oidc: form.oidc },
            stale_if_error: form.stale_if_error,
            signing: SigningPolicy {
                algorithm: form.signing.algorithm.parse().ok()?,
                rotate_every: form.signing.rotate_every,
                publish_before: form.signing.publish_before,
                jwks_max_age: form.signing.jwks_max_age,
                jwks_stale: form.signing.jwks_stale,
                skew: form.signing.skew,
                rsa_bits: form.signing.rsa_bits,
                hold_activation: form.signing.hold_activation,
            },
            access_token: access_token(form.access_token)?,
            resource_servers: form
                .resource_servers
                .into_iter()
                .map(resource_server)
                .collect::<Option<_>>()?,
        })
    }
}

fn signing_form(policy: &SigningPolicy) -> SigningForm {
    let SigningPolicy {
        algorithm,
        rotate_every,
        publish_before,
        jwks_max_age,
        jwks_stale,
        skew,
        rsa_bits,
        hold_activation,
    } = policy;
    SigningForm {
        algorithm: algorithm.to_string(),
        rotate_every: *rotate_every,
        publish_before: *publish_before,
        jwks_max_age: *jwks_max_age,
        jwks_stale: *jwks_stale,
        skew: *skew,
        rsa_bits: *rsa_bits,
        hold_activation: *hold_activation,
    }
}

fn access_token_form(policy: &AccessTokenPolicy) -> AccessTokenForm {
    let AccessTokenPolicy { lifetime, format, typ, previous_typs } = policy;
    let former = |PreviousTyp { typ, accepted_until }: &PreviousTyp| (typ.clone(), *accepted_until);
    AccessTokenForm {
        lifetime: *lifetime,
        format: format.as_str().to_owned(),
        typ: typ.clone(),
        former_typs: previous_typs.iter().map(former).collect(),
    }
}

fn access_token(form: AccessTokenForm) -> Option<AccessTokenPolicy> {
    let former = |(typ, accepted_until)| PreviousTyp { typ, accepted_until };
    Some(AccessTokenPolicy {
        lifetime: form.lifetime,
        format: named(&[TokenFormat::Jwt, TokenFormat::Opaque], TokenFormat::as_str, &form.format)?,
        typ: form.typ,
        previous_typs: form.former_typs.into_iter().map(former).collect(),
    })
}

fn resource_server_form(server: &ResourceServer) -> ResourceServerForm {
    let ResourceServer { audience, scopes, introspection_clients } = server;
    ResourceServerForm {
        audience: audience.clone(),
        scopes: scopes.to_string(),
        introspection_clients: introspection_clients.clone(),
    }
}

fn resource_server(form: ResourceServerForm) -> Option<ResourceServer> {
    Some(ResourceServer {
        audience: form.audience,
        scopes: Scope::parse(&form.scopes).ok()?,
        introspection_clients: form.introspection_clients,
    })
}

#[cfg(test)]
mod tests {
    use protocol::SigningAlgorithm;
    use testkit::fixtures::{self, NOW};

    use super::*;

    #[test]
    fn every_field_comes_back() {
        let seconds = Lifetime::from_seconds;
        let plain = fixtures::tenant("acme");
        let full = Tenant {
            name: "Acme".to_owned(),
            issuer: fixtures::issuer("https://auth.example.com"),
            issuer_aliases: vec![fixtures::issuer("thunder")],
            status: TenantStatus::Suspended { keys_published_until: NOW },
            strategies: Strategies { oauth2: true, oidc: false },
            stale_if_error: seconds(0),
            signing: SigningPolicy {
                algorithm: SigningAlgorithm::EdDSA,
                rotate_every: seconds(1),
                publish_before: seconds(2),
                jwks_max_age: seconds(3),
                jwks_stale: seconds(4),
                skew: seconds(5),
                rsa_bits: 3072,
                hold_activation: Some(seconds(6)),
            },
            access_token: AccessTokenPolicy {
                lifetime: seconds(u64::MAX),
                format: TokenFormat::Opaque,
                typ: "JWT".to_owned(),
                previous_typs: vec![PreviousTyp { typ: "at+jwt".to_owned(), accepted_until: NOW }],
            },
            resource_servers: vec![ResourceServer {
                audience: "a".to_owned(),
                scopes: fixtures::scope("b c"),
                introspection_clients: vec!["d".to_owned()],
            }],
            ..plain.clone()
        };
        for tenant in [plain, full] {
            let text = serde_json::to_string(&tenant.to_form()).unwrap();
            assert_eq!(Tenant::from_form(serde_json::from_str(&text).unwrap()).unwrap(), tenant);
        }
    }
}
