//! Loads all rows of a tenant as its servers do, and judges them by the rules of today.

use administration::{Misfit, TenantContext, TenantState, judge_rows};
use keys::{KeyId, KeyRecord};
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::{Transaction, TransactionPurpose};
use crate::{accounts, api_keys, clients, signing_keys, tenants};

const TENANTS: &str = "SELECT tenant_id FROM tenants WHERE deleted_at IS NULL ORDER BY tenant_id";

/// The rows of a tenant that have rules. Fails where a server could not read one of them.
pub(super) async fn load(
    transaction: &mut Transaction<'_>,
    tenant: &TenantId,
) -> Result<Option<TenantState>, Error> {
    let of = |text: &'static str| Statement::from_text(text).bind(tenant);
    let state = transaction.first::<TenantState>(of(tenants::SELECT)).await?;
    let Some(state) = state.map(tenants::readable).transpose()? else { return Ok(None) };
    let _readable: Vec<(KeyId, Lifetime, Option<KeyRecord>)> =
        transaction.all(of(signing_keys::SELECT)).await?;
    Ok(Some(TenantState {
        clients: transaction.all(of(clients::SELECT_ALL)).await?,
        accounts: transaction.all(of(accounts::SELECT_ALL)).await?,
        api_keys: transaction.all(of(api_keys::SELECT_ALL)).await?,
        ..state
    }))
}

impl Database {
    /// What a rule of today refuses of the rows of all tenants, and the tenants that no server can read. Each
    /// such row stays valid until it is changed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn misfits(&self, context: TenantContext<'_>, now: Timestamp) -> Stored<Vec<String>> {
        let tenants: Vec<TenantId> = self.read(Statement::from_text(TENANTS)).await?;
        let mut found = Vec::new();
        for tenant in tenants {
            let mut transaction = self.begin(TransactionPurpose::Reads(Some(&tenant))).await?;
            match load(&mut transaction, &tenant).await {
                Ok(state) => {
                    let misfits = state.map(|state| judge_rows(&state, context, now)).unwrap_or_default();
                    found.extend(misfits.iter().map(Misfit::to_string));
                }
                Err(error) => match error.of_row() {
                    Some(why) => found.push(format!("tenant {tenant}: {why}")),
                    None => return Err(error.into()),
                },
            }
        }
        Ok(found)
    }
}
