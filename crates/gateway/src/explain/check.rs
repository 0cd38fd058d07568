//! A check of an explanation, and a refusal of the token endpoint.

use administration::documents::ExplainedCheck;
use protocol::RefusalReason;

use super::request::ExplainedRequest;
use crate::respond::OAuthError;

pub(super) struct EndpointRefusal {
    pub(super) check: String,
    pub(super) error: OAuthError,
    /// `None` if the reason is not certain.
    pub(super) reason: Option<RefusalReason>,
}

impl EndpointRefusal {
    pub(super) fn by(check: impl Into<String>, error: impl Into<OAuthError>) -> Self {
        let error = error.into();
        Self { check: check.into(), reason: Some(error.refused.reason), error }
    }
}

pub(super) fn passed(name: &str, detail: impl Into<String>) -> ExplainedCheck {
    check(name, "passed", detail.into())
}

/// A check that cannot run because it depends on something unknown or refused.
pub(super) fn not_checked(name: &str, detail: impl Into<String>) -> ExplainedCheck {
    check(name, "not_checked", detail.into())
}

/// `reason` is `None` if the log would have no reason.
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
    pub(super) fn refused(&self, name: &str, reason: RefusalReason) -> ExplainedCheck {
        let (detail, fix) = self.advice(reason);
        refused_by(name, Some(reason), detail, fix)
    }
}

fn check(name: &str, result: &str, detail: String) -> ExplainedCheck {
    ExplainedCheck { name: name.to_owned(), result: result.to_owned(), detail, ..ExplainedCheck::default() }
}
