//! A client's row with its secrets, gathered by one statement, and how it becomes a client.

use administration::{ClientState, SecretState};
use protocol::{GrantType, Scope};
use registry::{Client, ClientSecret, ClientStatus, IntrospectionRight, SecretId};
use serde::Deserialize;
use sqlx::FromRow;
use tenancy::{Issuer, StoreError};

use crate::postgres::column::{
    client_id, json, lifetime, managed_by, named, parse, tenant_id, timestamp, unreadable,
};
use crate::postgres::lifecycle_columns::LifecycleColumns;
use crate::postgres::read::in_tenant;

/// A client with its secrets; the condition follows.
macro_rules! select {
    () => {
        "SELECT c.*,
                (SELECT json_agg(
                            json_build_object('secret_id', s.secret_id, 'hash', s.hash, 'hint', s.hint,
                                              'managed_by', s.managed_by, 'created_at', s.created_at,
                                              'expires_at', s.expires_at, 'revoked_at', s.revoked_at,
                                              'revoked_by', s.revoked_by,
                                              'declared_digest', COALESCE(encode(s.declared_digest, 'hex'), ''),
                                              'declared_expires_at', s.declared_expires_at)
                            ORDER BY s.created_at, s.secret_id)
                   FROM client_secrets s
                  WHERE s.tenant_id = c.tenant_id AND s.client_id = c.client_id)::text AS secrets
           FROM clients c "
    };
}

/// One client.
pub(crate) const SELECT_ONE: &str =
    in_tenant!(select!(), "WHERE c.tenant_id = entered.tenant_id AND c.client_id = $2");

/// All clients of a tenant.
pub(crate) const SELECT_ALL: &str =
    in_tenant!(select!(), "WHERE c.tenant_id = entered.tenant_id ORDER BY c.client_id");

/// Those that have one of the ids `$2`, and one that lists each of the names `$3`. Each is looked up by its key: the planner, which
/// knows only what tenants have on average, would else read all clients of a large one.
pub(crate) const SELECT_RELATED: &str = in_tenant!(
    "SELECT around.*
       FROM (SELECT unnest($2) AS client_id
              UNION
             SELECT listing.client_id
               FROM unnest($3) AS given (name)
              CROSS JOIN LATERAL (SELECT n.client_id FROM client_names n
                                   WHERE n.tenant_id = entered.tenant_id AND n.name = given.name
                                     AND n.client_id <> given.name
                                     AND (SELECT l.deleted_at IS NULL FROM clients l
                                           WHERE l.tenant_id = n.tenant_id AND l.client_id = n.client_id)
                                   ORDER BY n.client_id LIMIT 1) AS listing) AS touched
      CROSS JOIN LATERAL (",
    select!(),
    "WHERE c.tenant_id = entered.tenant_id AND c.client_id = touched.client_id
                          OFFSET 0) AS around
      ORDER BY around.client_id"
);

/// How many of them are live, up to `$2`.
pub(crate) const COUNT: &str = in_tenant!(
    "SELECT COUNT(*) AS clients
       FROM (SELECT 1 FROM clients c
              WHERE c.tenant_id = entered.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL
              LIMIT $2) AS live"
);

/// A page of them, with `$2` in the id or the name. Upper and lower case are one for ASCII only, whatever the database's locale.
pub(crate) const SELECT_PAGE: &str = in_tenant!(
    select!(),
    "WHERE c.tenant_id = entered.tenant_id AND c.deleted_at IS NULL AND c.client_id > $3
       AND ($2 = '' OR position($2 IN lower(c.client_id)) > 0 OR position($2 IN lower(c.name COLLATE \"C\")) > 0)
     ORDER BY c.client_id LIMIT $4"
);

#[derive(Debug, FromRow)]
pub(crate) struct ClientRow {
    tenant_id: String,
    client_id: String,
    name: String,
    #[sqlx(flatten)]
    lifecycle: LifecycleColumns,
    authentication_method: String,
    grant_types: Vec<String>,
    audiences: Vec<String>,
    resources: Vec<String>,
    scopes: String,
    access_token_lifetime: Option<i64>,
    issuer: Option<String>,
    introspection: String,
    secrets: Option<String>,
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
        let rows: Vec<SecretRow> = json("secrets", self.secrets.as_deref())?;
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
            status: if serves { ClientStatus::Active } else { ClientStatus::Suspended },
            authentication_method: parse("authentication_method", &self.authentication_method)?,
            grant_types: self.grant_types.iter().map(grant_type).collect::<Result<_, _>>()?,
            audiences: self.audiences.clone(),
            resources: self.resources.clone(),
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
