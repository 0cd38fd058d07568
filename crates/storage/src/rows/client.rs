//! A client's row with its secrets, which the statement gathers as JSON.

use administration::{ClientState, SecretState};
use protocol::{GrantType, Scope};
use registry::{Client, ClientSecret, ClientStatus, IntrospectionRight, SecretId};
use serde::Deserialize;
use tenancy::{Issuer, StoreError};

use super::lifecycle::LifecycleColumns;
use super::texts::Texts;
use crate::column::{client_id, json, lifetime, managed_by, named, parse, tenant_id, timestamp, unreadable};

row! {
#[derive(Debug)]
pub(crate) struct ClientRow {
    tenant_id: String,
    client_id: String,
    name: String,
    description: Option<String>,
    authentication_method: String,
    grant_types: Texts,
    audiences: Texts,
    resources: Texts,
    scopes: String,
    access_token_lifetime: Option<i64>,
    issuer: Option<String>,
    introspection: String,
    secrets: String,
} with {
    lifecycle: LifecycleColumns,
}
}

#[derive(Deserialize)]
struct SecretRow {
    secret_id: String,
    hash: String,
    hint: String,
    managed_by: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
    declared_digest: String,
    declared_expires_at: Option<i64>,
}

impl ClientRow {
    pub(crate) fn is_deleted(&self) -> bool {
        self.lifecycle.is_deleted()
    }

    /// As requests see it.
    pub(crate) fn client(&self) -> Result<Client, StoreError> {
        let secrets = self.secrets()?.into_iter().map(|state| state.secret).collect();
        Ok(Client { secrets, ..self.without_secrets()? })
    }

    /// As administration sees it.
    pub(crate) fn state(&self) -> Result<ClientState, StoreError> {
        Ok(ClientState {
            client: self.without_secrets()?,
            lifecycle: self.lifecycle.lifecycle()?,
            secrets: self.secrets()?,
        })
    }

    fn secrets(&self) -> Result<Vec<SecretState>, StoreError> {
        let rows: Vec<SecretRow> = json("secrets", &self.secrets)?;
        rows.into_iter().map(SecretState::try_from).collect()
    }

    fn without_secrets(&self) -> Result<Client, StoreError> {
        let serves = self.lifecycle.lifecycle()?.serves();
        let grant_type = |text: &String| parse::<GrantType>("grant_types", text);
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let rights = [IntrospectionRight::Own, IntrospectionRight::Audience, IntrospectionRight::Tenant];
        Ok(Client {
            tenant: tenant_id(&self.tenant_id)?,
            id: client_id(&self.client_id)?,
            name: self.name.clone(),
            description: self.description.clone(),
            status: if serves { ClientStatus::Active } else { ClientStatus::Suspended },
            authentication_method: parse("authentication_method", &self.authentication_method)?,
            grant_types: self.grant_types.0.iter().map(grant_type).collect::<Result<_, _>>()?,
            audiences: self.audiences.0.clone(),
            resources: self.resources.0.clone(),
            scope: Scope::parse(&self.scopes).map_err(|cause| unreadable("scopes", cause))?,
            access_token_lifetime: self.access_token_lifetime.map(lifetime),
            issuer: self.issuer.as_ref().map(issuer).transpose()?,
            introspection: named("introspection", &rights, IntrospectionRight::as_str, &self.introspection)?,
            secrets: Vec::new(),
        })
    }
}

impl TryFrom<SecretRow> for SecretState {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, Self::Error> {
        Ok(Self {
            secret: ClientSecret {
                id: SecretId::new(&row.secret_id),
                hash: parse("hash", &row.hash)?,
                hint: row.hint,
                created_at: timestamp(row.created_at),
                expires_at: row.expires_at.map(timestamp),
                revoked_at: row.revoked_at.map(timestamp),
            },
            managed_by: managed_by(&row.managed_by)?,
            revoked_by: row.revoked_by.as_deref().map(managed_by).transpose()?,
            declared_digest: digest(&row.declared_digest)?,
            declared_expires_at: row.declared_expires_at.map(timestamp),
        })
    }
}

/// 32 bytes in hexadecimal, or nothing.
fn digest(text: &str) -> Result<Option<[u8; 32]>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = || unreadable("declared_digest", "not 32 bytes");
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return Err(malformed());
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_| malformed())?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| malformed())?;
    }
    Ok(Some(bytes))
}
