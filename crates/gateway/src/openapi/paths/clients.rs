//! Paths of the admin API: clients and their secrets.

use crate::openapi::schemas::{
    Client, ClientPage, ClientSettings, CreatedClient, CreatedSecret, NewClient, NewSecret, Problem,
    Rotation, Secret, Secrets,
};

/// List a tenant's clients.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("search" = Option<String>, Query, description = "Part of the id or the name, upper or lower case"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Items of a page; 50 by default"),
    ),
    responses(
        (status = 200, description = "A page, in the order of the ids; deleted clients are left out", body = ClientPage),
        (status = "4XX", description = "401, 403, 404; 400 for a malformed cursor or limit", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn list_clients() {}

/// Register a client.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = NewClient, content_type = "application/json"),
    responses(
        (status = 201, description = "The client with its secret, shown this once; Location and ETag", body = CreatedClient),
        (status = "4XX", description = "401, 403, 404; 400 with errors for a faulty body; 409 for an id that is taken or reserved; 422 for an idempotency key of another request; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn create_client() {}

/// Look at a client.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded")),
    responses(
        (status = 200, description = "The client; ETag", body = Client),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn get_client() {}

/// Change a client.
#[utoipa::path(
    patch, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    request_body(content = ClientSettings, content_type = "application/merge-patch+json", description = "RFC 7396: what is named changes, null sets the default, all else stays"),
    responses(
        (status = 200, description = "The client as it is now; ETag", body = Client),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a client that config.yaml declares; 412 for an ETag that is no more; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn patch_client() {}

/// Delete a client.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/clients/{client}", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 204, description = "Its secrets are destroyed, the id stays reserved"),
        (status = "4XX", description = "401, 403, 404; 409 for a client that config.yaml declares; 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn delete_client() {}

/// Stop a client from authenticating.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/suspend", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = Client),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn suspend_client() {}

/// Let a suspended client authenticate again.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/resume", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = Client),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn resume_client() {}

/// List a client's secrets.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients/{client}/secrets", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded")),
    responses(
        (status = 200, description = "All of them, revoked and expired ones too; never a value", body = Secrets),
        (status = "4XX", description = "401, 403, 404", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn list_secrets() {}

/// Make one more secret.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/secrets", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = NewSecret, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 201, description = "The secret with its value, shown this once; Location", body = CreatedSecret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 when as many secrets are live as may be; 422; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn create_secret() {}

/// Replace all secrets by a new one.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = Rotation, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 201, description = "The new secret with its value, shown this once; the old ones end after the grace; Location", body = CreatedSecret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 when as many secrets are live as may be; 422; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn rotate_secret() {}

/// Move a secret's end.
#[utoipa::path(
    patch, path = "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("secret" = String, Path, description = "Secret id"),
    ),
    request_body(content = NewSecret, content_type = "application/json", description = "expires_at is needed; null: it never ends"),
    responses(
        (status = 200, description = "The secret as it is now", body = Secret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a revoked secret; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn expire_secret() {}

/// End a secret at once.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", tag = "administration",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("secret" = String, Path, description = "Secret id"),
    ),
    responses(
        (status = 200, description = "The secret as it is now; it stays in the list", body = Secret),
        (status = "4XX", description = "401, 403, 404; 429 for too many writes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) fn revoke_secret() {}
