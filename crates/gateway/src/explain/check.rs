//! A check of an explanation, and a refusal that the caller of the token endpoint would see.

use administration::ExplainedCheck;
use protocol::RefusalReason;

use super::request::ExplainedRequest;
use crate::respond::OAuthError;

/// A refusal by the token endpoint.
pub(super) struct EndpointRefusal {
    pub(super) check: String,
    pub(super) error: OAuthError,
    /// `None` where it depends on what is not known.
    pub(super) reason: Option<RefusalReason>,
}

impl EndpointRefusal {
    pub(super) fn by(check: impl Into<String>, error: impl Into<OAuthError>) -> Self {
        let error = error.into();
        Self { check: check.into(), reason: Some(error.refused.reason), error }
    }
}

/// A check that passes.
pub(super) fn passed(name: &str, detail: impl Into<String>) -> ExplainedCheck {
    check(name, "passed", detail.into())
}

/// A check that depends on what is not known or is refused.
pub(super) fn not_checked(name: &str, detail: impl Into<String>) -> ExplainedCheck {
    check(name, "not_checked", detail.into())
}

/// A check that refuses, with its own sentence. Not each refusal has a reason in the log.
pub(super) fn refused_by(
    name: &str,
    reason: Option<RefusalReason>,
    detail: impl Into<String>,
    fix: impl Into<String>,
) -> ExplainedCheck {
    ExplainedCheck {
        reason: reason.map(|reason| reason.as_str().to_owned()),
        fix: Some(fix.into()).filter(|fix| !fix.is_empty()),
        ..check(name, "refused", detail.into())
    }
}

impl ExplainedRequest<'_> {
    /// A check that refuses the request, with the sentences of the reason.
    pub(super) fn refused(&self, name: &str, reason: RefusalReason) -> ExplainedCheck {
        let (detail, fix) = self.advice(reason);
        refused_by(name, Some(reason), detail, fix)
    }
}

fn check(name: &str, result: &str, detail: String) -> ExplainedCheck {
    ExplainedCheck { name: name.to_owned(), result: result.to_owned(), detail, ..ExplainedCheck::default() }
}
