//! Errors of the Thunder-compatible API: `{"code","message","description"}`, in its current generation with a key beside each text.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, LOCATION};
use administration::{ApplicationCode, ApplicationError, EditError, RejectedApplication, Spelling};
use keys::TokenError;
use protocol::ErrorCode;
use serde::Serialize;

use super::http_error::{ErrorBody, HttpError};
use super::no_store::no_store;
use crate::failure::Failure;

const REALM: &str = "latchkey-applications";

/// An error of the Thunder-compatible API.
pub(crate) type ThunderError = HttpError<ThunderBody>;

/// The members of an error.
#[derive(Debug)]
pub(crate) struct ThunderBody {
    code: &'static str,
    message: &'static str,
    description: String,
    spelling: Spelling,
}

impl ErrorBody for ThunderBody {
    fn of(failure: Failure<'_>) -> Self {
        let (code, message) = match failure {
            Failure::UnknownPath | Failure::UnknownTenant => {
                return Self::new("LK-4040", "Not found", "There is nothing here");
            }
            Failure::TooManyWrites(_) => {
                let description = "Too many writes were asked for; try again later";
                return Self::new("LK-4290", "Too many requests", description);
            }
            Failure::MethodNotAllowed(_) => ("LK-4050", "Method not allowed"),
            Failure::Misdirected => ("LK-4210", "Misdirected request"),
            Failure::RepeatedAuthorization | Failure::Body(_) => {
                ("APP-1018", ApplicationCode::InvalidRequest.message())
            }
            Failure::Unavailable => ("LK-5030", "Service unavailable"),
            Failure::Internal => ("APP-5001", "Internal server error"),
        };
        Self::new(code, message, failure.detail())
    }

    fn to_bytes(&self, _: StatusCode) -> Option<Vec<u8>> {
        let Self { code, message, description, spelling } = self;
        let body = match spelling {
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
        Some(body.unwrap_or_default())
    }
}

impl ThunderBody {
    fn new(code: &'static str, message: &'static str, description: impl Into<String>) -> Self {
        Self { code, message, description: description.into(), spelling: Spelling::Snake }
    }
}

impl HttpError<ThunderBody> {
    /// A request that is wrong in a way that callers know by a code.
    pub(crate) fn bad_request(
        code: &'static str,
        message: &'static str,
        description: impl Into<String>,
    ) -> Self {
        let body = ThunderBody::new(code, message, description);
        Self::with(StatusCode::BAD_REQUEST, Some(ErrorCode::InvalidRequest), body)
    }

    /// No assertion was sent (RFC 6750 §3.1).
    pub(crate) fn assertion_required() -> Self {
        Self::unauthorized("Send the assertion of /flow/execute as Authorization: Bearer")
            .with_bearer_challenge(REALM, None, None)
    }

    /// The assertion is not accepted.
    pub(crate) fn invalid_assertion(why: &'static str) -> Self {
        let error = (ErrorCode::InvalidToken, why);
        Self::unauthorized(why).with_bearer_challenge(REALM, Some(error), None)
    }

    fn unauthorized(why: &'static str) -> Self {
        let body = ThunderBody::new("LK-4010", "Unauthorized", why);
        Self::with(StatusCode::UNAUTHORIZED, Some(ErrorCode::InvalidToken), body)
    }

    /// The person lacks a permission.
    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        let body = ThunderBody::new("LK-4030", "Forbidden", why);
        Self::with(StatusCode::FORBIDDEN, Some(ErrorCode::InsufficientScope), body)
    }

    /// In the caller's spelling.
    pub(crate) fn spelled(mut self, spelling: Spelling) -> Self {
        self.body.spelling = spelling;
        self
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

/// A response that may hold a secret.
pub(crate) fn thunder_json(
    status: StatusCode,
    location: Option<&str>,
    body: &impl Serialize,
) -> Result<HttpResponse, ThunderError> {
    let body = serde_json::to_vec(body).map_err(|error| ThunderError::fault(&error))?;
    let mut response = no_store(status);
    if let Some(location) = location {
        response.insert_header((LOCATION, location));
    }
    Ok(response.insert_header(ContentType::json()).body(body))
}

impl From<RejectedApplication> for ThunderError {
    fn from(RejectedApplication { code, description }: RejectedApplication) -> Self {
        let error = Self::bad_request(code.as_str(), code.message(), description);
        if code == ApplicationCode::NotFound {
            return Self { status: StatusCode::NOT_FOUND, code: Some(ErrorCode::NotFound), ..error };
        }
        error
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
        match error {
            EditError::Forbidden(_) | EditError::InsufficientPrivilege(_) => {
                Self::forbidden(error.to_string())
            }
            EditError::NotFound(_) => Failure::UnknownPath.into(),
            EditError::Store(error) => error.into(),
            EditError::Hash(_) | EditError::Busy | EditError::Contended => Self::unavailable(&error),
            _ => Self::fault(&error),
        }
    }
}

impl From<TokenError> for ThunderError {
    fn from(error: TokenError) -> Self {
        Self::invalid_assertion(error.description())
    }
}
