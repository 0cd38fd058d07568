//! Why a backend refused a request, and the exit code of the command.

use std::fmt;
use std::path::PathBuf;

use administration::{BrokenTokensView, EditError};
use keys::SealError;
use serde::Deserialize;

/// Nothing was changed, unless the server could not be asked to the end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminClientError {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(transparent)]
    Refused(ApiProblem),
    #[error("the server cannot be asked")]
    Unreachable(#[source] reqwest::Error),
    #[error("the server's answer is not one of this API's: {0}")]
    NotUnderstood(String),
    #[error("the store cannot be opened")]
    StoreNotOpen(#[source] Box<crate::start_error::StartError>),
    #[error("no token: set LATCHKEY_TOKEN, or give --token-file, or --as-client and --as-client-secret-file")]
    NoToken,
    #[error("{} cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    #[error("{0}")]
    Unusable(String),
}

/// What a server answers instead of a document.
#[derive(Debug)]
pub(crate) struct ApiProblem {
    pub(crate) status: u16,
    pub(crate) detail: String,
    pub(crate) errors: Vec<ApiFieldError>,
    /// What would break, where it is not done before the asker says that he knows.
    pub(crate) breaks: Option<Vec<BrokenTokensView>>,
}

/// What is wrong with what was sent.
#[derive(Debug, Deserialize)]
pub(crate) struct ApiFieldError {
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

impl AdminClientError {
    /// 3 not found, 4 conflict or stale, 5 not allowed, 6 not available, 1 all else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Edit(error) => match error {
                EditError::NotFound(_) => 3,
                EditError::Conflict(_)
                | EditError::LimitReached(_)
                | EditError::Stale
                | EditError::Contended => 4,
                EditError::Forbidden(_) | EditError::InsufficientPrivilege(_) => 5,
                EditError::Store(_)
                | EditError::Busy
                | EditError::Hash(_)
                | EditError::Seal(SealError::Unavailable(_)) => 6,
                EditError::Invalid(_)
                | EditError::IdempotencyKeyReused
                | EditError::Seal(_)
                | EditError::Unreadable(_) => 1,
            },
            Self::Refused(refusal) => match refusal.status {
                404 => 3,
                409 | 412 => 4,
                401 | 403 => 5,
                408 | 429 | 500.. => 6,
                _ => 1,
            },
            Self::Unreachable(_) => 6,
            Self::StoreNotOpen(error) if error.is_about_the_store() => 6,
            Self::NoToken => 5,
            Self::StoreNotOpen(_) | Self::NotUnderstood(_) | Self::Unreadable(..) | Self::Unusable(_) => 1,
        }
    }
}

impl std::error::Error for ApiProblem {}

impl fmt::Display for ApiProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            return write!(f, "{}", self.detail);
        }
        let faults: Vec<String> =
            self.errors.iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect();
        f.write_str(&faults.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use administration::{FieldError as EditFieldError, Permission};

    use super::*;

    #[test]
    fn both_backends_end_with_the_same_exit_code() {
        let refused = |status| {
            AdminClientError::Refused(ApiProblem {
                status,
                detail: String::new(),
                errors: Vec::new(),
                breaks: None,
            })
        };
        for (edit, status, code) in [
            (EditError::NotFound("tenant"), 404, 3),
            (EditError::Conflict("taken".to_owned()), 409, 4),
            (EditError::LimitReached("full".to_owned()), 409, 4),
            (EditError::Stale, 412, 4),
            (EditError::Forbidden(Permission::Tenants), 403, 5),
            (EditError::InsufficientPrivilege("no".to_owned()), 403, 5),
            (EditError::Busy, 503, 6),
            (EditError::Seal(SealError::Unavailable(Arc::new(std::io::Error::other("down")))), 503, 6),
            (EditError::Invalid(vec![EditFieldError::at("/name", "too long")]), 400, 1),
            (EditError::IdempotencyKeyReused, 422, 1),
        ] {
            assert_eq!(AdminClientError::Edit(edit).exit_code(), code);
            assert_eq!(refused(status).exit_code(), code, "{status}");
        }
        assert_eq!(refused(401).exit_code(), 5);
        assert_eq!(AdminClientError::NoToken.exit_code(), 5);
    }

    #[test]
    fn both_backends_report_field_errors_in_the_same_words() {
        let fault = |pointer: &str| EditFieldError::at(pointer, "fix it");
        let edit = EditError::Invalid(vec![fault("/name"), fault("/scopes/0")]);
        let errors = ["/name", "/scopes/0"]
            .map(|pointer| ApiFieldError { pointer: pointer.to_owned(), detail: "fix it".to_owned() });
        let refusal = ApiProblem {
            status: 400,
            detail: "what was sent".to_owned(),
            errors: errors.into(),
            breaks: None,
        };
        assert_eq!(refusal.to_string(), edit.to_string());
    }
}
