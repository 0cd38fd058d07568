//! `/api/v1/tenant/{id}/accounts/{account}/sessions…` and `…/consents…`: list and end the sessions
//! and consents of a person.

use accounts::AccountId;
use actix_web::http::StatusCode;
use administration::documents::schema::JsonSchema;
use administration::documents::{ConsentView, SessionView};
use administration::edit::SignInEnd;
use administration::kinds::Permission::Accounts;
use registry::ClientId;
use serde::Serialize;
use serde_json::json;
use sessions::SessionId;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::segment;
use crate::openapi::HttpMethod::{Delete, Get};
use crate::openapi::Operation;
use crate::respond::ResponseDocument;

/// The live sessions of an account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct LiveSessions {
    /// Most recently used first; at most 200.
    items: Vec<SessionView>,
}

/// The consents of an account.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Consents {
    /// In the order of client ids.
    items: Vec<ConsentView>,
}

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/accounts/{account}/sessions", Accounts, sessions)
            .named("list_sessions", "List the sessions of a person.")
            .answer::<LiveSessions>("200", "The live sessions, without their cookies")
            .answer_example(|| {
                json!({ "items": [{
            "session_id": "Qm9va3MgYXJlIGdvb2QuLg",
            "authenticated_at": "2030-01-31T08:00:00Z",
            "acr": "urn:latchkey:acr:1",
            "amr": ["pwd"],
            "created_at": "2030-01-31T08:00:00Z",
            "last_seen_at": "2030-01-31T09:30:00Z",
            "expires_at": "2030-02-01T08:00:00Z",
            "remembered": false,
            "user_agent": "Mozilla/5.0",
            "source": "192.0.2.7",
        }] })
            }),
        at(Delete, "/api/v1/tenant/{id}/accounts/{account}/sessions", Accounts, sign_out)
            .named("sign_out_account", "Sign a person out everywhere.")
            .empty_answer("204", "All sessions until now have ended"),
        at(Delete, "/api/v1/tenant/{id}/accounts/{account}/sessions/{session}", Accounts, end_session)
            .named("end_session", "End a session.")
            .empty_answer("204", "The browser is signed out"),
        at(Get, "/api/v1/tenant/{id}/accounts/{account}/consents", Accounts, consents)
            .named("list_consents", "List the clients that a person has consented to.")
            .answer::<Consents>("200", "All consents")
            .answer_example(|| {
                json!({ "items": [{
            "client_id": "billing", "scopes": ["openid", "profile"],
            "resources": ["https://billing.example"], "granted_at": "2030-01-31T08:00:00Z",
        }] })
            }),
        at(Delete, "/api/v1/tenant/{id}/accounts/{account}/consents/{client}", Accounts, revoke_consent)
            .named("revoke_consent", "Delete a person's consent for a client.")
            .empty_answer("204", "The person is asked again"),
    ]
}

segment! { SessionId, "session", ("session", "Session id", "Qm9va3MgYXJlIGdvb2QuLg"): |raw| {
    raw.place("session").and_then(|id| id.parse().ok())
} }

async fn sessions(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let items = administrator.of(caller, tenant).sessions(account).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&LiveSessions { items })
}

async fn sign_out(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    administrator.of(caller, tenant).end_sign_ins(account, &SignInEnd::All).await?;
    Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty())
}

async fn end_session(request: AdminRequest<(TenantId, AccountId, SessionId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account, session), .. } = &request;
    let end = SignInEnd::Session(session.clone());
    administrator.of(caller, tenant).end_sign_ins(account, &end).await?;
    Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty())
}

async fn consents(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let items = administrator.of(caller, tenant).consents(account).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&Consents { items })
}

async fn revoke_consent(request: AdminRequest<(TenantId, AccountId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account, client), .. } = &request;
    let end = SignInEnd::Consent(client.clone());
    administrator.of(caller, tenant).end_sign_ins(account, &end).await?;
    Ok(ResponseDocument::from_status(StatusCode::NO_CONTENT).empty())
}
