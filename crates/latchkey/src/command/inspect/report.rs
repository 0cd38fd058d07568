//! What an inspection shows: the verdict, each check, header and claims. The signature is never shown, so the output cannot be used as a token.

use keys::{Check, Members, Outcome, Refused as _, TokenError, TokenKind};
use protocol::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::expected::{Expected, Revocation};
use super::explain::{Line, Status, text};
use super::input::without_secrets;
use super::presented::Presented;
use super::times::{instant, span};
use crate::command::output::{json, narrow};

/// Whether a verifier with these expectations accepts the token, or a listener the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// All checks that were made have passed, the signature among them.
    Valid,
    /// A check has failed.
    Refused,
    /// No check has failed, and the signature was not checked.
    Unverified,
}

/// All that is shown.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    verdict: Verdict,
    /// As in the log line of a refused request.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The check that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<&'static str>,
    kind: &'static str,
    /// Of a token of another kind: the checks that hold for it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks_of_kind: Option<Vec<&'static str>>,
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keys: Option<String>,
    notes: Vec<String>,
    checks: Vec<Line>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "object")]
    header: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "object")]
    claims: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifetime: Option<Span>,
    #[serde(skip)]
    now: Timestamp,
}

/// From `iat` to `exp`, in seconds.
#[derive(Debug, Serialize)]
struct Span {
    issued_at: String,
    expires_at: String,
    seconds: u64,
    /// Zero after the end.
    seconds_left: u64,
}

/// The claims that are instants (RFC 7519 §4.1, OpenID Connect Core §2).
const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

impl Report {
    pub(super) fn new(token: &str, expected: &Expected) -> anyhow::Result<Self> {
        let (inspection, confirmation) = expected.judge(token)?;
        let line =
            |&(check, outcome): &(Check, Outcome)| Line::of(check, outcome, token, &inspection, expected);
        let mut checks: Vec<_> = inspection.checks.iter().map(line).collect();
        checks.push(Line::of_confirmation(confirmation, inspection.claims.as_ref()));
        let by_itself = inspection.verdict().err();
        checks.push(Line::of_revocation(&expected.revocation, by_itself.is_none()));
        let is_revoked = matches!(expected.revocation, Revocation::By(_));
        let error = by_itself.or(is_revoked.then_some(TokenError::Revoked));
        let verdict = match error {
            Some(_) => Verdict::Refused,
            None if expected.keys.is_some() => Verdict::Valid,
            None => Verdict::Unverified,
        };
        let left_out = expected.left_out.iter().map(|key| format!("left out: {key}"));
        let kind = inspection.kind;
        let checks_of_kind = kind.checks().iter().map(|check| check.name()).collect();
        Ok(Self {
            verdict,
            reason: error.map(|error| error.reason().as_str()),
            failed: error.map(|_| inspection.failed().map_or("revoked", Check::name)),
            kind: kind.description(),
            // A header that cannot be read names no kind.
            checks_of_kind: (kind != TokenKind::AccessToken && inspection.header.is_some())
                .then_some(checks_of_kind),
            at: expected.now.to_rfc3339(),
            keys: expected.source.clone(),
            notes: expected.notes.iter().cloned().chain(left_out).collect(),
            checks,
            lifetime: inspection.claims.as_ref().and_then(|claims| Span::of(claims, expected.now)),
            header: inspection.header,
            claims: inspection.claims,
            now: expected.now,
        })
    }

    /// Of what a client presents.
    pub(super) fn of_presented(text: &str, presented: Presented, expected: &Expected) -> Self {
        let inspection = expected.inspect(text);
        let left_out = expected.left_out.iter().map(|key| format!("left out: {key}"));
        Self {
            verdict: match presented.failed {
                Some(_) => Verdict::Refused,
                None if presented.is_verified => Verdict::Valid,
                None => Verdict::Unverified,
            },
            reason: presented.failed.map(|(_, reason)| reason.code),
            failed: presented.failed.map(|(check, _)| check),
            kind: presented.kind.description(),
            checks_of_kind: None,
            at: expected.now.to_rfc3339(),
            keys: presented.keys,
            notes: left_out.collect(),
            checks: presented.lines,
            lifetime: inspection.claims.as_ref().and_then(|claims| Span::of(claims, expected.now)),
            header: inspection.header.map(without_private_members),
            claims: inspection.claims,
            now: expected.now,
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    /// For programs, without secrets that a claim may hold.
    pub(super) fn json(&self) -> String {
        without_secrets(&json(self))
    }

    /// At most 80 columns wide.
    pub(super) fn lines(&self) -> String {
        let mut shown = wrapped(self.summary().into_iter().map(|line| vec![line]));
        shown.push_str("\nCHECKS\n");
        shown.push_str(&wrapped(self.checks.iter().flat_map(rows)));
        for (name, members) in [("HEADER", &self.header), ("CLAIMS (unverified)", &self.claims)] {
            let Some(members) = members else { continue };
            let name = if self.is_valid() { name.trim_end_matches(" (unverified)") } else { name };
            shown.push_str(&format!("\n{name}\n"));
            let row = |(name, value): &(String, Value)| vec![name.clone(), self.value(name, value)];
            shown.push_str(&wrapped(members.iter().map(row)));
        }
        shown
    }

    fn summary(&self) -> Vec<String> {
        let mut lines = vec![match (self.verdict, self.failed, self.reason) {
            (Verdict::Refused, Some(failed), Some(reason)) => {
                format!("REFUSED by the check `{failed}` ({reason}).")
            }
            (Verdict::Valid, ..) => {
                format!("VALID: every check that was made has passed.{}", not_checked(&self.checks))
            }
            (Verdict::Unverified | Verdict::Refused, ..) => {
                "NOT VERIFIED: the signature is not checked, so any sender can have written this.".to_owned()
            }
        }];
        let with =
            self.keys.as_ref().map_or_else(|| "without keys".to_owned(), |keys| format!("with {keys}"));
        if self.header.is_some() {
            lines.push(format!("This is {}.", self.kind));
        }
        if let Some(checks) = &self.checks_of_kind {
            lines.push(format!(
                "The checks below are those of an access token. Of them these hold for its kind: {}.",
                checks.join(", ")
            ));
        }
        lines.push(format!("Checked for {}, {with}.", self.at));
        if let Some(Span { seconds, seconds_left, .. }) = &self.lifetime {
            let left = if *seconds_left == 0 { "none".to_owned() } else { span(*seconds_left) };
            lines.push(format!("Lifetime: {}, of which {left} is left.", span(*seconds)));
        }
        lines.extend(self.notes.iter().map(|note| format!("Note: {note}.")));
        lines
    }

    fn value(&self, name: &str, value: &Value) -> String {
        match value.as_u64().filter(|_| TIMES.contains(&name)) {
            Some(seconds) => format!("{seconds} = {}", instant(Timestamp::from_seconds(seconds), self.now)),
            None => text(value),
        }
    }
}

impl Span {
    fn of(claims: &Members, now: Timestamp) -> Option<Self> {
        let time = |name| claims.iter().find(|(claim, _)| claim == name)?.1.as_u64();
        let (iat, exp) = (time("iat")?, time("exp")?);
        Some(Self {
            issued_at: Timestamp::from_seconds(iat).to_rfc3339(),
            expires_at: Timestamp::from_seconds(exp).to_rfc3339(),
            seconds: exp.saturating_sub(iat),
            seconds_left: exp.saturating_sub(now.seconds()),
        })
    }
}

/// A private key in `jwk` refuses the proof, and is not shown.
fn without_private_members(mut header: Members) -> Members {
    const PUBLIC: [&str; 11] = ["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid", "ext"];
    let key = header.iter_mut().find(|(name, _)| name == "jwk");
    if let Some((_, Value::Object(members))) = key {
        members.retain(|name, _| PUBLIC.contains(&name.as_str()));
    }
    header
}

/// The checks that were not made, as the end of a summary.
pub(super) fn not_checked(checks: &[Line]) -> String {
    let lines = checks.iter().filter(|line| line.status == Status::NotChecked);
    let names: Vec<_> = lines.map(|line| line.check).collect();
    if names.is_empty() { String::new() } else { format!(" Not checked: {}.", names.join(", ")) }
}

/// Secrets are replaced before the lines break: a piece of a secret would not be found.
pub(super) fn wrapped(rows: impl Iterator<Item = Vec<String>>) -> String {
    let shown = |row: Vec<String>| row.iter().map(|cell| without_secrets(cell)).collect();
    narrow(&rows.map(shown).collect::<Vec<_>>())
}

pub(super) fn rows(line: &Line) -> Vec<Vec<String>> {
    let status = match line.status {
        Status::Passed => "passed",
        Status::Failed => "FAILED",
        Status::NotReached => "not reached",
        Status::NotChecked => "not checked",
    };
    let is_failed = line.status == Status::Failed;
    // A check that passed and has no value of its own shows what holds now.
    let rule = (line.status == Status::Passed).then(|| line.expected.clone());
    let found = line.found.clone().or(rule).unwrap_or_default();
    let more = [("expected", is_failed.then_some(line.expected.as_str())), ("fix", line.fix)];
    let more = more.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", text?)));
    let first = vec![status.to_owned(), line.check.to_owned(), found];
    std::iter::once(first).chain(more.map(|text| vec![String::new(), String::new(), text])).collect()
}

/// The members in the order of the token.
fn object<S: Serializer>(members: &Option<Members>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(members.iter().flatten().map(|(name, value)| (name, value)))
}
