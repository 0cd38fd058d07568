//! The Thunder-compatible API: an adapter that translates its requests into administration's and answers in
//! its own codes, spellings and shapes. An application is a client of the tenant and a row beside it.

pub(crate) mod applications;
pub(crate) mod flow;

mod document;
mod request;
mod rules;
mod spelling;
mod uris;
mod view;

mod code;
mod error;

/// All codes, for the test of the page that explains them.
#[cfg(test)]
pub(crate) fn codes() -> Vec<&'static str> {
    code::ALL.map(|code| code.0).to_vec()
}

pub(crate) use document::ApplicationDocument;
pub(crate) use error::{CodedError, ErrorText, ThunderError, ThunderResult, thunder_json};
pub(crate) use flow::{FlowAnswer, FlowRequest};
#[cfg(test)]
pub(crate) use request::ApplicationRequest;
pub(crate) use spelling::Spelling;
pub(crate) use view::ApplicationPage;
