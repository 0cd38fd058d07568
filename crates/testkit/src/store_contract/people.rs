//! Accounts, device codes and their addresses for several test modules.

use accounts::Account;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use grants::{DeviceCode, Granted, OneTime, OneTimeKey};
use registry::ClientId;
use tenancy::TenantId;

pub(super) use super::at;
use super::{Stores, add, apply};
use crate::fixtures;
use crate::requests::{self, account};

/// The address from which device codes are requested.
pub(super) const SOURCE: &str = "192.0.2.1";

pub(super) fn client(id: &str) -> ClientId {
    ClientId::parse(id).unwrap()
}

/// A person of this tenant. The email address is the same in each tenant.
pub(super) async fn person(stores: &Stores, tenant: &str) -> Account {
    let tenant = add(stores, &fixtures::tenant(tenant), &[]).await;
    let person = account(&tenant, 1, &["ada@example.com"]);
    apply(stores, Change::Account(requests::row(ChangeKind::Added, None, &person))).await;
    person
}

/// The device code with this number, requested at the first second.
pub(super) fn device_code(tenant: &TenantId, number: u8) -> OneTime<DeviceCode> {
    let content = DeviceCode {
        user_digest: [number + 100; 32],
        granted: Granted { scope: Some("openid “email”".to_owned()), ..Granted::default() },
        requested_from: SOURCE.to_owned(),
        created_at: at(0),
        decided_at: None,
        account: None,
    };
    OneTime::new(tenant, &client("tv"), OneTimeKey { slot: 3, digest: [number; 32] }, content, at(0))
}
