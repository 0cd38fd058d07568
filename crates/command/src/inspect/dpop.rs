//! `latchkey inspect` of a DPoP proof: makes every check of a request for which the options describe the
//! request.

use keys::{DescribedCheck as _, JwtKind, outcomes_until};
use registry::{DpopCheck, KnownRequest};

use super::arguments::InspectArguments;
use super::checks::{CheckText, lines, member};
use super::expected::{ExpectedToken, presented};
use super::input;
use super::report::InspectionReport;

/// The report of a proof for the request that the options describe. `None` without such options. No key is
/// needed, because a proof contains its key.
pub(super) fn inspect(
    arguments: &InspectArguments,
    proof: &str,
    expected: &ExpectedToken,
) -> anyhow::Result<Option<InspectionReport>> {
    let InspectArguments { method, url, access_token, .. } = arguments;
    if method.is_none() && url.is_none() && access_token.is_none() {
        return Ok(None);
    }
    let access_token = access_token.as_deref().map(input::read).transpose()?;
    let known = KnownRequest {
        method: method.as_deref(),
        url: url.as_deref(),
        access_token: access_token.as_ref().map(|token| token.as_str()),
    };
    let (found, inspection) = (known.inspect(proof, expected.now), presented(proof));
    let failed = found.err();
    let say = |check: DpopCheck| CheckText {
        lacks: lacks(check, &known),
        found: member(check.name(), &inspection, expected.now),
        expected: match check {
            DpopCheck::Method => known.method.unwrap_or(check.rule()).to_owned(),
            DpopCheck::Uri => known.url.unwrap_or(check.rule()).to_owned(),
            _ => check.rule().to_owned(),
        },
    };
    let checks = lines(outcomes_until(DpopCheck::ALL, failed), say);
    let failed = failed.map(|check| (check.name(), check.reason().code));
    let mut report = InspectionReport::of_jwt(JwtKind::DpopProof, failed, true, checks, inspection, expected);
    report.keys = found.ok().map(|key| format!("the key in the proof, with thumbprint {key}"));
    Ok(Some(report))
}

/// Why a check was not made.
fn lacks(check: DpopCheck, known: &KnownRequest<'_>) -> Option<&'static str> {
    match check {
        DpopCheck::Method if known.method.is_none() => Some("pass --method"),
        DpopCheck::Uri if known.url.is_none() => Some("pass --url"),
        DpopCheck::Token if known.access_token.is_none() => Some("pass --access-token"),
        DpopCheck::Nonce => Some("only the server knows its nonces"),
        DpopCheck::Restore => Some("only the server knows when it was restored"),
        DpopCheck::Replay => Some("only the server knows which IDs were used"),
        _ => None,
    }
}
