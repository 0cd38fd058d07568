//! A client's row with its secrets, gathered by one statement, and how it becomes a client.

use administration::{ClientState, SecretState};
use protocol::{GrantType, Scope};
use registry::{Client, ClientId, ClientSecret, ClientStatus, IntrospectionRight, SecretId};
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::{Issuer, StoreError, TenantId};

use crate::sqlite::column::{json, lifetime, managed_by, named, parse, timestamp, unreadable};
use crate::sqlite::lifecycle_columns::LifecycleColumns;

/// A client with its secrets; the condition follows.
macro_rules! select {
    () => {
        "SELECT c.*,
               (SELECT json_group_array(
                           json_object('secret_id', s.secret_id, 'hash', s.hash, 'hint', s.hint,
                                       'managed_by', s.managed_by, 'created_at', s.created_at,
                                       'expires_at', s.expires_at, 'revoked_at', s.revoked_at,
                                       'revoked_by', s.revoked_by, 'declared_digest', hex(s.declared_digest),
                                       'declared_expires_at', s.declared_expires_at)
                           ORDER BY s.created_at, s.secret_id)
                  FROM client_secrets s WHERE s.tenant_id = c.tenant_id AND s.client_id = c.client_id) AS secrets
          FROM clients c "
    };
}

/// One client.
pub(crate) const SELECT_ONE: &str = concat!(select!(), "WHERE c.tenant_id = ?1 AND c.client_id = ?2");

/// All clients of a tenant.
pub(crate) const SELECT_ALL: &str = concat!(select!(), "WHERE c.tenant_id = ?1 ORDER BY c.client_id");

/// Those of a tenant's clients that have one of the ids `?2`, and one that lists each of the names `?3`.
pub(crate) const SELECT_RELATED: &str = concat!(
    select!(),
    "WHERE c.tenant_id = ?1
       AND c.client_id IN (SELECT value FROM json_each(?2)
                            UNION
                           SELECT (SELECT n.client_id
                                     FROM client_names n
                                    WHERE n.tenant_id = ?1 AND n.name = value AND n.client_id <> value
                                      AND (SELECT l.deleted_at IS NULL FROM clients l
                                            WHERE l.tenant_id = n.tenant_id AND l.client_id = n.client_id)
                                    ORDER BY n.client_id LIMIT 1)
                             FROM json_each(?3))
     ORDER BY c.client_id"
);

/// How many of a tenant's clients are live, up to `?2`.
pub(crate) const COUNT: &str = "
    SELECT COUNT(*)
      FROM (SELECT 1 FROM clients WHERE tenant_id = ?1 AND retired_at IS NULL AND deleted_at IS NULL LIMIT ?2)";

/// A page of a tenant's clients after a given one. SQLite's own `lower` knows ASCII only, and so does this search.
pub(crate) const SELECT_PAGE: &str = concat!(
    select!(),
    "WHERE c.tenant_id = ?1 AND c.client_id > ?2 AND c.deleted_at IS NULL
       AND (?3 = '' OR instr(lower(c.client_id), ?3) OR instr(lower(c.name), ?3))
     ORDER BY c.client_id LIMIT ?4"
);

#[derive(Debug, FromRow)]
pub(crate) struct ClientRow {
    tenant_id: String,
    client_id: String,
    name: String,
    #[sqlx(flatten)]
    lifecycle: LifecycleColumns,
    authentication_method: String,
    grant_types: String,
    audiences: String,
    resources: String,
    scopes: String,
    access_token_lifetime: Option<i64>,
    issuer: Option<String>,
    introspection: String,
    secrets: String,
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
        let grant_types: Vec<String> = json("grant_types", &self.grant_types)?;
        let grant_type = |text: &String| parse::<GrantType>("grant_types", text);
        let issuer = |text: &String| Issuer::parse(text).map_err(|cause| unreadable("issuer", cause));
        let rights = [IntrospectionRight::Own, IntrospectionRight::Audience, IntrospectionRight::Tenant];
        Ok(Client {
            tenant: TenantId::parse(&self.tenant_id).map_err(|cause| unreadable("tenant_id", cause))?,
            id: ClientId::parse(&self.client_id).map_err(|cause| unreadable("client_id", cause))?,
            name: self.name.clone(),
            status: if serves { ClientStatus::Active } else { ClientStatus::Suspended },
            authentication_method: parse("authentication_method", &self.authentication_method)?,
            grant_types: grant_types.iter().map(grant_type).collect::<Result<_, _>>()?,
            audiences: json("audiences", &self.audiences)?,
            resources: json("resources", &self.resources)?,
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
