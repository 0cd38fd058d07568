//! Devices that wait for a person's decision.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{CodeKey, DeviceCode, DeviceCodeStore, Granted, NewFamily};
use protocol::Timestamp;
use registry::ClientId;
use serde_json::json;
use tenancy::{Stored, TenantId};

use crate::columns::given;
use crate::database::Database;
use crate::refresh_families;
use crate::statement::Statement;
use crate::transaction::Purpose;

/// Inserts the code, unless too many of its client and address are waiting.
const INSERT: &str = "
    INSERT INTO device_codes ({names}) SELECT {names} FROM {given}
     WHERE (SELECT COUNT(*) FROM device_codes w
             WHERE w.tenant_id = given.tenant_id AND w.client_id = given.client_id AND w.requested_from = given.requested_from
               AND w.valid_until > $2 AND w.decided_at IS NULL) < $3";

const SELECT: &str = "
    SELECT {columns(d)} FROM device_codes d
     WHERE d.tenant_id = {tenant} AND d.slot = $2 AND d.code_digest = $3";

const SELECT_BY_USER_CODE: &str = "
    SELECT {columns(d)} FROM device_codes d
     WHERE d.tenant_id = {tenant} AND d.user_digest = $2 AND d.valid_until > $3 AND d.decided_at IS NULL
     LIMIT 2";

const ALLOW: &str = "
    UPDATE device_codes SET decided_at = $4, account_id = $5, granted = $6
     WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3 AND decided_at IS NULL AND valid_until > $4";

const REFUSE: &str = "
    UPDATE device_codes SET decided_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3 AND decided_at IS NULL AND valid_until > $4";

/// Uses up a code if its client and the decision are right, and if its account has not been signed out
/// everywhere since.
const REDEEM: &str = "
    UPDATE device_codes SET redeemed_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND code_digest = $3 AND client_id = $5 AND redeemed_at IS NULL AND valid_until > $4
       AND EXISTS (SELECT 1 FROM accounts a
                    WHERE a.tenant_id = $1 AND a.account_id = device_codes.account_id
                      AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
                      AND a.valid_from <= device_codes.decided_at)
    RETURNING {columns(device_codes)}";

#[async_trait]
impl DeviceCodeStore for Database {
    async fn write_device_code(&self, tenant: &TenantId, code: &DeviceCode, most: u32) -> Stored<bool> {
        let insert = Statement::writing::<DeviceCode>(INSERT);
        let insert = insert.bind(given(&[code])).bind(code.created_at).bind(most);
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        let written = transaction.execute(&insert).await?;
        transaction.commit().await?;
        Ok(written == 1)
    }

    async fn find_device_code(&self, tenant: &TenantId, key: &CodeKey) -> Stored<Option<DeviceCode>> {
        let found: Vec<DeviceCode> = self.look_up(of_code(SELECT, tenant, key)).await?;
        Ok(found.into_iter().next())
    }

    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>> {
        let statement =
            Statement::from_text(SELECT_BY_USER_CODE).bind(tenant).bind(user_digest.as_slice()).bind(now);
        let found: Vec<DeviceCode> = self.look_up(statement).await?;
        let mut found = found.into_iter();
        Ok(found.next().filter(|_| found.next().is_none()))
    }

    async fn decide_on_device(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        allowed: Option<(&AccountId, &Granted)>,
        now: Timestamp,
    ) -> Stored<bool> {
        let statement = match allowed {
            Some((account, granted)) => {
                of_code(ALLOW, tenant, key).bind(now).bind(account.as_str()).bind(json!(granted).to_string())
            }
            None => of_code(REFUSE, tenant, key).bind(now),
        };
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        let written = transaction.execute(&statement).await?;
        transaction.commit().await?;
        Ok(written == 1)
    }

    async fn redeem_device_code(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        (client, family): (&ClientId, Option<&NewFamily>),
        now: Timestamp,
    ) -> Stored<Option<DeviceCode>> {
        let redeem = of_code(REDEEM, tenant, key).bind(now).bind(client.as_str());
        let mut transaction = self.begin(Purpose::WritesOf(tenant)).await?;
        let redeemed: Option<DeviceCode> = transaction.first(redeem).await?;
        if let Some(family) = redeemed.as_ref().and_then(|code| code.family(family?)) {
            transaction.write(refresh_families::INSERT, &[&family], now).await?;
        }
        transaction.commit().await?;
        Ok(redeemed)
    }
}

fn of_code(text: &'static str, tenant: &TenantId, key: &CodeKey) -> Statement {
    Statement::from_text(text).bind(tenant).bind(key.slot).bind(key.digest.as_slice())
}
