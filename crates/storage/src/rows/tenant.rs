//! The columns of a tenant, and of the resource servers, issuers and previous `typ` values that are read with
//! it.

use administration::kinds::state::{RowLifecycle, TenantSummary};
use administration::kinds::{ResourceServerState, TenantRow, TenantState};
use administration::store::query::TenantCursor;
use keys::KeyId;
use serde_json::{Map, Value, json};
use tenancy::{Issuer, PreviousTyp, ResourceServer, Tenant, TenantId, TenantStatus};
use values::Timestamp;

use crate::column::ColumnValue;
use crate::columns::{Columns as _, columns, document, gathered, gathered_as, selected, written};
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};
use crate::unreadable_rows::lifecycle;

/// The fields that are not in the `settings` document, because they have their own columns or tables.
const ELSEWHERE: [&str; 6] = ["id", "issuer", "issuer_aliases", "status", "resource_servers", "restored_at"];

/// The fields of these groups have their own members in the document, such as `signing.skew`. A commit of an
/// earlier version replaces a whole member, so it would otherwise lose fields that it does not know.
const GROUPS: [&str; 4] = ["strategies", "signing", "access_token", "assertions"];

// Fields that statements search or compare have an additional copy in a column.
written! {
    Tenant {
        id: "tenant_id",
        access_token.lifetime: "access_token_lifetime",
        signing.skew: "skew",
        signing.jwks_max_age: "jwks_max_age",
        name, stale_if_error,
    }
    settings settings
}

fn settings(tenant: &Tenant) -> Map<String, Value> {
    let mut settings = document(tenant, &ELSEWHERE);
    for group in GROUPS {
        let Some(Value::Object(members)) = settings.remove(group) else { continue };
        settings.extend(members.into_iter().map(|(name, value)| (format!("{group}.{name}"), value)));
    }
    // Previous `typ` values have their own table.
    settings.remove("access_token.previous_typs");
    settings
}

impl FromRow for Tenant {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let settings: Map<String, Value> = row.json("settings")?;
        let mut members = Map::new();
        for (name, value) in settings {
            match name.split_once('.') {
                Some((group, name)) => members.entry(group).or_insert_with(|| json!({}))[name] = value,
                None => _ = members.insert(name, value),
            }
        }
        let previous_typs: Value = row.json("former_typs")?;
        members.entry("access_token").or_insert_with(|| json!({}))["previous_typs"] = previous_typs;
        let (issuer, issuer_aliases) = issuers(row)?;
        members.insert("id".to_owned(), String::read(row, "tenant_id")?.into());
        members.insert("issuer".to_owned(), json!(issuer));
        members.insert("issuer_aliases".to_owned(), json!(issuer_aliases));
        members.insert("status".to_owned(), json!(status(row)?));
        members.insert("resource_servers".to_owned(), json!(live_resource_servers(row)?));
        members.insert("restored_at".to_owned(), json!(Option::<Timestamp>::read(row, "restored_at")?));
        serde_json::from_value(members.into()).map_err(|cause| Error::unreadable("settings", cause))
    }
}

columns! {
    PreviousTyp { typ, accepted_until }
}

columns! {
    ResourceServer { audience, scopes, scope_descriptions, introspection_clients, token_format }
}

columns! {
    TenantRow { keys_published_until, revision }
    with { tenant: Tenant, lifecycle: RowLifecycle }
}

columns! {
    TenantSummary { tenant: "tenant_id", fingerprint }
    with { lifecycle: RowLifecycle }
}

/// The longest access token lifetime of tenant `t`: its own, or the longest of its active clients, found by
/// an index.
macro_rules! longest_token {
    () => {
        "{greatest}(t.access_token_lifetime,
                    COALESCE((SELECT MAX(c.access_token_lifetime) FROM clients c
                               WHERE c.tenant_id = t.tenant_id AND c.access_token_lifetime IS NOT NULL
                                 AND c.retired_at IS NULL AND c.deleted_at IS NULL), 0))"
    };
}

pub(crate) use longest_token;

fn status(row: &DatabaseRow) -> Result<TenantStatus, Error> {
    if RowLifecycle::from_row(row)?.serves() {
        return Ok(TenantStatus::Active);
    }
    let until: Option<Timestamp> = ColumnValue::read(row, "keys_published_until")?;
    Ok(TenantStatus::Suspended { keys_published_until: until.unwrap_or(Timestamp::from_seconds(0)) })
}

/// The first row is the issuer, and the others are its aliases.
fn issuers(row: &DatabaseRow) -> Result<(Issuer, Vec<Issuer>), Error> {
    let mut issuers = row.json::<Vec<Issuer>>("issuers")?.into_iter();
    let issuer = issuers.next().ok_or_else(|| Error::unreadable("issuers", "a tenant without issuer"))?;
    Ok((issuer, issuers.collect()))
}

fn live_resource_servers(row: &DatabaseRow) -> Result<Vec<ResourceServer>, Error> {
    let rows: Vec<ResourceServerState> = row.rows("resource_servers")?;
    Ok(rows.into_iter().filter(|row| row.lifecycle.is_live()).map(|row| row.resource_server).collect())
}

/// A tenant whose settings cannot be read, with the values that lists and a deletion need.
fn unreadable(row: &DatabaseRow, why: &str) -> Result<TenantRow, Error> {
    let id: TenantId = ColumnValue::read(row, "tenant_id")?;
    tracing::error!(tenant = %id, "cannot read the settings of the tenant: {why}");
    let lifecycle = lifecycle(row);
    let issuer = Issuer::derived("", &id);
    let tenant = Tenant { is_unreadable: true, ..Tenant::new(id, issuer) };
    let keys_published_until = ColumnValue::read(row, "keys_published_until");
    let keys_published_until = keys_published_until.unwrap_or(Some(Timestamp::from_seconds(0)));
    Ok(TenantRow { tenant, lifecycle, revision: ColumnValue::read(row, "revision")?, keys_published_until })
}

/// The tenant with all its rows except clients and keys.
impl FromRow for TenantState {
    fn selection(table: &str) -> String {
        let of_tenant = |rows: &str| format!("{rows}.tenant_id = {table}.tenant_id");
        // `restored_at` is read separately, because no commit writes it.
        let own = selected(&TenantRow::columns(), table) + &format!(", {table}.restored_at");
        let issuers = gathered_as("issuer", "tenant_issuers", &of_tenant("tenant_issuers"), "position");
        let previous_typs =
            gathered::<PreviousTyp>("tenant_former_typs", &of_tenant("tenant_former_typs"), "typ");
        let resource_servers =
            gathered::<ResourceServerState>("resource_servers", &of_tenant("resource_servers"), "audience");
        format!(
            "{own}, {table}.earlier_tokens_until, {table}.client_count, {table}.first_key_thumbprint, {table}.next_key,
             {issuers} AS issuers, {previous_typs} AS former_typs, {resource_servers} AS resource_servers"
        )
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let decided =
            TenantRow::from_row(row).and_then(|decided| Ok((decided, row.rows("resource_servers")?)));
        let (decided, resource_servers) = match decided {
            Err(error) => match error.of_row() {
                Some(why) => (unreadable(row, &why)?, Vec::new()),
                None => return Err(error),
            },
            Ok(read) => read,
        };
        let TenantRow { tenant, lifecycle, revision, .. } = decided;
        Ok(Self {
            tenant,
            lifecycle,
            revision,
            previous_tokens_until: ColumnValue::read(row, "earlier_tokens_until")?,
            trust_rules: Vec::new(),
            resource_servers,
            client_count: ColumnValue::read(row, "client_count")?,
            clients: Vec::new(),
            accounts: Vec::new(),
            api_keys: Vec::new(),
            first_key_thumbprint: ColumnValue::read(row, "first_key_thumbprint")?,
            has_had_keys: KeyId::read(row, "next_key")? > KeyId::numbered(1),
        })
    }
}

/// A tenant of a search result, with the search term that found it.
impl FromRow for (TenantCursor, TenantState) {
    fn selection(table: &str) -> String {
        TenantState::selection(table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let state = TenantState::from_row(row)?;
        Ok((TenantCursor { word: ColumnValue::read(row, "word")?, tenant: state.tenant.id.clone() }, state))
    }
}

// The columns without the tenant.
written! {
    ResourceServerState {}
    with { resource_server: ResourceServer }
    and lifecycle without ["suspended_at", "deletion_due_at"]
}

impl FromRow for ResourceServerState {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let resource_server = ResourceServer::from_row(row)?;
        Ok(Self { resource_server, lifecycle: RowLifecycle::from_row(row)? })
    }
}
