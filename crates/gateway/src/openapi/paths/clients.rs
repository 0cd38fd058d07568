//! Clients and their secrets.

use administration::Permission::Clients;
use administration::{
    ClientSettings, ClientView, CreatedClient, CreatedSecret, NewClient, NewSecretSettings, Page,
    RotateSettings, SecretView,
};
use utoipa::openapi::HttpMethod::{Delete, Get, Patch, Post};

use crate::openapi::operation::{JSON, MERGE_PATCH, MERGED, NOT_MODIFIED, Operation, admin};
use crate::routes::admin::secrets::Secrets;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        admin(Get, "/api/v1/tenant/{id}/clients", Clients)
            .named("list_clients", "List a tenant's clients.")
            .query("string", "search", "Part of the id or the name, upper or lower case")
            .paging()
            .answer::<Page<ClientView>>("200", "A page, in the order of the ids; deleted clients are left out")
            .problems("; 400 for a malformed cursor or limit"),
        admin(Post, "/api/v1/tenant/{id}/clients", Clients)
            .named("create_client", "Register a client.")
            .idempotent()
            .body::<NewClient>(JSON, None)
            .answer::<CreatedClient>("201", "The client with its secret, shown this once; Location and ETag")
            .problems("; 400 with errors for a faulty body; 409 for an id that is taken or reserved; 422 for an idempotency key of another request"),
        admin(Get, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("get_client", "Look at a client.")
            .answer::<ClientView>("200", "The client; ETag")
            .empty_answer("304", NOT_MODIFIED),
        admin(Patch, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("patch_client", "Change a client.")
            .if_match("client")
            .body::<ClientSettings>(MERGE_PATCH, Some(MERGED))
            .answer::<ClientView>("200", "The client as it is now; ETag")
            .problems("; 400 with errors; 409 for a client that config.yaml declares; 412 for an ETag that is no more"),
        admin(Delete, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("delete_client", "Delete a client.")
            .if_match("client")
            .empty_answer("204", "Its secrets are destroyed, the id stays reserved")
            .problems("; 409 for a client that config.yaml declares; 412"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/suspend", Clients)
            .named("suspend_client", "Stop a client from authenticating.")
            .if_match("client")
            .answer::<ClientView>("200", "The client as it is now")
            .problems(", 409, 412"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/resume", Clients)
            .named("resume_client", "Let a suspended client authenticate again.")
            .if_match("client")
            .answer::<ClientView>("200", "The client as it is now")
            .problems(", 409, 412"),
        admin(Get, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients)
            .named("list_secrets", "List a client's secrets.")
            .answer::<Secrets>("200", "All of them, revoked and expired ones too; never a value"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients)
            .named("create_secret", "Make one more secret.")
            .idempotent()
            .body::<NewSecretSettings>(JSON, Some("May be left out"))
            .answer::<CreatedSecret>("201", "The secret with its value, shown this once; Location")
            .problems("; 400 with errors; 409 when as many secrets are live as may be; 422"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", Clients)
            .named("rotate_secret", "Replace all secrets by a new one.")
            .idempotent()
            .body::<RotateSettings>(JSON, Some("May be left out"))
            .answer::<CreatedSecret>("201", "The new secret with its value, shown this once; the old ones end after the grace; Location")
            .problems("; 400 with errors; 409 when as many secrets are live as may be; 422"),
        admin(Patch, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients)
            .named("expire_secret", "Move a secret's end.")
            .body::<NewSecretSettings>(JSON, Some("expires_at is needed; null: it never ends"))
            .answer::<SecretView>("200", "The secret as it is now")
            .problems("; 400 with errors; 409 for a revoked secret"),
        admin(Delete, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients)
            .named("revoke_secret", "End a secret at once.")
            .answer::<SecretView>("200", "The secret as it is now; it stays in the list"),
    ]
}
