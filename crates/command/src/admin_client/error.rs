//! Why a command of the admin client failed, and its exit code.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::process::exit_code_of_status;
use administration::documents::{BrokenTokensView, LiveCredential};
use administration::edit::EditError;
use keys::SealError;
use serde::Deserialize;

/// An error with its own exit code. Nothing was changed, unless the connection to the server broke.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminApiError {
    #[error(transparent)]
    Refused(ApiProblem),
    #[error("{0}")]
    NotFound(String),
    #[error("cannot reach the server")]
    Unreachable(#[from] reqwest::Error),
    #[error("cannot open the store")]
    StoreNotOpen(#[from] storage::OpenError),
    #[error(
        "the store at {0} does not have the schema of this version. Start the server or run `latchkey migrate`"
    )]
    NoStore(String),
    #[error(
        "no access token. Set LATCHKEY_TOKEN, or LATCHKEY_CLIENT_ID and LATCHKEY_CLIENT_SECRET_FILE, or pass --token-file, or \
             --as-client and --as-client-secret-file"
    )]
    NoToken,
}

#[derive(Debug, Default)]
pub(crate) struct ApiProblem {
    pub(crate) status: u16,
    pub(crate) detail: String,
    pub(crate) errors: Vec<ApiFieldError>,
    /// The tokens that a command would break, if the command needs a confirmation.
    pub(crate) breaks: Option<Vec<BrokenTokensView>>,
    /// The credentials that would gain a permission, if the request must say which to keep.
    pub(crate) credentials: Option<Vec<LiveCredential>>,
    /// Why the store or the sealing service failed. Only known without a server.
    pub(crate) cause: Option<Arc<EditError>>,
}

/// An error in the document that the command sent.
#[derive(Debug, Deserialize)]
pub(crate) struct ApiFieldError {
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

impl AdminApiError {
    /// 3 not found, 4 conflict or stale, 5 not allowed, 6 not available, 1 any other error;
    /// docs/command-line.md has the table.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(problem) => problem.exit_code(),
            Self::NotFound(_) => 3,
            Self::NoToken => 5,
            Self::Unreachable(_) | Self::StoreNotOpen(_) | Self::NoStore(_) => 6,
        }
    }
}

impl ApiProblem {
    fn exit_code(&self) -> u8 {
        match (self.status, self.cause.as_deref()) {
            (_, Some(EditError::Seal(SealError::Unavailable(_)))) => 6,
            // This is not an outage: the same command would fail again.
            (_, Some(EditError::Seal(_) | EditError::Unreadable(_))) => 1,
            (status, _) => exit_code_of_status(status),
        }
    }
}

impl Error for ApiProblem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref()?.source()
    }
}

impl fmt::Display for ApiProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cause) = &self.cause {
            return write!(f, "{cause}");
        }
        if self.errors.is_empty() {
            return write!(f, "{}", self.detail);
        }
        let errors = self.errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail));
        f.write_str(&errors.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use tenancy::StoreError;

    use super::*;

    fn problem(status: u16) -> ApiProblem {
        ApiProblem { status, detail: "no".to_owned(), ..ApiProblem::default() }
    }

    #[test]
    fn the_status_decides_the_exit_code() {
        for (status, code) in [
            (404, 3),
            (409, 4),
            (412, 4),
            (401, 5),
            (403, 5),
            (408, 6),
            (429, 6),
            (500, 6),
            (503, 6),
            (400, 1),
            (413, 1),
            (422, 1),
        ] {
            assert_eq!(AdminApiError::Refused(problem(status)).exit_code(), code, "{status}");
        }
        assert_eq!(AdminApiError::NoToken.exit_code(), 5);
        assert_eq!(AdminApiError::NotFound("no client has this id".to_owned()).exit_code(), 3);
    }

    #[test]
    fn all_errors_of_a_document_are_shown() {
        let error = |pointer: &str| ApiFieldError { pointer: pointer.to_owned(), detail: "wrong".to_owned() };
        let errors = vec![error("/name"), error("/scopes/0")];
        assert_eq!(ApiProblem { errors, ..problem(400) }.to_string(), "/name: wrong; /scopes/0: wrong");
        assert_eq!(problem(409).to_string(), "no");
    }

    #[test]
    fn cause_of_an_error_is_shown_in_process() {
        let of = |status, cause: EditError| ApiProblem { cause: Some(Arc::new(cause)), ..problem(status) };
        let store = of(503, StoreError::unavailable("no connection").into());
        assert_eq!(store.to_string(), "the store is unavailable");
        assert_eq!(store.source().unwrap().to_string(), "no connection");
        let down = SealError::Unavailable(Arc::new(std::io::Error::other("down")));
        for (problem, code) in [
            (store, 6),
            (of(503, EditError::Busy), 6),
            (of(503, down.into()), 6),
            (of(500, SealError::Failed.into()), 1),
            (of(500, EditError::Unreadable("no JSON".into())), 1),
        ] {
            assert_eq!(problem.exit_code(), code, "{problem}");
        }
    }
}
