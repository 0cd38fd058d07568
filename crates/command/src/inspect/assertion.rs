//! `latchkey inspect` of a client's assertion: makes every check of a request for which the options name the
//! client and the tenant.

use keys::{DescribedCheck as _, JwtKind, outcomes_until};
use registry::{AssertionCheck, ClientId, KnownClient};

use super::checks::{CheckText, lines, member};
use super::expected::{ExpectedToken, presented};
use super::report::InspectionReport;

pub(super) fn inspect(
    client: Option<&ClientId>,
    assertion: &str,
    expected: &ExpectedToken,
) -> InspectionReport {
    let audiences: Vec<_> = expected.issuers.iter().flatten().chain(&expected.audience).cloned().collect();
    let known = KnownClient {
        client_id: client.map(ClientId::as_str),
        audiences: &audiences,
        keys: expected.keys.as_ref(),
    };
    let found = known.inspect(assertion, expected.now);
    let inspection = presented(assertion);
    let failed = found.as_ref().err().copied();
    let say = |check: AssertionCheck| CheckText {
        lacks: lacks(check, &known),
        found: member(check.name(), &inspection, expected.now).or_else(|| match check {
            AssertionCheck::Type => Some("no `typ`".to_owned()),
            AssertionCheck::Key => Some("no `kid`".to_owned()),
            _ => None,
        }),
        expected: match check {
            AssertionCheck::Subject => known.client_id.unwrap_or(check.rule()).to_owned(),
            AssertionCheck::Key if known.keys.is_some() => {
                format!("{}; known: {}", check.rule(), expected.known.join(", "))
            }
            AssertionCheck::Audience if !audiences.is_empty() => audiences.join(" or "),
            _ => check.rule().to_owned(),
        },
    };
    let checks = lines(outcomes_until(AssertionCheck::ALL, failed), say);
    let failed = failed.map(|check| (check.name(), check.reason().code));
    let is_verified = known.keys.is_some();
    let kind = JwtKind::ClientAssertion;
    let mut report = InspectionReport::of_jwt(kind, failed, is_verified, checks, inspection, expected);
    if let (Some(source), Ok(Some(key))) = (&mut report.keys, found) {
        source.push_str(&format!(", thumbprint of the signing key: {key}"));
    }
    report
}

/// Why a check was not made.
fn lacks(check: AssertionCheck, known: &KnownClient<'_>) -> Option<&'static str> {
    match check {
        AssertionCheck::Subject if known.client_id.is_none() => Some("pass --client"),
        AssertionCheck::Key | AssertionCheck::Signature if known.keys.is_none() => {
            Some("there are no keys. Pass --jwks with the key set of the client")
        }
        AssertionCheck::Audience if known.audiences.is_empty() => Some("pass --issuer"),
        AssertionCheck::Restore => Some("only the server knows when it was restored"),
        AssertionCheck::Replay => Some("only the server knows which IDs were used"),
        _ => None,
    }
}
