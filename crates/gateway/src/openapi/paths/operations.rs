//! Operations for operators and for readers of the documentation.

use serde_json::json;

use crate::openapi::HttpMethod::Get;
use crate::openapi::NOT_MODIFIED;
use crate::openapi::operation::{JSON, Operation, on};
use crate::routes::health::{Live, Ready};

pub(crate) fn operations() -> Vec<Operation> {
    let numbers = "Prometheus text format 0.0.4; served by listeners that serve `admin`";
    vec![
        on(Get, "/health/live")
            .named("live", "Check whether the program is running.")
            .answer::<Live>("200", "The program is running"),
        on(Get, "/health/ready")
            .named("ready", "Check whether the program can take requests.")
            .answer::<Ready<'static>>("200", "It can; a degraded part says why")
            .answer::<Ready<'static>>("503", "It cannot, for the reasons that the failed parts give"),
        on(Get, "/metrics")
            .named("metrics", "Get metrics.")
            .text("200", numbers, "text/plain")
            .error("421", "Not served for the name in the Host header"),
    ]
}

/// Files that pages load.
pub(crate) fn assets() -> Vec<Operation> {
    let fresh = "The content never changes under this digest";
    let file = on(Get, "/assets/{hash}/{file}").named("asset", "Get a file of the pages for people.");
    let types = ["text/css", "text/javascript", "image/svg+xml"].into_iter();
    let file = types.fold(file, |file, media_type| file.text("200", fresh, media_type));
    let theme = on(Get, "/api/v1/tenant/{id}/oauth/theme/{file}")
        .named("theme", "Get the style of a tenant's pages.")
        .text("200", fresh, "text/css");
    let logo =
        on(Get, "/api/v1/tenant/{id}/oauth/logo/{hash}").named("logo", "Get the logo of a tenant's pages.");
    let picture = json!({ "type": "string", "format": "binary" });
    let logo = ["image/png", "image/jpeg", "image/webp"]
        .into_iter()
        .fold(logo, |logo, media_type| logo.answer_as("200", fresh, media_type, picture.clone()));
    [
        (file, "The file does not exist"),
        (theme, "The file or the tenant does not exist"),
        (logo, "The tenant has no such logo"),
    ]
    .into_iter()
    .map(|(operation, unknown)| operation.empty_answer("304", NOT_MODIFIED).error("404", unknown))
    .collect()
}

pub(crate) fn documentation() -> Vec<Operation> {
    vec![
        on(Get, "/")
            .named("front", "Get an overview of this server and links to its pages.")
            .text("200", "A page, available only on the server's own machine", "text/html")
            .error("404", "On other machines"),
        on(Get, "/openapi.json")
            .named("document", "Get this document.")
            .answer_as("200", "OpenAPI 3.1", JSON, json!({ "type": "object" }))
            .empty_answer("304", NOT_MODIFIED),
        on(Get, "/docs")
            .named("page", "Get this document as a page.")
            .text("200", "A page", "text/html")
            .empty_answer("304", NOT_MODIFIED),
        on(Get, "/docs/errors").named("errors", "Get an explanation of every error code.").text(
            "200",
            "A page with an anchor for each code; error responses link to it",
            "text/html",
        ),
        on(Get, "/docs/config.schema.json")
            .named("settings_schema", "Get the JSON Schema of config.yaml, for editors.")
            .answer_as("200", "JSON Schema 2020-12", JSON, json!({ "type": "object" }))
            .empty_answer("304", NOT_MODIFIED),
    ]
}
