//! What operators and readers of the documentation fetch.

use serde_json::json;
use utoipa::openapi::HttpMethod::Get;

use crate::openapi::operation::{Operation, on};
use crate::routes::health::{Live, Ready};

pub(crate) fn operations() -> Vec<Operation> {
    let numbers = "Prometheus text format 0.0.4; served by listeners with the admin surface";
    vec![
        on(Get, "/health/live")
            .named("live", "Ask whether the program serves at all.")
            .answer::<Live>("200", "It does"),
        on(Get, "/health/ready")
            .named("ready", "Ask whether callers should be sent here.")
            .answer::<Ready<'static>>("200", "They should; a degraded part says why")
            .answer::<Ready<'static>>("503", "They should not, for the reasons of the failed parts"),
        on(Get, "/metrics").named("metrics", "Read the numbers.").answer_as(
            "200",
            numbers,
            "text/plain",
            json!({ "type": "string" }),
        ),
    ]
}

pub(crate) fn documentation() -> Vec<Operation> {
    vec![
        on(Get, "/openapi.json").named("document", "Fetch this document.").empty_answer("200", "OpenAPI 3.1"),
        on(Get, "/docs").named("page", "Read this document.").empty_answer("200", "A page"),
        on(Get, "/docs/errors")
            .named("errors", "Read what each error code means.")
            .empty_answer("200", "A page with an anchor for each code; error responses link to it"),
        on(Get, "/docs/scalar.js").named("script", "The page's library.").empty_answer("200", "A script"),
    ]
}
