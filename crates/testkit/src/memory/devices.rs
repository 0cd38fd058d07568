//! Devices that wait for a person's decision.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{CodeKey, DeviceCode, DeviceCodeStore, Granted, NewFamily};
use protocol::Timestamp;
use registry::ClientId;
use tenancy::{StoreError, TenantId};

use super::MemoryStore;

#[async_trait]
impl DeviceCodeStore for MemoryStore {
    async fn write_device_code(
        &self,
        tenant: &TenantId,
        code: &DeviceCode,
        most: u32,
    ) -> Result<bool, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let is_beside = |other: &&DeviceCode| {
                other.tenant == *tenant
                    && other.client == code.client
                    && other.requested_from == code.requested_from
                    && other.valid_until > code.created_at
                    && other.decided_at.is_none()
            };
            let has_room = rows.device_codes.values().filter(is_beside).count() < most as usize;
            if has_room {
                rows.device_codes.insert((tenant.clone(), code.slot, code.digest), code.clone());
            }
            has_room
        })
        .await
    }

    async fn find_device_code(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
    ) -> Result<Option<DeviceCode>, StoreError> {
        let key = (tenant.clone(), key.slot, key.digest);
        self.answer(&self.calls.sign_ins, |rows| rows.device_codes.get(&key).cloned()).await
    }

    async fn find_device_by_user_code(
        &self,
        tenant: &TenantId,
        user_digest: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<DeviceCode>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let is_typed = |code: &&DeviceCode| {
                code.tenant == *tenant
                    && code.user_digest == *user_digest
                    && code.valid_until > now
                    && code.decided_at.is_none()
            };
            let mut found = rows.device_codes.values().filter(is_typed);
            found.next().filter(|_| found.next().is_none()).cloned()
        })
        .await
    }

    async fn decide_on_device(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        allowed: Option<(&AccountId, &Granted)>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let code = rows.device_codes.get_mut(&(tenant.clone(), key.slot, key.digest));
            let code = code.filter(|code| code.decided_at.is_none() && code.valid_until > now);
            let Some(code) = code else { return false };
            code.decided_at = Some(now);
            if let Some((account, granted)) = allowed {
                code.account = Some(account.clone());
                code.granted = granted.clone();
            }
            true
        })
        .await
    }

    async fn redeem_device_code(
        &self,
        tenant: &TenantId,
        key: &CodeKey,
        (client, family): (&ClientId, Option<&NewFamily>),
        now: Timestamp,
    ) -> Result<Option<DeviceCode>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let key = (tenant.clone(), key.slot, key.digest);
            let code = rows.device_codes.get(&key)?;
            let is_right = code.client == *client && code.redeemed_at.is_none() && code.valid_until > now;
            let from = rows.valid_from(tenant, code.account.as_ref().filter(|_| is_right)?)?;
            code.decided_at.filter(|decided_at| from <= *decided_at)?;
            let code = rows.device_codes.get_mut(&key)?;
            code.redeemed_at = Some(now);
            let code = code.clone();
            if let Some(family) = family.and_then(|new| code.family(new)) {
                rows.families.insert((tenant.clone(), family.slot, family.id), family);
            }
            Some(code)
        })
        .await
    }
}
