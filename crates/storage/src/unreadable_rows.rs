//! Placeholders for rows that this version cannot read.

use administration::documents::application::{Application, ApplicationId};
use administration::kinds;
use administration::kinds::state::{ManagedBy, RowLifecycle};
use administration::kinds::{Kind, TenantState};
use administration::store::{Listed, UnreadableRow, UnreadableRows};
use async_trait::async_trait;
use registry::{ApiKey, Client};
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

/// A type that has a placeholder for unreadable rows.
trait StandIn: FromRow {
    const NOUN: &'static str;

    /// Builds the placeholder from names and times only.
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
        tracing::error!(%tenant, "cannot read the {noun} {}: {why}", stand_in.name());
        Ok(Self::Unreadable(stand_in))
    }
}

/// The lifecycle of an unreadable row.
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

impl StandIn for kinds::client::State {
    const NOUN: &'static str = Client::NOUN;

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        let id = ColumnValue::read(row, "client_id")?;
        Ok(Self::stand_in(ColumnValue::read(row, "tenant_id")?, id, lifecycle(row)))
    }

    fn name(&self) -> String {
        self.client.id.to_string()
    }
}

impl StandIn for kinds::account::State {
    const NOUN: &'static str = "account";

    fn stand_in(row: &DatabaseRow) -> Result<Self, Error> {
        let id = ColumnValue::read(row, "account_id")?;
        Ok(Self::stand_in(ColumnValue::read(row, "tenant_id")?, id, lifecycle(row)))
    }

    fn name(&self) -> String {
        self.account.id.to_string()
    }
}

impl StandIn for kinds::api_key::State {
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
    async fn add_unreadable_row(&self, state: &mut TenantState, row: &UnreadableRow) -> Stored<()> {
        let tenant = &state.tenant.id;
        let one = |text, name: &str| Statement::from_text(text).bind(tenant).bind(name);
        match row {
            UnreadableRow::Client(id) => {
                let found = self.unreadable(one(clients::SELECT_ONE, id.as_str())).await?;
                state.clients.extend(found);
            }
            UnreadableRow::Account(id) => {
                let found = self.unreadable(one(accounts::SELECT_ONE, id.as_str())).await?;
                state.accounts.extend(found);
            }
            UnreadableRow::ApiKey(id) => {
                let found = self.unreadable(one(api_keys::SELECT_ONE, id.as_str())).await?;
                state.api_keys.extend(found);
            }
            UnreadableRow::Application(_) => {}
        }
        Ok(())
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
