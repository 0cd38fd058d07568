//! `/api/v1/tenant/{id}/accounts…`: create, list, change and delete accounts, with `latchkey:accounts` of the platform or of the tenant.

use accounts::{Account, AccountId};
use actix_web::http::StatusCode;
use administration::{
    AccountFilter, AccountSettings, AccountStep, EntityTag, NewAccount, NewPasswordSettings,
};
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::admin_resource::AdminHandler;
use super::{Answer, names};
use crate::documents;
use crate::respond::{Document, changed, looked_at};

pub(crate) async fn list(request: AdminRequest<TenantId>) -> Answer {
    let (identifier, external_id, page) =
        request.query(|query| (query.text("identifier"), query.text("external_id"), query.paging()))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let filter = AccountFilter { identifier: identifier.as_deref(), external_id: external_id.as_deref() };
    let found = administrator.accounts(caller, tenant, filter, page.cursor.as_deref(), page.limit).await?;
    Document::of(StatusCode::OK).body(&found)
}

pub(crate) async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let new = request.creation(NewAccount::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let made = administrator.create_account(caller, tenant, new).await?;
    Document::of(StatusCode::CREATED)
        .tagged(&EntityTag::of(&made.value))
        .made(&names::account_location(tenant, &made.value.account_id), made.replayed)
        .body(&made.value)
}

/// Imports accounts by lines of JSON. An import of which one line is broken imports the others.
pub(crate) async fn import(mut request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, raw, .. } = &mut request;
    let import = administrator.begin_import(caller, tenant).await?;
    let body = raw.import_lines().await?;
    Document::of(StatusCode::OK).lines(&import.run(&body).await?)
}

pub(crate) async fn look(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), raw, .. } = &request;
    looked_at(raw, &administrator.look::<Account>(caller, tenant, account).await?)
}

pub(crate) async fn patch(mut request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let patch = documents::patch(&request.raw.json().await?, AccountSettings::read)?;
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    changed(&administrator.patch::<Account>(caller, tenant, account, patch).await?)
}

/// Suspends, resumes or unlocks an account. A step may be sent again without harm.
pub(crate) fn step(step: AccountStep) -> impl AdminHandler<(TenantId, AccountId)> {
    async move |request: AdminRequest<(TenantId, AccountId)>| {
        let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
        changed(&administrator.step::<Account>(caller, tenant, account, step).await?)
    }
}

/// Whether wrong passwords have made an account refuse browsers. It is no part of the account, whose entity tag does not change with it.
pub(crate) async fn throttling(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    Document::of(StatusCode::OK).body(&administrator.throttling(caller, tenant, account).await?)
}

pub(crate) async fn set_password(mut request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let new = documents::read(&request.raw.json().await?, NewPasswordSettings::read)?;
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    changed(&administrator.set_account_password(caller, tenant, account, new).await?)
}

pub(crate) async fn delete(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    administrator.step::<Account>(caller, tenant, account, AccountStep::Delete).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
