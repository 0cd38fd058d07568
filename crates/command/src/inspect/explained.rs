//! Turns a server's explanation into lines of the report.

use std::borrow::Cow;

use administration::documents::ExplainedCheck;

use super::checks::{CheckLine, CheckStatus};

/// A check that a server makes. Explanations use the same name.
#[derive(Clone, Copy)]
pub(super) struct RuledCheck {
    pub(super) name: &'static str,
    pub(super) rule: &'static str,
}

/// A line of the report, with the reason for a refusal if the check failed.
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

    /// Finds this check in an explanation and returns its line.
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

/// Returns the name of the first failed check with its reason, and all lines.
pub(super) fn first_failure(
    checked: impl IntoIterator<Item = CheckReason>,
) -> (Option<(&'static str, Cow<'static, str>)>, Vec<CheckLine>) {
    let (lines, reasons): (Vec<_>, Vec<_>) = checked.into_iter().unzip();
    let failed = lines.iter().zip(reasons).find_map(|(line, reason)| Some((line.check, reason?)));
    (failed, lines)
}
