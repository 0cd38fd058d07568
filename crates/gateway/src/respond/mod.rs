//! From answers and refusals to HTTP responses.

mod coded;
mod document;
mod json;
mod key_fault;
mod problem;
mod protective;
mod refusal;

pub(crate) use coded::{Coded, coded_json};
pub(crate) use document::{Document, changed, looked_at, looked_at_as, names_tag};
pub(crate) use json::{fresh_json, secret_json};
pub(crate) use problem::Problem;
pub(crate) use protective::Protective;
pub(crate) use refusal::Refusal;
