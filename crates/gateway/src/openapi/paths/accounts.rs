//! Accounts, their sessions, and what they have allowed.

use administration::Permission::Accounts;
use administration::{
    AccountSettings, AccountView, ImportedAccount, ImportedLine, NewAccount, NewPasswordSettings, Page,
    ThrottlingView,
};
use utoipa::openapi::HttpMethod::{Delete, Get, Patch, Post};

use crate::openapi::operation::{JSON, MERGE_PATCH, MERGED, NDJSON, NOT_MODIFIED, Operation, admin};
use crate::routes::admin::account_sign_ins::{Consents, LiveSessions};

const DECLARED: &str = "config.yaml declares the account, or it was changed at the same time";

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        admin(Get, "/api/v1/tenant/{id}/accounts", Accounts)
            .named("list_accounts", "List a tenant's accounts.")
            .query(
                "string",
                "identifier",
                "Only the account that signs in by this e-mail address or user name",
            )
            .query("string", "external_id", "Only the account of this identifier in another system")
            .paging()
            .answer::<Page<AccountView>>(
                "200",
                "A page, in the order of their creation; deleted accounts are left out",
            ),
        admin(Post, "/api/v1/tenant/{id}/accounts", Accounts)
            .named("create_account", "Create an account.")
            .idempotent()
            .body::<NewAccount>(JSON, Some("email, username or both are needed"))
            .answer::<AccountView>("201", "The account; Location and ETag")
            .error("409", "Another account has the identifier, or the tenant is the platform's"),
        admin(Post, "/api/v1/tenant/{id}/accounts/import", Accounts)
            .named("import_accounts", "Import accounts, one a line.")
            .body::<ImportedAccount>(
                NDJSON,
                Some(
                    "10 000 such objects at most, one a line, 500 of them with `password`, in 8 MiB at most",
                ),
            )
            .answer_of::<ImportedLine>(
                "200",
                "Such an object for each line, in their order, one a line",
                NDJSON,
            )
            .error("408", "Head not complete in 5 s or body not in 60 s")
            .error("409", "The tenant is the platform's")
            .error("413", "Body over 8 MiB"),
        admin(Get, "/api/v1/tenant/{id}/accounts/{account}", Accounts)
            .named("get_account", "Look at an account.")
            .answer::<AccountView>("200", "The account; ETag")
            .empty_answer("304", NOT_MODIFIED),
        admin(Patch, "/api/v1/tenant/{id}/accounts/{account}", Accounts)
            .named("patch_account", "Change an account.")
            .if_match("account")
            .optional_body::<AccountSettings>(MERGE_PATCH, MERGED)
            .answer::<AccountView>("200", "The account as it is now; ETag")
            .error("409", "Another account has the identifier, or config.yaml declares this account"),
        admin(Delete, "/api/v1/tenant/{id}/accounts/{account}", Accounts)
            .named("delete_account", "Delete an account.")
            .if_match("account")
            .empty_answer("204", "Nothing of the person is left but the id, which is not given again")
            .error("409", DECLARED),
        admin(Post, "/api/v1/tenant/{id}/accounts/{account}/suspend", Accounts)
            .named("suspend_account", "Stop a person from signing in, and end all sessions and tokens.")
            .if_match("account")
            .answer::<AccountView>("200", "The account as it is now"),
        admin(Post, "/api/v1/tenant/{id}/accounts/{account}/resume", Accounts)
            .named("resume_account", "Let a person sign in again.")
            .if_match("account")
            .answer::<AccountView>("200", "The account as it is now"),
        admin(Post, "/api/v1/tenant/{id}/accounts/{account}/unlock", Accounts)
            .named("unlock_account", "Forget the failed sign-ins of an account.")
            .if_match("account")
            .answer::<AccountView>("200", "The account as it is now"),
        admin(Get, "/api/v1/tenant/{id}/accounts/{account}/throttling", Accounts)
            .named(
                "get_account_throttling",
                "Look whether an account refuses browsers after wrong passwords.",
            )
            .answer::<ThrottlingView>("200", "What the replica that answers knows"),
        admin(Post, "/api/v1/tenant/{id}/accounts/{account}/password", Accounts)
            .named("set_account_password", "Set the password of an account.")
            .if_match("account")
            .body::<NewPasswordSettings>(JSON, Some("It is never shown again"))
            .answer::<AccountView>("200", "The account as it is now; its sessions until now have ended")
            .error("409", DECLARED),
        admin(Get, "/api/v1/tenant/{id}/accounts/{account}/sessions", Accounts)
            .named("list_sessions", "List where a person is signed in.")
            .answer::<LiveSessions>("200", "The live sessions; never a cookie"),
        admin(Delete, "/api/v1/tenant/{id}/accounts/{account}/sessions", Accounts)
            .named("sign_out_account", "Sign a person out everywhere.")
            .empty_answer("204", "All sessions until now have ended"),
        admin(Delete, "/api/v1/tenant/{id}/accounts/{account}/sessions/{session}", Accounts)
            .named("end_session", "End a session.")
            .empty_answer("204", "The browser is signed out"),
        admin(Get, "/api/v1/tenant/{id}/accounts/{account}/consents", Accounts)
            .named("list_consents", "List what a person has allowed clients.")
            .answer::<Consents>("200", "All of them"),
        admin(Delete, "/api/v1/tenant/{id}/accounts/{account}/consents/{client}", Accounts)
            .named("revoke_consent", "Forget what a person has allowed a client.")
            .empty_answer("204", "The person is asked again"),
    ]
}
