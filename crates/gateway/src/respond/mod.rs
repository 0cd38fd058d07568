//! From answers and refusals to HTTP responses.

mod json;
mod refusal;

pub(crate) use json::{fresh_json, secret_json};
pub(crate) use refusal::Refusal;
