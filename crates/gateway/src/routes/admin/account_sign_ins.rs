//! `/api/v1/tenant/{id}/accounts/{account}/sessions…` and `…/consents…`: where a person is signed in and what the person has allowed, and the
//! end of both.

use accounts::AccountId;
use actix_web::http::StatusCode;
use administration::{ConsentView, SessionView};
use registry::ClientId;
use schemars::JsonSchema;
use serde::Serialize;
use sessions::SessionId;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::Document;

/// The live sessions of an account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LiveSessions {
    /// Those first that were used last; 200 at most.
    items: Vec<SessionView>,
}

/// What an account has allowed clients.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Consents {
    /// In the order of the clients' ids.
    items: Vec<ConsentView>,
}

pub(crate) async fn sessions(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let items = administrator.sessions(caller, tenant, account).await?;
    Document::of(StatusCode::OK).body(&LiveSessions { items })
}

pub(crate) async fn sign_out(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    administrator.sign_out(caller, tenant, account).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}

pub(crate) async fn end_session(request: AdminRequest<(TenantId, AccountId, SessionId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account, session), .. } = &request;
    administrator.end_session(caller, tenant, account, session).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}

pub(crate) async fn consents(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let items = administrator.consents(caller, tenant, account).await?;
    Document::of(StatusCode::OK).body(&Consents { items })
}

pub(crate) async fn revoke_consent(request: AdminRequest<(TenantId, AccountId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account, client), .. } = &request;
    administrator.revoke_consent(caller, tenant, account, client).await?;
    Ok(Document::of(StatusCode::NO_CONTENT).empty())
}
