//! An answer of the admin API: a document or an error.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use administration::documents;
use administration::edit::EditError;
use anstream::stderr;
use anyhow::anyhow;
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::{AdminApiError, ApiFieldError, ApiProblem};
use super::error_names::{name_of, rows_of};
use super::request::ApiRequest;

/// The error for an answer that is not from this API.
pub(crate) fn not_understood(why: &dyn fmt::Display) -> anyhow::Error {
    anyhow!("the response is not from this version's API: {why}")
}

pub(crate) struct ApiAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// The cause of an error that a server would only log.
    pub(super) cause: Option<Arc<EditError>>,
}

impl ApiAnswer {
    /// Reads the whole body. An error answer is accepted even if its body is lost.
    pub(super) async fn from_response(response: Response) -> Result<Self, AdminApiError> {
        let status = response.status();
        let body = match response.bytes().await {
            Err(_) if !status.is_success() => Vec::new(),
            body => body?.to_vec(),
        };
        Ok(Self { status, body: Zeroizing::new(body), cause: None })
    }

    /// Whether the store did not answer the commit, so that it is unknown whether the commit succeeded.
    pub(super) fn may_be_done(&self) -> bool {
        let problem = || serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        self.status.is_server_error() && problem()["type"] == "urn:latchkey:problem:outcome-unknown"
    }

    /// Prints the warnings about settings without effect, for the row and for a client that was created with
    /// it.
    pub(super) fn print_warnings(&self, request: &ApiRequest) {
        // The document may contain a new secret.
        let document = documents::Wiped::new(serde_json::from_slice(&self.body).unwrap_or_default());
        for row in [&*document, &document["client"]] {
            let warnings =
                Vec::<documents::FieldErrorView>::deserialize(&row["warnings"]).unwrap_or_default();
            for documents::FieldErrorView { pointer, detail } in warnings {
                let value = row.pointer(&pointer).and_then(Value::as_str);
                let name = name_of(&pointer, request.method == Method::POST, value);
                let place = if name.is_empty() { name } else { format!("{name}: ") };
                let _ = writeln!(stderr(), "warning: {}", values::printable(&format!("{place}{detail}")));
            }
        }
    }

    /// The document of a successful answer. Use `()` for an answer without a document.
    pub(crate) fn document<T: DeserializeOwned>(self) -> anyhow::Result<T> {
        if !self.status.is_success() {
            return Err(AdminApiError::Refused(self.problem()).into());
        }
        let text = if self.body.is_empty() { b"null" } else { self.body.as_slice() };
        let document = documents::read_own_json(documents::Pointer::Root, text)
            .and_then(|document| serde_json::from_value(document.take()));
        document.map_err(|error| not_understood(&error))
    }

    /// The documents of a successful answer, one for each line.
    pub(super) fn lines<T: DeserializeOwned>(self) -> anyhow::Result<Vec<T>> {
        if !self.status.is_success() {
            return Err(AdminApiError::Refused(self.problem()).into());
        }
        let lines = self.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| not_understood(&error))).collect()
    }

    /// The document of a successful answer. An error names the rows of the request, and calls fields as the
    /// command line does.
    pub(super) fn document_of<T: DeserializeOwned>(self, request: &ApiRequest) -> anyhow::Result<T> {
        if self.status.is_success() {
            return self.document();
        }
        let mut problem = self.problem();
        if problem.status == 404 {
            problem.detail = format!("{}: {}", problem.detail, rows_of(&request.path, &problem.detail));
        }
        let is_new = request.method == Method::POST;
        for error in &mut problem.errors {
            let value = request.body.as_ref().and_then(|body| body.pointer(&error.pointer));
            // Most details already contain the value.
            let value = value.and_then(Value::as_str).filter(|_| !error.detail.contains('`'));
            error.pointer = name_of(&error.pointer, is_new, value);
        }
        Err(AdminApiError::Refused(problem).into())
    }

    /// Reads problem details (RFC 9457), or the error of a token endpoint (RFC 6749 §5.2).
    fn problem(self) -> ApiProblem {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let detail = text("detail").or_else(|| text("error_description")).or_else(|| text("title"));
        let errors = serde_json::from_value::<Vec<ApiFieldError>>(body["errors"].clone());
        ApiProblem {
            status: self.status.as_u16(),
            detail: detail.unwrap_or_else(|| format!("the server responded with {}", self.status)),
            errors: errors.unwrap_or_default(),
            breaks: body.get("breaks").and_then(|breaks| serde_json::from_value(breaks.clone()).ok()),
            credentials: body.get("credentials").and_then(|list| serde_json::from_value(list.clone()).ok()),
            cause: self.cause,
        }
    }
}
