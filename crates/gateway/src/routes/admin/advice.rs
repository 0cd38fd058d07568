//! `GET …/advice`: advice for the administrators of a tenant.

use actix_web::http::StatusCode;
use administration::documents::AdviceList;
use administration::kinds::Permission::Audit;
use serde_json::json;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::query::PageParameters;
use crate::openapi::HttpMethod::Get;
use crate::openapi::Operation;
use crate::respond::ResponseDocument;

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/advice", Audit, read)
            .named(
                "read_advice",
                "Suggest improvements for a tenant, one page of its clients at a time.",
            )
            .paging("YmlsbGluZw")
            .answer::<AdviceList>("200", "Suggestions with evidence and commands; nothing is changed")
            .answer_example(|| json!({
                "items": [{
                    "rule": "unused_scopes",
                    "subject": "billing",
                    "evidence": "The client has asked for orders:read in 30 days, and not for orders:write.",
                    "action": "latchkey client set example billing scopes=orders:read",
                    "patch": { "client_id": "billing", "body": { "scopes": ["orders:read"] } },
                }],
                "is_too_early_for_usage": false,
            })),
    ]
}

async fn read(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let (cursor, limit) = request.query(|query| {
        let PageParameters { cursor, limit } = query.paging();
        (cursor, limit)
    })?;
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.of(caller, tenant).advice(cursor.as_deref(), limit).await?)
}
