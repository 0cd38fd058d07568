//! The report of an inspection: the verdict, each check, header and claims. The signature is never shown, so
//! nobody can use the output as a token.

use std::borrow::Cow;

use gateway::TokenExplanation;
use keys::{Inspection, JwtKind, ObjectMembers};
use serde::Serialize;
use serde_json::Value;
use values::Timestamp;

use super::checks::{CheckLine, CheckStatus, text};
use super::content::{self, ChainLink, Content, TIMES, TokenSpan};
use super::expected::ExpectedToken;
use super::input::without_secrets;
use super::times::{instant, span};
use crate::output::{CellRows, Layout, json, report};

/// Whether a verifier with these expectations accepts the token, a listener accepts the certificate, or the
/// tenant accepts the API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Acceptance {
    /// All checks that were made have passed, including the signature.
    Valid,
    /// A check has failed.
    Refused,
    /// No check has failed, but the signature was not checked.
    Unverified,
}

/// Everything that the command shows.
#[derive(Debug, Serialize)]
pub(super) struct InspectionReport {
    verdict: Acceptance,
    /// The word in the log line of a refused request.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'static, str>>,
    /// The name of the failed check.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'static str>,
    kind: &'static str,
    /// The checks that a token of another kind would have to pass, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checks_of_kind: Option<Vec<&'static str>>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<Vec<String>>,
    checks: Vec<CheckLine>,
    #[serde(flatten)]
    content: Content,
    #[serde(skip)]
    now: Timestamp,
}

impl InspectionReport {
    /// `failed` is the failed check, with the reason that a request would get.
    pub(super) fn new(
        kind: &'static str,
        failed: Option<(&'static str, Cow<'static, str>)>,
        is_verified: bool,
        checks: Vec<CheckLine>,
        content: Content,
        now: Timestamp,
    ) -> Self {
        Self {
            verdict: match &failed {
                Some(_) => Acceptance::Refused,
                None if is_verified => Acceptance::Valid,
                None => Acceptance::Unverified,
            },
            failed: failed.as_ref().map(|(check, _)| *check),
            reason: failed.map(|(_, reason)| reason),
            kind,
            checks_of_kind: None,
            at: now.to_rfc3339(),
            keys: None,
            notes: None,
            checks,
            content,
            now,
        }
    }

    /// The report of a token, or of another JWT that a client presents.
    pub(super) fn of_jwt(
        kind: JwtKind,
        failed: Option<(&'static str, &'static str)>,
        is_verified: bool,
        checks: Vec<CheckLine>,
        Inspection { header, claims, .. }: Inspection,
        expected: &ExpectedToken,
    ) -> Self {
        let lifetime = claims.as_ref().and_then(|claims| TokenSpan::new(claims, expected.now));
        let content = Content::Jwt { header, claims, lifetime };
        let left_out = expected.left_out.iter().map(|key| format!("left out: {key}"));
        Self {
            keys: expected.source.clone(),
            notes: Some(expected.notes.iter().cloned().chain(left_out).collect()),
            ..Self::new(
                kind.description(),
                failed.map(|(check, reason)| (check, reason.into())),
                is_verified,
                checks,
                content,
                expected.now,
            )
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.verdict == Acceptance::Valid
    }

    /// The report as JSON. Secrets in claims are replaced.
    pub(super) fn json(&self) -> String {
        without_secrets(&json(self))
    }

    /// The lines, at most 80 columns wide.
    pub(super) fn lines(&self) -> String {
        let summary = self.summary().into_iter().map(|line| vec![line]).collect();
        let parts = self.parts().map(|(name, rows)| (name, Layout::Columns, shown(rows)));
        report(Layout::Columns.lines(shown(summary)), parts)
    }

    /// The report for a page. Secrets in claims are replaced.
    pub(super) fn explanation(&self) -> TokenExplanation {
        TokenExplanation {
            is_accepted: match self.verdict {
                Acceptance::Valid => Some(true),
                Acceptance::Refused => Some(false),
                Acceptance::Unverified => None,
            },
            summary: shown(vec![self.summary()]).concat(),
            sections: self.parts().map(|(name, found)| (name.to_owned(), shown(found))).collect(),
        }
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = vec![match (self.verdict, self.failed, &self.reason) {
            (Acceptance::Refused, Some(failed), Some(reason)) => {
                format!("REFUSED by the check `{failed}` ({reason}).")
            }
            (Acceptance::Valid, ..) => {
                format!("VALID: all checks that were made passed.{}", self.not_checked())
            }
            (Acceptance::Unverified | Acceptance::Refused, ..) => {
                format!("NOT VERIFIED: {}", self.content.doubt())
            }
        }];
        let Content::Jwt { header, lifetime, .. } = &self.content else {
            lines.push(format!("This is {}, checked as of {}.", self.kind, self.at));
            return lines;
        };
        if header.is_some() {
            lines.push(format!("This is {}.", self.kind));
        }
        if let Some(checks) = &self.checks_of_kind {
            lines.push(format!(
                "The checks below are for access tokens. These checks also apply to this kind of token: {}.",
                checks.join(", ")
            ));
        }
        let with = self.keys.as_ref().map_or("without keys".to_owned(), |keys| format!("with {keys}"));
        lines.push(format!("Checked as of {}, {with}.", self.at));
        if let Some(TokenSpan { seconds, seconds_left, .. }) = lifetime {
            let left = if *seconds_left == 0 { "none".to_owned() } else { span(*seconds_left) };
            lines.push(format!("Lifetime: {}, {left} left.", span(*seconds)));
        }
        lines.extend(self.notes.iter().flatten().map(|note| format!("Note: {note}.")));
        lines
    }

    /// The last part of a summary: the checks that were not made.
    fn not_checked(&self) -> String {
        let lines = self.checks.iter().filter(|line| line.status == CheckStatus::NotChecked);
        let names: Vec<_> = lines.map(|line| line.check).collect();
        if names.is_empty() { String::new() } else { format!(" Not checked: {}.", names.join(", ")) }
    }

    /// The checks and the content, each with a heading.
    fn parts(&self) -> impl Iterator<Item = (&'static str, Vec<Vec<String>>)> {
        let checks = self.checks.iter().flat_map(CheckLine::rows).collect();
        std::iter::once(("CHECKS", checks)).chain(self.sections())
    }

    /// The parts of the content, each with a heading.
    fn sections(&self) -> Vec<(&'static str, Vec<Vec<String>>)> {
        match &self.content {
            Content::Jwt { header, claims, .. } => {
                let row = |(name, value): &(String, Value)| vec![name.clone(), self.value(name, value)];
                let rows = |members: &ObjectMembers| members.iter().map(row).collect();
                let claims_name = if self.is_valid() { "CLAIMS" } else { "CLAIMS (unverified)" };
                let parts = [("HEADER", header), (claims_name, claims)];
                parts.into_iter().filter_map(|(name, part)| Some((name, part.as_ref().map(rows)?))).collect()
            }
            Content::Certificate { certificate, chain } => {
                let own = certificate
                    .iter()
                    .map(|facts| ("CERTIFICATE", content::rows_of_certificate(facts, self.now)));
                let beside = ("OTHER CERTIFICATES", chain.iter().map(ChainLink::row).collect());
                own.chain((!chain.is_empty()).then_some(beside)).collect()
            }
            Content::Opaque { key } => vec![("TOKEN", vec![vec!["key".to_owned(), key.clone()]])],
            Content::ApiKey { brand, id, api_key } => {
                vec![("API KEY", content::rows_of_api_key(brand, id, api_key.as_ref(), self.now))]
            }
        }
    }

    fn value(&self, name: &str, value: &Value) -> String {
        match value.as_u64().filter(|_| TIMES.contains(&name)) {
            Some(seconds) => format!("{seconds} = {}", instant(Timestamp::from_seconds(seconds), self.now)),
            None => text(value),
        }
    }
}

/// Replaces secrets before lines are broken, because a secret that is broken in two would not be found.
fn shown(rows: CellRows) -> CellRows {
    rows.iter().map(|row| row.iter().map(|cell| without_secrets(cell)).collect()).collect()
}
