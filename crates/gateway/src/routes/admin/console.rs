//! `POST …/console-links`: a link that opens the console for the caller, with any permission. The session of
//! the link may do what the caller may, as long as the caller's credential is valid.

use actix_web::http::StatusCode;
use administration::{ConsoleLink, ConsoleSession};
use serde_json::json;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::openapi::HttpMethod::Post;
use crate::openapi::Operation;
use crate::respond::Document;
use crate::routes::console;

const ONCE: &str = "The link, shown this once: its code is valid for 60 s, and for one exchange";

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/admin/console-links", None, of_platform)
            .named("create_console_link", "Make a link that opens the console.")
            .answer::<ConsoleLink>("201", ONCE)
            .answer_example(|| example("/console/link")),
        at(Post, "/api/v1/tenant/{id}/console-links", None, of_tenant)
            .named("create_tenant_console_link", "Make a link that opens the console of a tenant.")
            .answer::<ConsoleLink>("201", ONCE)
            .answer_example(|| example("/console/t/example/link")),
    ]
}

async fn of_platform(request: AdminRequest<()>) -> Answer {
    create(&request).await
}

async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
    create(&request).await
}

async fn create<T>(AdminRequest { administrator, caller, .. }: &AdminRequest<T>) -> Answer {
    let (home, code) = administrator.create_console_link(caller).await?;
    let path = format!("{}/link#{}", console::path_of(&home), code.expose());
    let link = ConsoleLink {
        link: format!("{}{path}", administrator.public_url()),
        path,
        expires_at: (caller.now + ConsoleSession::LINK).into(),
    };
    Document::from_status(StatusCode::CREATED).body(&link)
}

fn example(path: &str) -> serde_json::Value {
    json!({
        "link": format!("https://id.example.com{path}#CODE"),
        "path": format!("{path}#CODE"),
        "expires_at": "2030-01-31T08:01:00Z",
    })
}
