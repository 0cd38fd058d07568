//! The backend of a running server: its administration API, with a token.

use administration::{
    AuditQuery, AuditView, BrokenTokensView, ClientView, CreatedClient, CreatedSecret, CreatedTenant,
    ImportSettings, KeyStatusView, KeyView, KeysChanged, NewClient, NewSecretSettings, NewTenant, Page,
    RotateSettings, SecretView, TenantView,
};
use async_trait::async_trait;
use keys::KeyId;
use protocol::Timestamp;
use registry::{ClientId, SecretId};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::TenantId;
use url::Url;
use url::form_urlencoded::Serializer;

use super::error::ApiProblem;
use super::http::{self, Http, segment};
use super::{
    AdminArguments, AdminBackend, AdminClientError, ClientStep, KeyDocument, PageRequest, TenantStep,
    credential,
};
use crate::settings::Environment;

const TENANTS: &str = "/api/v1/admin/tenants";

/// A server that runs.
pub(crate) struct HttpBackend(Http);

/// A list that has no pages.
#[derive(Deserialize)]
struct Items<T> {
    items: Vec<T>,
}

impl HttpBackend {
    pub(crate) async fn open(
        server: &Url,
        arguments: &AdminArguments,
        environment: &Environment,
    ) -> Result<Self, AdminClientError> {
        let client = http::client(server, arguments)?;
        let token = credential::token(&client, server, arguments, environment).await?;
        Ok(Self(Http::new(client, server, token)))
    }

    async fn rotate(&self, tenant: &TenantId, body: &Value) -> Result<KeysChanged, AdminClientError> {
        self.0.document(Method::POST, &format!("{}/rotate", keys_path(tenant)), Some(body)).await
    }
}

#[async_trait]
impl AdminBackend for HttpBackend {
    async fn create_tenant(&self, new: NewTenant) -> Result<CreatedTenant, AdminClientError> {
        let mut body = members(&new.settings);
        body.insert("id".to_owned(), Value::String(new.id));
        if let Some(client) = new.client {
            body.insert("client".to_owned(), client_body(client));
        }
        self.0.document(Method::POST, TENANTS, Some(&Value::Object(body))).await
    }

    async fn tenants(&self, request: &PageRequest) -> Result<Page<TenantView>, AdminClientError> {
        self.0.document(Method::GET, &paged(TENANTS, request), None).await
    }

    async fn tenant(&self, tenant: &TenantId) -> Result<TenantView, AdminClientError> {
        self.0.document(Method::GET, &format!("{TENANTS}/{tenant}"), None).await
    }

    async fn patch_tenant(&self, tenant: &TenantId, patch: Value) -> Result<TenantView, AdminClientError> {
        self.0.document(Method::PATCH, &format!("{TENANTS}/{tenant}"), Some(&patch)).await
    }

    async fn step_tenant(&self, tenant: &TenantId, step: TenantStep) -> Result<TenantView, AdminClientError> {
        let (method, verb) = match step {
            TenantStep::Suspend => (Method::POST, "/suspend"),
            TenantStep::Resume => (Method::POST, "/resume"),
            TenantStep::Restore => (Method::POST, "/restore"),
            TenantStep::Delete => (Method::DELETE, ""),
        };
        self.0.document(method, &format!("{TENANTS}/{tenant}{verb}"), None).await
    }

    async fn delete_tenant(&self, tenant: &TenantId) -> Result<(), AdminClientError> {
        self.0.done(Method::DELETE, &format!("{TENANTS}/{tenant}?final=true")).await
    }

    async fn create_client(
        &self,
        tenant: &TenantId,
        new: NewClient,
    ) -> Result<CreatedClient, AdminClientError> {
        self.0.document(Method::POST, &clients(tenant), Some(&client_body(new))).await
    }

    async fn clients(
        &self,
        tenant: &TenantId,
        request: &PageRequest,
    ) -> Result<Page<ClientView>, AdminClientError> {
        self.0.document(Method::GET, &paged(&clients(tenant), request), None).await
    }

    async fn client(&self, tenant: &TenantId, client: &ClientId) -> Result<ClientView, AdminClientError> {
        self.0.document(Method::GET, &of(tenant, client)?, None).await
    }

    async fn patch_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        patch: Value,
    ) -> Result<ClientView, AdminClientError> {
        self.0.document(Method::PATCH, &of(tenant, client)?, Some(&patch)).await
    }

    async fn step_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        step: ClientStep,
    ) -> Result<ClientView, AdminClientError> {
        let verb = match step {
            ClientStep::Suspend => "suspend",
            ClientStep::Resume => "resume",
        };
        self.0.document(Method::POST, &format!("{}/{verb}", of(tenant, client)?), None).await
    }

    async fn delete_client(&self, tenant: &TenantId, client: &ClientId) -> Result<(), AdminClientError> {
        self.0.done(Method::DELETE, &of(tenant, client)?).await
    }

    async fn secrets(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Result<Vec<SecretView>, AdminClientError> {
        let path = format!("{}/secrets", of(tenant, client)?);
        let all: Items<SecretView> = self.0.document(Method::GET, &path, None).await?;
        Ok(all.items)
    }

    async fn create_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: NewSecretSettings,
    ) -> Result<CreatedSecret, AdminClientError> {
        let path = format!("{}/secrets", of(tenant, client)?);
        self.0.document(Method::POST, &path, Some(&Value::Object(members(&settings)))).await
    }

    async fn rotate_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        settings: RotateSettings,
    ) -> Result<CreatedSecret, AdminClientError> {
        let path = format!("{}/secrets/rotate", of(tenant, client)?);
        self.0.document(Method::POST, &path, Some(&Value::Object(members(&settings)))).await
    }

    async fn expire_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
        expires_at: Option<Timestamp>,
    ) -> Result<SecretView, AdminClientError> {
        let body = json!({ "expires_at": expires_at.map(Timestamp::to_rfc3339) });
        self.0.document(Method::PATCH, &secret_path(tenant, client, secret)?, Some(&body)).await
    }

    async fn revoke_secret(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        secret: &SecretId,
    ) -> Result<SecretView, AdminClientError> {
        self.0.document(Method::DELETE, &secret_path(tenant, client, secret)?, None).await
    }

    async fn keys(&self, tenant: &TenantId) -> Result<Vec<KeyView>, AdminClientError> {
        let all: Items<KeyView> = self.0.document(Method::GET, &keys_path(tenant), None).await?;
        Ok(all.items)
    }

    async fn key(&self, tenant: &TenantId, key: KeyId) -> Result<KeyDocument, AdminClientError> {
        self.0.document(Method::GET, &format!("{}/{key}", keys_path(tenant)), None).await
    }

    async fn rotate_key(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError> {
        self.rotate(tenant, &json!({})).await
    }

    async fn rotate_key_in_emergency(&self, tenant: &TenantId) -> Result<KeysChanged, AdminClientError> {
        self.rotate(tenant, &json!({ "emergency": true, "confirm": true })).await
    }

    async fn revoke_key(&self, tenant: &TenantId, key: KeyId) -> Result<KeysChanged, AdminClientError> {
        let path = format!("{}/{key}?confirm=true", keys_path(tenant));
        self.0.document(Method::DELETE, &path, None).await
    }

    /// A server that is asked without being told that it is meant does nothing, and says what it would break.
    async fn key_effects(
        &self,
        tenant: &TenantId,
        key: Option<KeyId>,
    ) -> Result<Vec<BrokenTokensView>, AdminClientError> {
        let request: Result<KeysChanged, _> = match key {
            Some(key) => self.0.document(Method::DELETE, &format!("{}/{key}", keys_path(tenant)), None).await,
            None => self.rotate(tenant, &json!({ "emergency": true })).await,
        };
        match request {
            Err(AdminClientError::Refused(ApiProblem { breaks: Some(breaks), .. })) => Ok(breaks),
            Err(error) => Err(error),
            Ok(_) => Err(AdminClientError::NotUnderstood("it did what was not confirmed".to_owned())),
        }
    }

    async fn import_key(
        &self,
        tenant: &TenantId,
        settings: ImportSettings,
    ) -> Result<KeysChanged, AdminClientError> {
        let ImportSettings { key, algorithm } = settings;
        let body = json!({ "key": key, "algorithm": algorithm });
        self.0.document(Method::POST, &keys_path(tenant), Some(&body)).await
    }

    async fn key_status(&self, tenant: &TenantId) -> Result<KeyStatusView, AdminClientError> {
        self.0.document(Method::GET, &format!("{}/status", keys_path(tenant)), None).await
    }

    async fn audit(
        &self,
        query: AuditQuery,
        cursor: Option<&str>,
    ) -> Result<Page<AuditView>, AdminClientError> {
        let AuditQuery { tenant, actor, action, subject, since, until, before: _, limit } = query;
        let [since, until] = [since, until].map(|at| at.map(Timestamp::to_rfc3339));
        let parameters = parameters([
            ("actor", actor),
            ("action", action),
            ("subject", subject),
            ("since", since),
            ("until", until),
            ("cursor", cursor.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
        ]);
        let path = match tenant {
            Some(tenant) => format!("/api/v1/tenant/{tenant}/audit"),
            None => "/api/v1/admin/audit".to_owned(),
        };
        self.0.document(Method::GET, &format!("{path}?{parameters}"), None).await
    }

    async fn close(&self) {}
}

fn keys_path(tenant: &TenantId) -> String {
    format!("/api/v1/tenant/{tenant}/keys")
}

fn clients(tenant: &TenantId) -> String {
    format!("/api/v1/tenant/{tenant}/clients")
}

fn of(tenant: &TenantId, client: &ClientId) -> Result<String, AdminClientError> {
    Ok(format!("{}/{}", clients(tenant), segment(client.as_str(), "client")?))
}

fn secret_path(tenant: &TenantId, client: &ClientId, secret: &SecretId) -> Result<String, AdminClientError> {
    Ok(format!("{}/secrets/{}", of(tenant, client)?, segment(secret.as_str(), "secret")?))
}

fn paged(path: &str, request: &PageRequest) -> String {
    let PageRequest { search, cursor, limit } = request.clone();
    let parameters = parameters([("search", search), ("cursor", cursor), ("limit", Some(limit.to_string()))]);
    format!("{path}?{parameters}")
}

/// Those that are there.
fn parameters<const N: usize>(all: [(&str, Option<String>); N]) -> String {
    let there = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Serializer::new(String::new()).extend_pairs(there).finish()
}

fn client_body(new: NewClient) -> Value {
    let mut body = members(&new.settings);
    let secret = new.client_secret.map(|secret| secret.as_str().to_owned());
    for (name, value) in [("client_id", new.client_id), ("client_secret", secret)] {
        body.extend(value.map(|value| (name.to_owned(), Value::String(value))));
    }
    Value::Object(body)
}

/// What is null is left out: it is the default, and of a tenant's administrator asks for nothing that he may not set.
fn members(settings: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(mut members)) => {
            members.retain(|_, value| !value.is_null());
            members
        }
        Ok(_) | Err(_) => Map::new(),
    }
}
