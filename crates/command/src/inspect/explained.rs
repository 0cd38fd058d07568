//! Lines for the checks that a server made, from its explanation.

use std::borrow::Cow;

use administration::documents::ExplainedCheck;

use super::checks::{CheckLine, CheckStatus};

/// A check of a server, with the name that an explanation uses, and its rule.
#[derive(Clone, Copy)]
pub(super) struct RuledCheck {
    pub(super) name: &'static str,
    pub(super) rule: &'static str,
}

/// A check, and the reason that a refusal would have.
pub(super) type CheckReason = (CheckLine, Option<Cow<'static, str>>);

impl RuledCheck {
    pub(super) fn line(self, status: CheckStatus, found: Option<String>) -> CheckReason {
        (CheckLine { check: self.name, status, found, expected: self.rule.to_owned(), fix: None }, None)
    }

    pub(super) fn refused(
        self,
        found: Option<String>,
        reason: impl Into<Cow<'static, str>>,
        fix: Option<Cow<'static, str>>,
    ) -> CheckReason {
        let (failed, _) = self.line(CheckStatus::Failed, found);
        (CheckLine { fix, ..failed }, Some(reason.into()))
    }

    /// The line for this check of an explanation.
    pub(super) fn explained<'a>(self, mut all: impl Iterator<Item = &'a ExplainedCheck>) -> CheckReason {
        match all.find(|made| made.name == self.name) {
            Some(made) if made.result == "passed" => {
                self.line(CheckStatus::Passed, Some(made.detail.clone()))
            }
            Some(made) if made.result == "refused" => {
                let reason = made.reason.clone().unwrap_or_default();
                self.refused(Some(made.detail.clone()), reason, made.fix.clone().map(Cow::from))
            }
            Some(made) => self.line(CheckStatus::NotChecked, Some(made.detail.clone())),
            None => self.line(CheckStatus::NotReached, None),
        }
    }
}

/// The first check that failed with its reason, and the lines.
pub(super) fn first_failure(
    checked: impl IntoIterator<Item = CheckReason>,
) -> (Option<(&'static str, Cow<'static, str>)>, Vec<CheckLine>) {
    let (lines, reasons): (Vec<_>, Vec<_>) = checked.into_iter().unzip();
    let failed = lines.iter().zip(reasons).find_map(|(line, reason)| Some((line.check, reason?)));
    (failed, lines)
}
