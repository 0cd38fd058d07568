//! What stands in for a row that this version cannot read.

use ::accounts::AccountId;
use administration::{
    AccountState, ApiKeyState, Application, ApplicationId, ClientState, Kind, Listed, ManagedBy,
    RowLifecycle, UnreadableRows,
};
use async_trait::async_trait;
use registry::{ApiKey, ApiKeyId, Client, ClientId};
use secrets::SecretHash;
use serde_json::Value;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::column::ColumnValue;
use crate::database::Database;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};
use crate::statement::Statement;
use crate::{accounts, api_keys, applications, clients};

/// A row that another stands in for.
trait StandIn: FromRow {
    const NOUN: &'static str;

    /// Reads names and times alone.
    fn stand_in(row: &DatabaseRow) -> Result<Self, Error>;

    fn name(&self) -> String;
}

impl<T: StandIn> FromRow for Listed<T> {
    fn selection(table: &str) -> String {
        T::selection(table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let error = match T::from_row(row) {
            Ok(read) => return Ok(Self::Read(read)),
            Err(error) => error,
        };
        let Some(why) = error.of_row() else { return Err(error) };
        let (noun, stand_in) = (T::NOUN, T::stand_in(row)?);
        let tenant: TenantId = ColumnValue::read(row, "tenant_id")?;
        tracing::error!(%tenant, "the {noun} {} cannot be read: {why}", stand_in.name());
        Ok(Self::Unreadable(stand_in))
    }
}

/// The lifecycle of a row that cannot be read.
pub(crate) fn lifecycle(row: &DatabaseRow) -> RowLifecycle {
    let start = Timestamp::from_seconds(0);
    let at = |column| Option::<Timestamp>::read(row, column).unwrap_or(Some(start));
    RowLifecycle {
        managed_by: ColumnValue::read(row, "managed_by").unwrap_or(ManagedBy::Api),
        suspended_at: at("suspended_at"),
        retired_at: at("retired_at"),
        deleted_at: at("deleted_at"),
        deletion_due_at: at("deletion_due_at"),
        created_at: at("created_at").unwrap_or(start),
        updated_at: at("updated_at").unwrap_or(start),
    }
}

impl StandIn for ClientState {
    const NOUN: &'static str = Client::NOUN;

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        let id = ColumnValue::read(row, "client_id")?;
        Ok(Self::stand_in(ColumnValue::read(row, "tenant_id")?, id, lifecycle(row)))
    }

    fn name(&self) -> String {
        self.client.id.to_string()
    }
}

impl StandIn for AccountState {
    const NOUN: &'static str = "account";

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        let id = ColumnValue::read(row, "account_id")?;
        Ok(Self::stand_in(ColumnValue::read(row, "tenant_id")?, id, lifecycle(row)))
    }

    fn name(&self) -> String {
        self.account.id.to_string()
    }
}

impl StandIn for ApiKeyState {
    const NOUN: &'static str = ApiKey::NOUN;

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        let lifecycle = RowLifecycle { managed_by: ManagedBy::Api, ..lifecycle(row) };
        let owner = Client::new(ColumnValue::read(row, "tenant_id")?, ColumnValue::read(row, "client_id")?);
        let hash = SecretHash::token([0; 32]);
        let key = ApiKey::new(
            &owner,
            ColumnValue::read(row, "api_key_id")?,
            hash,
            String::new(),
            lifecycle.created_at,
        );
        Ok(Self { key, lifecycle, revision: ColumnValue::read(row, "revision")?, used_from: Vec::new() })
    }

    fn name(&self) -> String {
        self.key.id.to_string()
    }
}

impl StandIn for Application {
    const NOUN: &'static str = "application";

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self {
            tenant: ColumnValue::read(row, "tenant_id")?,
            id: ColumnValue::read(row, "application_id")?,
            name: ColumnValue::read(row, "name").unwrap_or_default(),
            client: ColumnValue::read(row, "client_id").unwrap_or_default(),
            document: Value::Null,
            created_at: lifecycle(row).created_at,
        })
    }

    fn name(&self) -> String {
        self.id.to_string()
    }
}

impl Database {
    async fn unreadable<T: StandIn>(&self, statement: Statement) -> Result<Option<T>, Error> {
        Ok(match self.first(statement).await? {
            Some(Listed::Unreadable(stand_in)) => Some(stand_in),
            _ => None,
        })
    }
}

#[async_trait]
impl UnreadableRows for Database {
    async fn find_unreadable_client(
        &self,
        tenant: &TenantId,
        client: &ClientId,
    ) -> Stored<Option<ClientState>> {
        let statement = Statement::from_text(clients::SELECT_ONE).bind(tenant).bind(client.as_str());
        Ok(self.unreadable(statement).await?)
    }

    async fn find_unreadable_account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Stored<Option<AccountState>> {
        let statement = Statement::from_text(accounts::SELECT_ONE).bind(tenant).bind(account.as_str());
        Ok(self.unreadable(statement).await?)
    }

    async fn find_unreadable_api_key(
        &self,
        tenant: &TenantId,
        key: &ApiKeyId,
    ) -> Stored<Option<ApiKeyState>> {
        let statement = Statement::from_text(api_keys::SELECT_ONE).bind(tenant).bind(key.as_str());
        Ok(self.unreadable(statement).await?)
    }

    async fn find_unreadable_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Stored<Option<Application>> {
        let statement = Statement::from_text(applications::SELECT_ONE).bind(tenant);
        Ok(self.unreadable(statement.bind(application.to_string())).await?)
    }
}
