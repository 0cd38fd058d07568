//! `POST …/console-links`: creates a link that opens the console for the caller, who may have any
//! permission. The session of the link has the caller's permissions as long as the caller's
//! credential is valid. It ends when the token expires, unless the client also authenticates in the
//! request.

use actix_web::http::StatusCode;
use administration::administrator::console_session::ConsoleToken;
use administration::documents::ConsoleLink;
use administration::documents::schema::JsonSchema;
use administration::edit::{EditError, FieldError};
use protocol::{ClientAuthentication, Form};
use registry::Purpose;
use serde_json::json;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use crate::authentication::authenticate_client;
use crate::openapi::HttpMethod::Post;
use crate::openapi::Operation;
use crate::request::{FORM, WipedBody};
use crate::respond::{OAuthError, Problem, ResponseDocument};
use crate::routes::console;

const ONCE: &str = "The link, shown only in this response: its code is valid for 60 s and for one exchange";

const AUTHENTICATED: &str = "The client can authenticate as at the token endpoint, with parameters in the \
    body. The session then outlives the token";

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/admin/console-links", None, of_platform)
            .named("create_console_link", "Create a link that opens the console.")
            .optional_body::<ConsoleLinkForm>(FORM, AUTHENTICATED)
            .answer::<ConsoleLink>("201", ONCE)
            .answer_example(|| example("/console/link")),
        at(Post, "/api/v1/tenant/{id}/console-links", None, of_tenant)
            .named("create_tenant_console_link", "Create a link that opens the console of a tenant.")
            .optional_body::<ConsoleLinkForm>(FORM, AUTHENTICATED)
            .answer::<ConsoleLink>("201", ONCE)
            .answer_example(|| example("/console/t/example/link")),
    ]
}

async fn of_platform(request: AdminRequest<()>) -> Answer {
    create(request).await
}

async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
    create(request).await
}

async fn create<T>(mut request: AdminRequest<T>) -> Answer {
    // Older versions ignored the body, so bodies of any kind must be accepted.
    let body = request.raw.untyped().await?;
    let is_authenticated = match &request.caller.token {
        Some(token) if !body.is_empty() && request.raw.is_one_of(&[FORM]) => {
            authenticate(&request, token, &body).await?;
            true
        }
        _ => false,
    };
    let AdminRequest { administrator, caller, .. } = &request;
    let (home, link, code) = administrator.create_console_link(caller, is_authenticated).await?;
    let path = format!("{}/link#{}", console::path_of(&home), code.expose());
    let link = ConsoleLink {
        link: format!("{}{path}", administrator.public_url()),
        path,
        expires_at: link.expires_at.into(),
        session_ends_at: Some(link.ends_at(caller.now).into()),
    };
    ResponseDocument::from_status(StatusCode::CREATED).body(&link)
}

/// The parameters of a client authentication. They are optional; without them the session ends with the
/// token.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the fields are read by the derive, at compile time")]
struct ConsoleLinkForm {
    /// The client of the token. Not required with an assertion.
    client_id: Option<String>,
    #[schemars(extend("format" = "password"))]
    client_secret: Option<String>,
    client_assertion_type: Option<String>,
    #[schemars(extend("format" = "password"))]
    client_assertion: Option<String>,
}

/// Authenticates the client of the token with its own credential.
async fn authenticate<T>(
    request: &AdminRequest<T>,
    token: &ConsoleToken,
    body: &WipedBody,
) -> Result<(), Problem> {
    let AdminRequest { tokens, caller, raw, .. } = request;
    let credentials = Form::parse(body).and_then(|mut form| {
        let credentials = ClientAuthentication::take(None, &mut form)?;
        form.finish()?;
        Ok(credentials)
    });
    let credentials =
        credentials.map_err(|error| Problem::client_not_authenticated(OAuthError::from(error)))?;
    let home = tokens.tenants.resolve(caller.authority.home().as_str()).await?;
    let client = authenticate_client(tokens, (&home, raw, caller.now), credentials, Purpose::Authenticate)
        .await
        .map_err(Problem::client_not_authenticated)?;
    if client.client().id == token.client {
        return Ok(());
    }
    let detail = "is not the client of the token. Authenticate the client that the token was issued to";
    Err(EditError::Invalid(vec![FieldError::at("/client_id", detail.to_owned())]).into())
}

fn example(path: &str) -> serde_json::Value {
    json!({
        "link": format!("https://id.example.com{path}#CODE"),
        "path": format!("{path}#CODE"),
        "expires_at": "2030-01-31T08:01:00Z",
        "session_ends_at": "2030-01-31T09:00:00Z",
    })
}
