//! The checks of what a client presents beside a request, as lines: each in the order of the server, with what it looked at.

use keys::{DescribedCheck, Inspection, TokenKind};
use protocol::{CredentialReason, Timestamp};

use super::explain::{Line, Status, time, value};

/// A proof or an assertion with its checks.
pub(super) struct Presented {
    pub(super) kind: TokenKind,
    /// The check that failed, and the reason of a request.
    pub(super) failed: Option<(&'static str, &'static CredentialReason)>,
    /// Whether its signature was checked.
    pub(super) is_verified: bool,
    /// Where the keys are from.
    pub(super) keys: Option<String>,
    pub(super) lines: Vec<Line>,
}

/// One check.
pub(super) struct Checked<C> {
    pub(super) check: C,
    /// Why it says nothing.
    pub(super) lacks: Option<&'static str>,
    /// The member that it looks at.
    pub(super) member: Option<String>,
    pub(super) expected: String,
}

/// The lines of checks, of which the named one failed and those after it were not made.
pub(super) fn lines<C: DescribedCheck>(
    checks: impl Iterator<Item = Checked<C>>,
    failed: Option<&str>,
) -> Vec<Line> {
    let mut is_reached = true;
    let line = |Checked { check, lacks, member, expected }: Checked<C>| {
        let status = match failed {
            Some(failed) if failed == check.name() => Status::Failed,
            _ if !is_reached => Status::NotReached,
            _ if lacks.is_some() => Status::NotChecked,
            _ => Status::Passed,
        };
        is_reached &= status != Status::Failed;
        let found = match status {
            Status::Passed | Status::Failed => member,
            Status::NotChecked => lacks.map(str::to_owned),
            Status::NotReached => None,
        };
        let fix = (status == Status::Failed).then(|| check.fix());
        Line { check: check.name(), status, found, expected, fix }
    };
    checks.map(line).collect()
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
