//! Clients and their secrets.

use administration::Permission::Clients;
use administration::{
    ClientSettings, ClientView, CreatedClient, CreatedSecret, ExplainSettings, ExplanationView, NewClient,
    NewSecretSettings, Page, RotateSettings, SecretView,
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
            .answer::<Page<ClientView>>(
                "200",
                "A page, in the order of the ids; deleted clients are left out",
            ),
        admin(Post, "/api/v1/tenant/{id}/clients", Clients)
            .named("create_client", "Register a client.")
            .idempotent()
            .optional_body::<NewClient>(JSON, "May be left out: all members have defaults")
            .answer::<CreatedClient>("201", "The client with its secret, shown this once; Location and ETag")
            .error("409", "The id is taken or reserved, or the tenant has as many clients as it may"),
        admin(Get, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("get_client", "Look at a client.")
            .answer::<ClientView>("200", "The client; ETag")
            .empty_answer("304", NOT_MODIFIED),
        admin(Patch, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("patch_client", "Change a client.")
            .if_match("client")
            .optional_body::<ClientSettings>(MERGE_PATCH, MERGED)
            .answer::<ClientView>("200", "The client as it is now; ETag")
            .error("409", "config.yaml declares the client, or it was changed at the same time"),
        admin(Delete, "/api/v1/tenant/{id}/clients/{client}", Clients)
            .named("delete_client", "Delete a client.")
            .if_match("client")
            .empty_answer("204", "Its secrets are destroyed, the id stays reserved")
            .error("409", "config.yaml declares the client, or it was changed at the same time"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/suspend", Clients)
            .named("suspend_client", "Stop a client from authenticating.")
            .if_match("client")
            .answer::<ClientView>("200", "The client as it is now"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/resume", Clients)
            .named("resume_client", "Let a suspended client authenticate again.")
            .if_match("client")
            .answer::<ClientView>("200", "The client as it is now"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/tokens/revoke", Clients)
            .named("revoke_client_tokens", "Revoke all tokens that a client was issued until now.")
            .answer::<ClientView>("200", "The client as it is; its next token is valid"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/explain", Clients)
            .named(
                "explain_client",
                "Explain what the token endpoint would answer to a request of the client.",
            )
            .optional_body::<ExplainSettings>(JSON, "May be left out: all members have defaults")
            .answer::<ExplanationView>(
                "200",
                "The result and each check, also for a request that would be refused; nothing is signed",
            )
            .error("429", "Too many writes, or too many refused secrets; Retry-After"),
    ]
}

pub(crate) fn secrets() -> Vec<Operation> {
    vec![
        admin(Get, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients)
            .named("list_secrets", "List a client's secrets.")
            .answer::<Secrets>("200", "All of them, revoked and expired ones too; never a value"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/secrets", Clients)
            .named("create_secret", "Make one more secret.")
            .idempotent()
            .optional_body::<NewSecretSettings>(JSON, "May be left out")
            .answer::<CreatedSecret>("201", "The secret with its value, shown this once; Location")
            .error("409", "As many secrets are live as may be"),
        admin(Post, "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", Clients)
            .named("rotate_secret", "Replace all secrets by a new one.")
            .idempotent()
            .optional_body::<RotateSettings>(JSON, "May be left out")
            .answer::<CreatedSecret>(
                "201",
                "The new secret with its value, shown this once; the old ones end after the grace; Location",
            )
            .error("409", "As many secrets are live as may be"),
        admin(Patch, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients)
            .named("expire_secret", "Move a secret's end.")
            .body::<NewSecretSettings>(JSON, Some("expires_at is needed; null: it never ends"))
            .answer::<SecretView>("200", "The secret as it is now")
            .error("409", "The secret is revoked"),
        admin(Delete, "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Clients)
            .named("revoke_secret", "End a secret at once.")
            .answer::<SecretView>("200", "The secret as it is now; it stays in the list"),
    ]
}
