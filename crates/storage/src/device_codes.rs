//! The statements of device codes.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{DeviceCode, DeviceCodeStore, Granted, OneTime};
use serde_json::json;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::columns::columns;
use crate::database::Database;
use crate::one_time::OneTimeKind;
use crate::statement::{Argument, Statement};

columns! {
    DeviceCode {
        account: "account_id",
        user_digest, granted, requested_from, created_at, decided_at,
    }
}

impl OneTimeKind for DeviceCode {
    const TABLE: &'static str = "device_codes";
    const KEY: &'static str = "tenant_id, slot, code_digest";
    const USED: &'static str = "redeemed_at";
    const NOTED: &'static str = "decided_at";
    /// The account must not have been signed out everywhere since the person decided.
    const USABLE: &'static str = "
        EXISTS (SELECT 1 FROM accounts a
                 WHERE a.tenant_id = given.tenant_id AND a.account_id = device_codes.account_id
                   AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
                   AND a.valid_from <= device_codes.decided_at)";

    fn limits(of_source: &u32) -> Vec<(&'static str, u32)> {
        vec![("w.requested_from = given.requested_from AND w.decided_at IS NULL", *of_source)]
    }

    fn noted(decision: &Option<(AccountId, Granted)>) -> (&'static str, Vec<Argument>) {
        let Some((account, granted)) = decision else { return ("", Vec::new()) };
        let values = vec![account.as_str().into(), json!(granted).to_string().into()];
        (", account_id = $5, granted = $6", values)
    }
}

const SELECT_BY_USER_CODE: &str = "
    SELECT {columns(d)} FROM device_codes d
     WHERE d.tenant_id = {tenant} AND d.user_digest = $2 AND d.valid_until > $3 AND d.decided_at IS NULL
     LIMIT 2";

#[async_trait]
impl DeviceCodeStore for Database {
    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<OneTime<DeviceCode>>> {
        let statement =
            Statement::from_text(SELECT_BY_USER_CODE).bind(tenant).bind(user_digest.as_slice()).bind(now);
        let found: Vec<OneTime<DeviceCode>> = self.look_up(statement).await?;
        let mut found = found.into_iter();
        Ok(found.next().filter(|_| found.next().is_none()))
    }
}
