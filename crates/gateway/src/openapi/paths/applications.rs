//! Paths of the Thunder-compatible API.

use crate::openapi::schemas::{Application, Applications, Coded, Flow, FlowStep};

/// Sign in to manage applications.
#[utoipa::path(
    post, path = "/flow/execute", tag = "applications",
    request_body(content = Flow, content_type = "application/json"),
    security(()),
    responses(
        (status = 200, description = "COMPLETE with the assertion, INCOMPLETE with the inputs that are missing, or ERROR for wrong credentials", body = FlowStep),
        (status = 400, description = "FES-1001 to FES-1009", body = Coded),
        (status = 404, description = "No default tenant, or nobody may sign in", body = Coded),
        (status = 503, description = "Store or hash queue cannot take the request; Retry-After says when", body = Coded),
    )
)]
pub(crate) fn execute() {}

/// Make an application and its client.
#[utoipa::path(
    post, path = "/applications", tag = "applications",
    request_body(content = Application, content_type = "application/json"),
    security(("assertion" = [])),
    responses(
        (status = 201, description = "The application, with its client's secret: the only moment in which it is shown", body = Application),
        (status = 400, description = "APP-1003 to APP-1024", body = Coded),
        (status = 401, description = "No assertion, or one that does not do", body = Coded),
        (status = 403, description = "Without the permission `system`", body = Coded),
        (status = 404, description = "No default tenant, or nobody may sign in", body = Coded),
        (status = 429, description = "Too many writes; Retry-After", body = Coded),
    )
)]
pub(crate) fn create() {}

/// List applications.
#[utoipa::path(
    get, path = "/applications", tag = "applications",
    params(("limit" = Option<u32>, Query, description = "At most so many, up to 200; default 30"), ("offset" = Option<u32>, Query, description = "Without the first so many; default 0")),
    security(("assertion" = [])),
    responses(
        (status = 200, description = "The applications in the order in which they were made, without secrets", body = Applications),
        (status = 401, description = "No assertion, or one that does not do", body = Coded),
        (status = 403, description = "Without the permission `system`", body = Coded),
    )
)]
pub(crate) fn list() {}

/// Look at an application.
#[utoipa::path(
    get, path = "/applications/{application}", tag = "applications",
    params(("application" = String, Path, description = "The application's id, a UUID")),
    security(("assertion" = [])),
    responses(
        (status = 200, description = "The application, without its secret", body = Application),
        (status = 401, description = "No assertion, or one that does not do", body = Coded),
        (status = 403, description = "Without the permission `system`", body = Coded),
        (status = 404, description = "APP-1001", body = Coded),
    )
)]
pub(crate) fn get() {}

/// Put an application in the place of one.
#[utoipa::path(
    put, path = "/applications/{application}", tag = "applications",
    params(("application" = String, Path, description = "The application's id, a UUID")),
    request_body(content = Application, content_type = "application/json"),
    security(("assertion" = [])),
    responses(
        (status = 200, description = "The application, with its client's secret where one was sent: it replaces all earlier ones", body = Application),
        (status = 400, description = "APP-1003 to APP-1024", body = Coded),
        (status = 401, description = "No assertion, or one that does not do", body = Coded),
        (status = 403, description = "Without the permission `system`, or its client holds a scope of Latchkey's", body = Coded),
        (status = 404, description = "APP-1001", body = Coded),
        (status = 429, description = "Too many writes; Retry-After", body = Coded),
    )
)]
pub(crate) fn replace() {}

/// Delete an application and its client.
#[utoipa::path(
    delete, path = "/applications/{application}", tag = "applications",
    params(("application" = String, Path, description = "The application's id, a UUID")),
    security(("assertion" = [])),
    responses(
        (status = 204, description = "Both are gone; the client's id stays reserved"),
        (status = 401, description = "No assertion, or one that does not do", body = Coded),
        (status = 403, description = "Without the permission `system`, or its client holds a scope of Latchkey's", body = Coded),
        (status = 404, description = "APP-1001", body = Coded),
        (status = 429, description = "Too many writes; Retry-After", body = Coded),
    )
)]
pub(crate) fn delete() {}
