//! `GET /api/v1/admin/status`: the running replicas, and the next changes of signing keys.

use actix_web::http::StatusCode;
use administration::documents::PlatformStatus;
use administration::kinds::Permission::Audit;
use serde_json::json;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::openapi::HttpMethod::Get;
use crate::openapi::Operation;
use crate::respond::ResponseDocument;

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/admin/status", Audit, read)
            .named("read_status", "List the replicas that answer requests and the next changes of signing keys.")
            .answer::<PlatformStatus>("200", "At most 20 of each")
            .answer_example(|| json!({
                "replicas": [
                    { "id": "5f0c1a52-9d6e-4b39-8f0e-3a4f6f1f2b11", "counted_at": "2030-01-31T08:00:00Z" },
                ],
                "next_key_steps": [{ "tenant_id": "example", "due_at": "2030-02-01T00:00:00Z" }],
            })),
    ]
}

async fn read(request: AdminRequest<()>) -> Answer {
    let AdminRequest { administrator, caller, .. } = &request;
    ResponseDocument::from_status(StatusCode::OK).body(&administrator.status(caller).await?)
}
