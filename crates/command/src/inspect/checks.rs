//! Checks as lines, in the order of the server. A line has the checked value, the expected one, and how to
//! fix it. It decides nothing.

use std::borrow::Cow;

use keys::{CheckOutcome, DescribedCheck, Inspection, ObjectMembers};
use serde::Serialize;
use serde_json::Value;
use values::Timestamp;

use super::times::instant;

/// How a check went, in words for people and programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CheckStatus {
    Passed,
    Failed,
    NotReached,
    NotChecked,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct CheckLine {
    pub(super) check: &'static str,
    pub(super) status: CheckStatus,
    /// The value that the check looked at; of a check that was not made, what it lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    pub(super) expected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<Cow<'static, str>>,
}

/// What is said of a check beside its name and its fix.
pub(super) struct CheckText {
    /// Why it says nothing, though nothing before it fails.
    pub(super) lacks: Option<&'static str>,
    /// The value that it looks at.
    pub(super) found: Option<String>,
    pub(super) expected: String,
}

/// The lines of checks with these outcomes.
pub(super) fn lines<C: DescribedCheck, E>(
    checks: impl IntoIterator<Item = (C, CheckOutcome<E>)>,
    say: impl Fn(C) -> CheckText,
) -> Vec<CheckLine> {
    let line = |(check, outcome): (C, CheckOutcome<E>)| {
        let CheckText { lacks, found, expected } = say(check);
        let status = match outcome {
            CheckOutcome::Passed | CheckOutcome::NotChecked if lacks.is_some() => CheckStatus::NotChecked,
            CheckOutcome::Passed => CheckStatus::Passed,
            CheckOutcome::Failed(_) => CheckStatus::Failed,
            CheckOutcome::NotReached => CheckStatus::NotReached,
            CheckOutcome::NotChecked => CheckStatus::NotChecked,
        };
        let found = match status {
            CheckStatus::Passed | CheckStatus::Failed => found,
            CheckStatus::NotChecked => lacks.map(str::to_owned),
            CheckStatus::NotReached => None,
        };
        let fix = (status == CheckStatus::Failed).then(|| check.fix().into());
        CheckLine { check: check.name(), status, found, expected, fix }
    };
    checks.into_iter().map(line).collect()
}

impl CheckLine {
    /// The rows of a table. The last column has the longer texts.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        let (status, failed) = match self.status {
            CheckStatus::Passed => ("passed", None),
            CheckStatus::Failed => ("FAILED", Some(&self.expected)),
            CheckStatus::NotReached => ("not reached", None),
            CheckStatus::NotChecked => ("not checked", None),
        };
        // A check that passed and has no value shows its rule.
        let rule = (self.status == CheckStatus::Passed).then(|| self.expected.clone());
        let found = self.found.clone().or(rule).unwrap_or_default();
        let expected = failed.map(|expected| format!("expected: {expected}"));
        let fix = self.fix.as_ref().map(|fix| format!("fix: {fix}"));
        let below = [expected, fix].into_iter().flatten().map(|text| [String::new(), String::new(), text]);
        std::iter::once([status.to_owned(), self.check.to_owned(), found]).chain(below).map(Vec::from)
    }
}

/// The member that a check of this name looked at.
pub(super) fn member(name: &str, inspection: &Inspection, now: Timestamp) -> Option<String> {
    let (header, claims) = (inspection.header.as_ref(), inspection.claims.as_ref());
    let instant = |name| time(claims, name, now).or_else(|| value(claims, name));
    match name {
        "alg" | "typ" | "kid" => value(header, name),
        "sub" | "iss" | "aud" | "jti" | "htm" | "htu" | "iat" | "ath" => value(claims, name),
        "exp" => instant(name),
        "nbf" => instant(name).or_else(|| instant("iat")),
        _ => None,
    }
}

pub(super) fn value(members: Option<&ObjectMembers>, name: &str) -> Option<String> {
    let (_, value) = members?.iter().find(|(member, _)| member == name)?;
    Some(text(value))
}

pub(super) fn time(members: Option<&ObjectMembers>, name: &str, now: Timestamp) -> Option<String> {
    let (_, value) = members?.iter().find(|(member, _)| member == name)?;
    value.as_u64().map(|seconds| instant(Timestamp::from_seconds(seconds), now))
}

/// A text as it is, all else as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
