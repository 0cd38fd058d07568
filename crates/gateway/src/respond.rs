//! Turns results and errors into HTTP responses.

mod document;
mod error_help;
mod http_error;
mod json;
mod no_store;
mod oauth_error;
mod problem;
mod protective;

pub(crate) use document::{ResponseDocument, changed, created, looked_at, looked_at_as};
pub(crate) use error_help::{error_help, help_link, link_help};
pub use http_error::take_unserved;
pub(crate) use http_error::{DPOP_NONCE, ErrorBody, HttpError, ResourceErrorBody, retry_after};
pub(crate) use json::{APPLICATION_JSON, created_secret_json, fresh_json, secret_document, secret_json};
pub(crate) use no_store::no_store;
pub(crate) use oauth_error::{OAuthError, OAuthResult};
#[cfg(test)]
pub(crate) use problem::codes as problem_codes;
pub(crate) use problem::{Problem, ProblemDocument};
pub(crate) use protective::Protective;
