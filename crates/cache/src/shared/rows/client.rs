//! A client with its secrets' hashes.

use protocol::{Lifetime, Scope, Timestamp};
use registry::{Client, ClientId, ClientSecret, ClientStatus, IntrospectionRight, SecretId};
use serde::{Deserialize, Serialize};
use tenancy::{Issuer, TenantId};

use super::{Row, named};

#[derive(Serialize, Deserialize)]
pub(crate) struct ClientForm {
    tenant: String,
    id: String,
    name: String,
    active: bool,
    authentication_method: String,
    grant_types: Vec<String>,
    audiences: Vec<String>,
    resources: Vec<String>,
    scope: String,
    access_token_lifetime: Option<Lifetime>,
    issuer: Option<String>,
    introspection: String,
    secrets: Vec<SecretForm>,
}

#[derive(Serialize, Deserialize)]
struct SecretForm {
    id: String,
    hash: String,
    hint: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

const RIGHTS: [IntrospectionRight; 3] =
    [IntrospectionRight::Own, IntrospectionRight::Audience, IntrospectionRight::Tenant];

impl Row for Client {
    type Form = ClientForm;

    fn to_form(&self) -> ClientForm {
        let Self {
            tenant,
            id,
            name,
            status,
            authentication_method,
            grant_types,
            audiences,
            resources,
            scope,
            access_token_lifetime,
            issuer,
            introspection,
            secrets,
        } = self;
        ClientForm {
            tenant: tenant.to_string(),
            id: id.to_string(),
            name: name.clone(),
            active: match status {
                ClientStatus::Active => true,
                ClientStatus::Suspended => false,
            },
            authentication_method: authentication_method.to_string(),
            grant_types: grant_types.iter().map(ToString::to_string).collect(),
            audiences: audiences.clone(),
            resources: resources.clone(),
            scope: scope.to_string(),
            access_token_lifetime: *access_token_lifetime,
            issuer: issuer.as_ref().map(ToString::to_string),
            introspection: introspection.as_str().to_owned(),
            secrets: secrets.iter().map(secret_form).collect(),
        }
    }

    fn from_form(form: ClientForm) -> Option<Self> {
        Some(Self {
            tenant: TenantId::parse(&form.tenant).ok()?,
            id: ClientId::parse(&form.id).ok()?,
            name: form.name,
            status: if form.active { ClientStatus::Active } else { ClientStatus::Suspended },
            authentication_method: form.authentication_method.parse().ok()?,
            grant_types: form.grant_types.iter().map(|name| name.parse().ok()).collect::<Option<_>>()?,
            audiences: form.audiences,
            resources: form.resources,
            scope: Scope::parse(&form.scope).ok()?,
            access_token_lifetime: form.access_token_lifetime,
            issuer: form.issuer.map(|issuer| Issuer::parse(&issuer)).transpose().ok()?,
            introspection: named(&RIGHTS, IntrospectionRight::as_str, &form.introspection)?,
            secrets: form.secrets.into_iter().map(secret).collect::<Option<_>>()?,
        })
    }
}

fn secret_form(secret: &ClientSecret) -> SecretForm {
    let ClientSecret { id, hash, hint, created_at, expires_at, revoked_at } = secret;
    SecretForm {
        id: id.to_string(),
        hash: hash.to_string(),
        hint: hint.clone(),
        created_at: *created_at,
        expires_at: *expires_at,
        revoked_at: *revoked_at,
    }
}

fn secret(form: SecretForm) -> Option<ClientSecret> {
    Some(ClientSecret {
        id: SecretId::new(&form.id),
        hash: form.hash.parse().ok()?,
        hint: form.hint,
        created_at: form.created_at,
        expires_at: form.expires_at,
        revoked_at: form.revoked_at,
    })
}

#[cfg(test)]
mod tests {
    use protocol::{ClientAuthenticationMethod, GrantType};
    use secrets::SecretHash;
    use testkit::fixtures::{self, NOW};

    use super::*;

    #[test]
    fn every_field_comes_back() {
        let phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$AAAA";
        let chosen = ClientSecret {
            hash: SecretHash::Password(phc.to_owned()),
            hint: String::new(),
            expires_at: Some(NOW),
            revoked_at: Some(NOW),
            ..fixtures::secret("two")
        };
        let plain = fixtures::client(&fixtures::tenant("acme"), "svc");
        let full = Client {
            id: fixtures::client_id("a:b {é}"),
            name: "Name".to_owned(),
            status: ClientStatus::Suspended,
            authentication_method: ClientAuthenticationMethod::ClientSecret,
            grant_types: GrantType::ALL.to_vec(),
            audiences: vec!["x".to_owned()],
            resources: vec!["https://api.example.com".to_owned()],
            scope: fixtures::scope(""),
            access_token_lifetime: Some(Lifetime::from_seconds(2)),
            issuer: Some(fixtures::issuer("thunder")),
            introspection: IntrospectionRight::Audience,
            secrets: vec![fixtures::secret("one"), chosen],
            ..plain.clone()
        };
        for client in [plain, full] {
            let text = serde_json::to_string(&client.to_form()).unwrap();
            let again = Client::from_form(serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(again, client);
        }
    }
}
