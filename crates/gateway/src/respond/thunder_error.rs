//! How the Thunder-compatible API says no: `{"code","message","description"}`, in its current generation with a key beside each text.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, ContentType, LOCATION, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use administration::{ApplicationCode, ApplicationError, EditError, RejectedApplication, Spelling};
use keys::{KeyError, TokenError};
use protocol::ErrorCode;
use serde::Serialize;
use tenancy::{StoreError, TenantError};

use super::key_error_class::KeyErrorClass;
use super::oauth_error::{Causes, MISDIRECTED};
use crate::body::BodyError;

const REALM: &str = "latchkey-applications";

/// An answer of this surface that is not what the caller asked for.
#[derive(Debug)]
pub(crate) struct ThunderError {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    description: String,
    spelling: Spelling,
    challenge: Option<String>,
    allow: Option<&'static str>,
    /// Seconds after which it may be otherwise.
    retry_after: Option<u16>,
    /// For whoever counts.
    counted: ErrorCode,
    close: bool,
}

impl ThunderError {
    /// A request that is wrong in one of the ways that callers know by a code.
    pub(crate) fn bad_request(
        code: &'static str,
        message: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, code, message, description)
    }

    /// Nothing is served here, or not under this path.
    pub(crate) fn not_served() -> Self {
        let why = "There is nothing here";
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "LK-4040", "Not found", why)
    }

    /// A method that the path does not know; `allow` names those that it does (RFC 9110 §15.5.6).
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let (status, why) = (StatusCode::METHOD_NOT_ALLOWED, format!("This path takes {allow}"));
        let thunder = Self::new(status, ErrorCode::InvalidRequest, "LK-4050", "Method not allowed", why);
        Self { allow: Some(allow), ..thunder }
    }

    /// A request that is meant for a name which is not ours (RFC 9110 §15.5.20).
    pub(crate) fn misdirected() -> Self {
        let status = StatusCode::MISDIRECTED_REQUEST;
        Self::new(status, ErrorCode::InvalidRequest, "LK-4210", "Misdirected request", MISDIRECTED)
    }

    /// No assertion at all (RFC 6750 §3.1).
    pub(crate) fn assertion_required() -> Self {
        let why = "Send the assertion of /flow/execute as Authorization: Bearer";
        let thunder =
            Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken, "LK-4010", "Unauthorized", why);
        Self { challenge: Some(format!("Bearer realm=\"{REALM}\"")), ..thunder }
    }

    /// An assertion that does not do here.
    pub(crate) fn invalid_assertion(why: &'static str) -> Self {
        let thunder =
            Self::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidToken, "LK-4010", "Unauthorized", why);
        let challenge =
            format!("Bearer realm=\"{REALM}\", error=\"invalid_token\", error_description=\"{why}\"");
        Self { challenge: Some(challenge), ..thunder }
    }

    /// A person who may not.
    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorCode::InsufficientScope, "LK-4030", "Forbidden", why)
    }

    /// Not now; the caller may try again.
    pub(crate) fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(cause = %Causes(cause), "request not served for now");
        Self::busy()
    }

    fn busy() -> Self {
        let why = "The server cannot answer now; try again";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::TemporarilyUnavailable,
            "LK-5030",
            "Service unavailable",
            why,
        )
    }

    /// Those who manage this tenant have asked for too much (RFC 6585 §4).
    pub(crate) fn too_many_writes(retry_after: u16) -> Self {
        let why = "Too many writes were asked for; try again later";
        let (status, counted) = (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TemporarilyUnavailable);
        let thunder = Self::new(status, counted, "LK-4290", "Too many requests", why);
        Self { retry_after: Some(retry_after), ..thunder }
    }

    /// A fault of ours; the cause goes into the log and nowhere else.
    pub(crate) fn fault(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Causes(cause), "request failed");
        Self::failed()
    }

    fn failed() -> Self {
        let why = "The server failed to answer";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::ServerError,
            "APP-5001",
            "Internal server error",
            why,
        )
    }

    /// In the caller's spelling.
    pub(crate) fn spelled(self, spelling: Spelling) -> Self {
        Self { spelling, ..self }
    }

    fn new(
        status: StatusCode,
        counted: ErrorCode,
        code: &'static str,
        message: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            message,
            description: description.into(),
            spelling: Spelling::Snake,
            challenge: None,
            allow: None,
            retry_after: None,
            counted,
            close: false,
        }
    }

    fn store(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::Fault(_) => Self::fault(error),
        }
    }

    fn body(&self) -> Vec<u8> {
        let Self { code, message, description, .. } = self;
        let body = match self.spelling {
            Spelling::Snake => {
                serde_json::to_vec(&Body { code, message: *message, description: description.as_str() })
            }
            Spelling::Camel => {
                let key = format!("error.{}", code.to_ascii_lowercase().replace('-', "."));
                let about = format!("{key}.description");
                let message = Keyed { key: &key, default_value: message };
                let description = Keyed { key: &about, default_value: description };
                serde_json::to_vec(&Body { code, message, description })
            }
        };
        body.unwrap_or_default()
    }
}

/// The members in the order in which callers know them.
#[derive(Serialize)]
struct Body<'a, T> {
    code: &'a str,
    message: T,
    description: T,
}

/// A text with the key by which a caller may translate it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keyed<'a> {
    key: &'a str,
    default_value: &'a str,
}

/// An answer that may hold a secret.
pub(crate) fn thunder_json(
    status: StatusCode,
    location: Option<&str>,
    body: &impl Serialize,
) -> Result<HttpResponse, ThunderError> {
    let body = serde_json::to_vec(body).map_err(|error| ThunderError::fault(&error))?;
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    if let Some(location) = location {
        response.insert_header((LOCATION, location));
    }
    Ok(response.insert_header(ContentType::json()).body(body))
}

impl From<RejectedApplication> for ThunderError {
    fn from(refusal: RejectedApplication) -> Self {
        let RejectedApplication { code, description } = refusal;
        let thunder = Self::bad_request(code.as_str(), code.message(), description);
        if code == ApplicationCode::NotFound {
            return Self { status: StatusCode::NOT_FOUND, counted: ErrorCode::NotFound, ..thunder };
        }
        thunder
    }
}

impl From<ApplicationError> for ThunderError {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::Refused(refusal) => refusal.into(),
            ApplicationError::Edit(error) => error.into(),
        }
    }
}

impl From<EditError> for ThunderError {
    fn from(error: EditError) -> Self {
        match &error {
            EditError::Forbidden(_) | EditError::InsufficientPrivilege(_) => {
                Self::forbidden(error.to_string())
            }
            EditError::NotFound(_) => Self::not_served(),
            EditError::Store(error) => Self::store(error),
            EditError::Hash(_) | EditError::Busy | EditError::Contended => Self::unavailable(&error),
            _ => Self::fault(&error),
        }
    }
}

impl From<TenantError> for ThunderError {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown => Self::not_served(),
            TenantError::Store(error) => Self::store(&error),
        }
    }
}

impl From<KeyError> for ThunderError {
    fn from(error: KeyError) -> Self {
        match KeyErrorClass::of(&error) {
            KeyErrorClass::Store(error) => Self::store(&error),
            KeyErrorClass::Unavailable => Self::busy(),
            KeyErrorClass::Failed => Self::failed(),
        }
    }
}

impl From<TokenError> for ThunderError {
    fn from(error: TokenError) -> Self {
        Self::invalid_assertion(error.description())
    }
}

impl From<BodyError> for ThunderError {
    fn from(error: BodyError) -> Self {
        let why = error.to_string();
        let thunder = Self::bad_request("APP-1018", ApplicationCode::InvalidRequest.message(), why);
        Self { status: error.status(), close: error.ends_connection(), ..thunder }
    }
}

impl fmt::Display for ThunderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.code)
    }
}

impl ResponseError for ThunderError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        if let Some(challenge) = &self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge.as_str()));
        }
        if let Some(allow) = self.allow {
            response.insert_header((ALLOW, allow));
        }
        let soon = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(soon.then_some(1)) {
            response.insert_header((RETRY_AFTER, u64::from(seconds)));
        }
        if self.close {
            response.force_close();
        }
        response.extensions_mut().insert(self.counted);
        response.insert_header(ContentType::json()).body(self.body())
    }
}
