//! The errors that all operations of an API can return. An operation lists only its own errors in
//! addition.

use serde_json::Value;

use super::HttpMethod;
use super::forms::Error;
use super::operation::{ErrorForm, JSON, Operation};
use crate::respond::ProblemDocument;
use crate::thunder::{CodedError, ErrorText};

type Coded = CodedError<'static, ErrorText>;

const SERVER: (&str, &str) = (
    "5XX",
    "500: the server failed, and its log says why; 503: the server cannot answer now, and Retry-After says \
        when to try again",
);
const BODY: [(&str, &str); 4] = [
    ("400", "The request is malformed"),
    ("408", "Head not complete within 5 s or body not within 10 s"),
    ("413", "Body over 65536 bytes"),
    ("415", "The media type of the body is not supported"),
];
const MISDIRECTED: (&str, &str) = ("421", "Not served for the name in the Host header");
const ADMINISTRATION: [(&str, &str); 3] = [
    ("400", "The body or the query has errors; each error has its location"),
    ("401", "The token is missing or not valid here, with WWW-Authenticate: Bearer"),
    ("403", "The token lacks the scope, or its client lacks the privilege"),
];
const NOT_FOUND: (&str, &str) = ("404", "It does not exist, or the caller is not allowed to know about it");
const WRITES: [(&str, &str); 2] = [
    ("409", "It conflicts with the current state, or it was changed at the same time"),
    ("429", "Too many writes; Retry-After"),
];

impl Operation {
    /// Errors in the form of the operation's API, each with its status.
    pub(crate) fn errors(self, errors: &[(&str, &str)]) -> Self {
        errors.iter().fold(self, |operation, (status, description)| operation.error(status, description))
    }

    pub(crate) fn error(self, status: &str, description: &str) -> Self {
        match self.form {
            ErrorForm::OAuth => self.answer_of::<Error>(status, description, JSON),
            ErrorForm::Problem => {
                self.answer_of::<ProblemDocument>(status, description, "application/problem+json")
            }
            ErrorForm::Coded => self.answer_of::<Coded>(status, description, JSON),
        }
    }

    /// Adds the common errors that the operation does not describe itself.
    pub(crate) fn with_common_errors(self) -> Self {
        let mut common = vec![SERVER];
        let has_typed_body = self.form != ErrorForm::Coded;
        if self.object.get("requestBody").is_some() {
            common.extend(BODY.into_iter().filter(|(status, _)| has_typed_body || *status != "415"));
        }
        if self.form != ErrorForm::OAuth {
            common.push(MISDIRECTED);
        }
        if self.form == ErrorForm::Problem {
            common.extend(ADMINISTRATION);
            common.extend(self.path.contains('{').then_some(NOT_FOUND));
            common.extend(if self.method == HttpMethod::Get { [].as_slice() } else { &WRITES });
        }
        common.into_iter().fold(self, |operation, (status, description)| {
            let is_described = |responses: &Value| responses.get(status).is_some();
            if is_described(&operation.object["responses"]) {
                return operation;
            }
            operation.error(status, description)
        })
    }
}
