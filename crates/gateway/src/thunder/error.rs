//! Errors of the Thunder-compatible API: `{"code","message","description"}`. The current generation
//! has a translation key next to each text.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, HttpResponseBuilder};
use administration::documents::application::ApplicationError;
use administration::documents::schema::JsonSchema;
use administration::edit::EditError;
use keys::{Refused as _, TokenError};
use protocol::{ErrorCode, RefusalReason, TokenType};
use serde::Serialize;

use super::Spelling;
use super::code::{self, Code};
use crate::request::ServerFailure;
use crate::respond::{ErrorBody, HttpError};

const REALM: &str = "latchkey-applications";

pub(crate) type ThunderError = HttpError<ThunderBody>;

pub(crate) type ThunderResult<T = HttpResponse> = Result<T, ThunderError>;

#[derive(Debug)]
pub(crate) struct ThunderBody {
    pub(super) code: &'static Code,
    pub(super) description: String,
    spelling: Spelling,
}

impl ErrorBody for ThunderBody {
    fn from_failure(failure: ServerFailure<'_>) -> Self {
        let code = match failure {
            ServerFailure::UnknownPath | ServerFailure::UnknownTenant => {
                return Self::new(code::NOT_SERVED, "This path does not exist");
            }
            ServerFailure::TooManyWrites(_) | ServerFailure::TooManyReports => {
                let description = "Too many writes; try again later";
                return Self::new(code::TOO_MANY_WRITES, description);
            }
            ServerFailure::MethodNotAllowed(_) => code::METHOD_NOT_ALLOWED,
            ServerFailure::Misdirected => code::MISDIRECTED,
            ServerFailure::RepeatedAuthorization
            | ServerFailure::CertificateHeader(_)
            | ServerFailure::Body(_) => code::INVALID_REQUEST,
            ServerFailure::Unavailable => code::UNAVAILABLE,
            ServerFailure::Internal => code::INTERNAL,
        };
        Self::new(code, failure.detail())
    }

    fn help(&self) -> &'static str {
        self.code.0
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        let Self { code: Code(code, message), description, spelling } = self;
        let body = match spelling {
            Spelling::Snake => {
                serde_json::to_vec(&CodedError { code, message: *message, description: description.as_str() })
            }
            Spelling::Camel => {
                let key = format!("error.{}", code.to_ascii_lowercase().replace('-', "."));
                let about = format!("{key}.description");
                let message = Keyed { key: &key, default_value: message };
                let description = Keyed { key: &about, default_value: description };
                serde_json::to_vec(&CodedError { code, message, description })
            }
        };
        Some(body.unwrap_or_default())
    }
}

impl ThunderBody {
    fn new(code: &'static Code, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), spelling: Spelling::Snake }
    }
}

impl HttpError<ThunderBody> {
    /// 400: a rule refuses the request.
    pub(super) fn new(code: &'static Code, description: impl Into<String>) -> Self {
        let body = ThunderBody::new(code, description);
        Self::with(StatusCode::BAD_REQUEST, Some(ErrorCode::InvalidRequest), code.reason(), body)
    }

    /// No assertion was sent (RFC 6750 §3.1).
    pub(crate) fn assertion_required() -> Self {
        let why = "Send the assertion from /flow/execute as Authorization: Bearer";
        let refused = Self::unauthorized(RefusalReason::TokenMissing, why);
        refused.with_token_challenge(TokenType::Bearer, REALM, None, None)
    }

    pub(crate) fn invalid_assertion(reason: RefusalReason, why: &'static str) -> Self {
        let error = (ErrorCode::InvalidToken, why);
        Self::unauthorized(reason, why).with_token_challenge(TokenType::Bearer, REALM, Some(error), None)
    }

    fn unauthorized(reason: RefusalReason, why: &'static str) -> Self {
        let body = ThunderBody::new(code::UNAUTHORIZED, why);
        Self::with(StatusCode::UNAUTHORIZED, Some(ErrorCode::InvalidToken), reason, body)
    }

    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        let body = ThunderBody::new(code::FORBIDDEN, why);
        let reason = RefusalReason::InsufficientScope;
        Self::with(StatusCode::FORBIDDEN, Some(ErrorCode::InsufficientScope), reason, body)
    }

    /// Uses the caller's spelling.
    pub(crate) fn spelled(mut self, spelling: Spelling) -> Self {
        self.body.spelling = spelling;
        self
    }
}

/// An error, with its members in the documented order.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Coded")]
pub(crate) struct CodedError<'a, T> {
    /// For programs.
    #[schemars(example = &"APP-1020")]
    code: &'a str,
    #[schemars(example = &"Application already exists")]
    message: T,
    description: T,
}

/// A text of an error, in the spelling of the request.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "the variants are read by the derive, at compile time")]
pub(crate) enum ErrorText {
    /// In the documented generation.
    Plain(String),
    /// In the current generation.
    Keyed(Keyed<'static>),
}

/// A text, with a key that a caller can use to translate it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "KeyedText")]
pub(crate) struct Keyed<'a> {
    key: &'a str,
    default_value: &'a str,
}

pub(crate) fn thunder_json(
    mut response: HttpResponseBuilder,
    spelling: Spelling,
    body: &impl Serialize,
) -> ThunderResult {
    let body = spelling.to_json(body).map_err(|error| ThunderError::fault(&error))?;
    Ok(response.insert_header(ContentType::json()).body(body))
}

impl From<ApplicationError> for ThunderError {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::NotFound => Self {
                status: StatusCode::NOT_FOUND,
                code: Some(ErrorCode::NotFound),
                ..Self::new(code::NOT_FOUND, "No application has this id")
            },
            ApplicationError::NameTaken => {
                Self::new(code::NAME_EXISTS, "Another application of this tenant has the same name")
            }
            ApplicationError::ClientIdChanged => {
                let why = "You cannot change the client_id of an application; create another application";
                Self::new(code::INVALID_CLIENT_ID, why)
            }
            ApplicationError::ClientDeleted => Self::new(
                code::CLIENT_ID_EXISTS,
                "The application's client was deleted and its id stays reserved; delete the application too",
            ),
            ApplicationError::Client(EditError::Conflict(message)) => {
                Self::new(code::CLIENT_ID_EXISTS, message)
            }
            ApplicationError::Client(EditError::Invalid(errors)) => {
                let is_id = errors.iter().any(|error| error.pointer == "/client_id");
                let code = if is_id { code::INVALID_CLIENT_ID } else { code::INVALID_OAUTH_CONFIG };
                let details: Vec<_> = errors.into_iter().map(|error| error.detail).collect();
                Self::new(code, details.join("; "))
            }
            ApplicationError::Client(error @ EditError::LimitReached(_)) => {
                Self::new(code::INVALID_OAUTH_CONFIG, error.to_string())
            }
            ApplicationError::Client(error) | ApplicationError::Edit(error) => error.into(),
        }
    }
}

impl From<EditError> for ThunderError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(_) | EditError::InsufficientPrivilege(_) => {
                Self::forbidden(error.to_string())
            }
            EditError::NotFound(_) => ServerFailure::UnknownPath.into(),
            EditError::Store(error) => error.into(),
            EditError::Hash(_) | EditError::Busy | EditError::Contended => Self::unavailable(&error),
            _ => Self::fault(&error),
        }
    }
}

impl From<TokenError> for ThunderError {
    fn from(error: TokenError) -> Self {
        Self::invalid_assertion(error.reason(), error.description())
    }
}
