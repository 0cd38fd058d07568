//! `/api/v1/tenant/{id}/accounts…`: create, list, change and delete accounts, with `latchkey:accounts` of the
//! platform or of the tenant.

use accounts::{Account, AccountId};
use actix_web::http::StatusCode;
use administration::administrator::AccountFilter;
use administration::documents::{
    AccountSettings, AccountView, EntityTag, FileSecret, ImportedAccount, ImportedLine, MailView, NewAccount,
    NewPasswordSettings, Page, PasswordLinkView, ThrottlingView,
};
use administration::edit;
use administration::edit::FieldError;
use administration::kinds::Permission::Accounts;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::names::segment;
use super::row::{AdminRow, change_by, contended, end, look_at, step};
use crate::documents;
use crate::openapi::HttpMethod::{Get, Post};
use crate::openapi::{ACCOUNT, Operation, merged};
use crate::request::{JSON, NDJSON};
use crate::respond::{ResponseDocument, changed, created};

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Get, "/api/v1/tenant/{id}/accounts", Accounts, list)
            .named("list_accounts", "List a tenant's accounts.")
            .query(
                "string",
                "identifier",
                "Only the account with this email address or user name",
            )
            .query("string", "external_id", "Only the account with this identifier in another system")
            .paging("MTg5MzQ4NDgwMAp1c3JfbWZyZ2d6ZGZtenR3cTJsa25ud2cyM3Rwb2E")
            .answer::<Page<AccountView>>(
                "200",
                "A page in the order of creation, without deleted accounts",
            )
            .answer_example(|| json!({ "items": [Account::example()] })),
        at(Post, "/api/v1/tenant/{id}/accounts", Accounts, create)
            .named("create_account", "Create an account.")
            .idempotent()
            .body::<NewAccount>(JSON, Some("email, username or both are required"))
            .answer::<AccountView>("201", "The account; Location and ETag")
            .error("409", "Another account has the identifier, or the tenant is `platform`")
            .request_example(|| json!({
                "email": "ada@example.com",
                "email_verified": true,
                "external_id": "hr-1815",
                "claims": { "name": "Ada Lovelace", "locale": "en-GB" },
                "groups": ["staff"],
                "password": "seven clouds above the harbour",
            }))
            .answer_example(Account::example),
        at(Post, "/api/v1/tenant/{id}/accounts/import", Accounts, import)
            .named("import_accounts", "Import accounts, one per line.")
            .body::<ImportedAccount>(
                NDJSON,
                Some(
                    "At most 10 000 such objects, one per line, 500 of them with `password`, and at most 8 MiB",
                ),
            )
            .answer_of::<ImportedLine>(
                "200",
                "One such object for each line, in the same order, one per line",
                NDJSON,
            )
            .error("408", "Head not complete within 5 s or body not within 60 s")
            .error("409", "The tenant is `platform`")
            .error("413", "Body over 8 MiB")
            .request_example(|| json!({
                "email": "grace@example.com",
                "email_verified": true,
                "password_hash": "$2b$12$abcdefghijklmnopqrstuu4AhMWbKIX3iMKcX3rU9Gq5j7NhPFJbO",
            }))
            .answer_example(|| json!({ "line": 1, "result": "created", "account_id": ACCOUNT })),
        look_at::<Account>("/api/v1/tenant/{id}/accounts/{account}")
            .named("get_account", "Get an account."),
        change_by::<Account>("/api/v1/tenant/{id}/accounts/{account}", patch)
            .named("patch_account", "Change an account.")
            .error("409", "Another account has the identifier, or config.yaml declares this account")
            .request_example(|| json!({ "groups": ["staff", "accounting"] }))
            .answer_example(|| merged(Account::example(), json!({ "groups": ["staff", "accounting"] }))),
        end::<Account>("/api/v1/tenant/{id}/accounts/{account}", edit::account::Step::Delete)
            .named("delete_account", "Delete an account.")
            .empty_answer("204", "The account is deleted; only its id remains, and is never assigned again"),
        step::<Account>("/api/v1/tenant/{id}/accounts/{account}/suspend", edit::account::Step::Suspend)
            .named("suspend_account", "Suspend an account, and end its sessions and tokens."),
        step::<Account>("/api/v1/tenant/{id}/accounts/{account}/resume", edit::account::Step::Resume)
            .named("resume_account", "Resume a suspended account."),
        step::<Account>("/api/v1/tenant/{id}/accounts/{account}/unlock", edit::account::Step::Unlock)
            .named("unlock_account", "Reset the failed sign-ins of an account."),
        at(Get, "/api/v1/tenant/{id}/accounts/{account}/throttling", Accounts, throttling)
            .named(
                "get_account_throttling",
                "Check whether an account is locked after failed sign-ins.",
            )
            .answer::<ThrottlingView>("200", "The state at the replica that answers")
            .answer_example(|| json!({
                "throttled": true,
                "since": "2030-01-31T12:00:00Z",
                "until": "2030-01-31T12:20:00Z",
                "failures": 14,
            })),
        at(Post, "/api/v1/tenant/{id}/accounts/{account}/password", Accounts, set_password)
            .named("set_account_password", "Set the password of an account.")
            .if_match("account")
            .body::<NewPasswordSettings>(JSON, Some("The server never returns the password"))
            .answer::<AccountView>("200", "The account with its new state; earlier sessions have ended")
            .error("409", &contended::<Account>())
            .request_example(|| json!({ "password": "nine lanterns beside the river" }))
            .answer_example(Account::example),
        at(Post, "/api/v1/tenant/{id}/accounts/{account}/password-link", Accounts, make_password_link)
            .named(
                "make_password_link",
                "Create a link with which a person sets a password; it works once, within one day.",
            )
            .answer::<PasswordLinkView>("200", "The link; whoever has it can set the password")
            .error("409", "The operator's files declare the account, or the tenant does not offer sign-in")
            .answer_example(|| json!({
                "link": format!("https://id.example.com/api/v1/tenant/initech/account/set-password#{ACCOUNT}.1896163200.1896076800..47DEQpj8HBSa-_TImW-5JA.w0fUDwdUxbo1rAzcbGLp4YVVqhxvFZlXH3uZDTzqOSk"),
                "expires_at": "2030-02-01T08:00:00Z",
            })),
        at(Post, "/api/v1/tenant/{id}/accounts/{account}/invitation", Accounts, invite)
            .named(
                "invite_account",
                "Mail a link with which the person of an account without a password sets one; it works once, within 7 days.",
            )
            .empty_answer("202", "The message waits to be sent")
            .error("409", "The account has a password or no address, is declared in files, or mail is not set up"),
        at(Get, "/api/v1/tenant/{id}/accounts/{account}/mail", Accounts, mail)
            .named("get_account_mail", "Show why a person gets no mail, and what became of the latest messages.")
            .answer::<MailView>("200", "The obstacles and the messages")
            .answer_example(|| json!({
                "recovery_obstacles": [],
                "is_limited": false,
                "messages": [{
                    "letter": "recovery", "created_at": "2030-01-31T08:00:00Z", "attempts": 1,
                    "next_attempt_at": null, "ended_at": "2030-01-31T08:00:02Z", "outcome": "delivered",
                    "answer": "250 2.0.0 Ok: queued",
                }],
            })),
    ]
}

async fn list(request: AdminRequest<TenantId>) -> Answer {
    let (identifier, external_id, page) =
        request.query(|query| (query.text("identifier"), query.text("external_id"), query.paging()))?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let filter = AccountFilter {
        identifier: identifier.as_deref(),
        external_id: external_id.as_deref(),
        search: None,
    };
    let found = administrator.of(caller, tenant).accounts(filter, page.cursor.as_deref(), page.limit).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&found)
}

async fn create(mut request: AdminRequest<TenantId>) -> Answer {
    let new = request.creation(NewAccount::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let made = administrator.of(caller, tenant).create_account(new).await?;
    let location = format!("/api/v1/tenant/{tenant}/accounts/{}", made.value.account_id);
    created(&made.value, &location, &made)
}

/// The entity tag is that of the account without the link.
async fn patch(mut request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let patch = documents::patch(&request.raw.json_within(Account::BODY).await?, AccountSettings::read)?;
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let mut view = administrator.of(caller, tenant).patch_account(account, &patch).await?;
    let password_link = view.password_link.take();
    let tag = EntityTag::from_document(&view);
    ResponseDocument::from_status(StatusCode::OK).tagged(&tag).body(&AccountView { password_link, ..view })
}

/// Imports accounts from lines of JSON. Malformed lines are skipped.
async fn import(mut request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, raw, .. } = &mut request;
    let import = administrator.of(caller, tenant).begin_import().await?;
    let body = raw.import_lines().await?;
    ResponseDocument::from_status(StatusCode::OK).lines(&import.run(&body).await?)
}

/// Whether sign-ins with the account are refused after too many wrong passwords. This is not a part
/// of the account, so that it does not change the account's entity tag.
async fn throttling(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.of(caller, tenant).throttling(account).await?)
}

async fn set_password(mut request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let new = documents::read(&request.raw.json().await?, NewPasswordSettings::read)?;
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    let password = new.password.map(FileSecret::into_inner);
    changed(&administrator.of(caller, tenant).set_account_password(account, password).await?)
}

async fn make_password_link(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.of(caller, tenant).make_password_link(account).await?)
}

async fn invite(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    administrator.of(caller, tenant).invite(account).await?;
    Ok(ResponseDocument::from_status(StatusCode::ACCEPTED).empty())
}

async fn mail(request: AdminRequest<(TenantId, AccountId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, account), .. } = &request;
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.of(caller, tenant).mail_of(account).await?)
}

segment! { AccountId, "account", ("account", "Account id: usr_ followed by 26 characters from a-z and 2-7", ACCOUNT): |raw| {
    raw.place("account").and_then(|id| id.parse().ok())
} }

impl AdminRow for Account {
    const READ: fn(Value) -> Result<Self::Settings, Vec<FieldError>> = AccountSettings::read;
    type Settings = AccountSettings;

    fn example() -> Value {
        json!({
            "account_id": ACCOUNT,
            "status": "active",
            "managed_by": "api",
            "created_at": "2030-01-31T08:00:00Z",
            "updated_at": "2030-01-31T08:00:00Z",
            "password_changed_at": "2030-01-31T08:00:00Z",
            "valid_from": "2030-01-31T08:00:00Z",
            "email": "ada@example.com",
            "email_verified": true,
            "username": null,
            "external_id": "hr-1815",
            "claims": { "name": "Ada Lovelace", "locale": "en-GB" },
            "groups": ["staff"],
            "permissions": [],
        })
    }
}
