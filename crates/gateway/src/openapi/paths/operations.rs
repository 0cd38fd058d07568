//! Operations for operators and for readers of the documentation.

use serde_json::json;

use crate::openapi::HttpMethod::Get;
use crate::openapi::NOT_MODIFIED;
use crate::openapi::operation::{JSON, Operation, on};
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
        on(Get, "/metrics")
            .named("metrics", "Read the numbers.")
            .text("200", numbers, "text/plain")
            .error("421", "Not served under the name in the Host header"),
    ]
}

/// Files that pages load.
pub(crate) fn assets() -> Vec<Operation> {
    let fresh = "Fresh for ever at the digest of its content";
    let file = on(Get, "/assets/{hash}/{file}").named("asset", "Fetch a file of the pages for people.");
    let types = ["text/css", "text/javascript", "image/svg+xml"].into_iter();
    let file = types.fold(file, |file, media_type| file.text("200", fresh, media_type));
    let theme = on(Get, "/api/v1/tenant/{id}/oauth/theme/{file}")
        .named("theme", "Fetch the style of a tenant's pages.")
        .text("200", fresh, "text/css");
    let logo =
        on(Get, "/api/v1/tenant/{id}/oauth/logo/{hash}").named("logo", "Fetch the logo of a tenant's pages.");
    let picture = json!({ "type": "string", "format": "binary" });
    let logo = ["image/png", "image/jpeg", "image/webp"]
        .into_iter()
        .fold(logo, |logo, media_type| logo.answer_as("200", fresh, media_type, picture.clone()));
    [
        (file, "There is no such file"),
        (theme, "There is no such file or tenant"),
        (logo, "The tenant shows no such logo"),
    ]
    .into_iter()
    .map(|(operation, unknown)| operation.empty_answer("304", NOT_MODIFIED).error("404", unknown))
    .collect()
}

pub(crate) fn documentation() -> Vec<Operation> {
    vec![
        on(Get, "/")
            .named("front", "Read what runs here, and where to go on.")
            .text("200", "A page, where only the server's own machine reaches it", "text/html")
            .error("404", "Elsewhere"),
        on(Get, "/openapi.json")
            .named("document", "Fetch this document.")
            .answer_as("200", "OpenAPI 3.1", JSON, json!({ "type": "object" }))
            .empty_answer("304", NOT_MODIFIED),
        on(Get, "/docs")
            .named("page", "Read this document.")
            .text("200", "A page", "text/html")
            .empty_answer("304", NOT_MODIFIED),
        on(Get, "/docs/errors").named("errors", "Read what each error code means.").text(
            "200",
            "A page with an anchor for each code; error responses link to it",
            "text/html",
        ),
        on(Get, "/docs/config.schema.json")
            .named("settings_schema", "Fetch the JSON Schema of config.yaml, for editors.")
            .answer_as("200", "JSON Schema 2020-12", JSON, json!({ "type": "object" }))
            .empty_answer("304", NOT_MODIFIED),
    ]
}
