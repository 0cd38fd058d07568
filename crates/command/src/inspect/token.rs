//! `latchkey inspect` of a token: makes every check of its tenant's server or of an API for which the options
//! give the expected values.

use keys::{
    Check, CheckOutcome, DescribedCheck as _, Inspection, JwtKind, ObjectMembers, Refused as _, TokenError,
};
use values::Timestamp;

use super::checks::{CheckLine, CheckStatus, CheckText, lines, time, value};
use super::expected::ExpectedToken;
use super::report::InspectionReport;

pub(super) fn inspect(token: &str, expected: &ExpectedToken) -> anyhow::Result<InspectionReport> {
    let (inspection, confirmation) = expected.judge(token)?;
    let failed_by_itself = inspection.failed();
    let say = |check| {
        let place = inspection.place.clone().filter(|_| failed_by_itself == Some(check));
        CheckText {
            lacks: expected.lacks(check),
            found: place.or_else(|| found(check, token, &inspection, expected.now)),
            expected: expected.of(check),
        }
    };
    let mut checks = lines(inspection.checks.iter().copied(), say);
    checks.push(confirmation_line(confirmation, inspection.claims.as_ref()));
    checks.push(revocation_line(&expected.revocation, failed_by_itself.is_none()));
    let is_revoked = expected.revocation.0 == CheckStatus::Failed;
    let error = inspection.verdict().err().or(is_revoked.then_some(TokenError::Revoked));
    let failed = failed_by_itself.map_or("revoked", Check::name);
    let failed = error.map(|error| (failed, error.reason().as_str()));
    let kind = inspection.kind;
    // If the header cannot be read, the kind is unknown.
    let is_of_other_kind = kind != JwtKind::AccessToken && inspection.header.is_some();
    let checks_of_kind = kind.checks().iter().map(|check| check.name()).collect();
    let is_verified = expected.keys.is_some();
    let mut report = InspectionReport::of_jwt(kind, failed, is_verified, checks, inspection, expected);
    report.checks_of_kind = is_of_other_kind.then_some(checks_of_kind);
    Ok(report)
}

/// Whether the sender may use the token without a proof. Without a request, the proof itself cannot be
/// checked.
fn confirmation_line(outcome: CheckOutcome, claims: Option<&ObjectMembers>) -> CheckLine {
    let (status, found) = match outcome {
        CheckOutcome::Passed => (CheckStatus::Passed, Some("no `cnf`".to_owned())),
        CheckOutcome::NotReached => (CheckStatus::NotReached, None),
        CheckOutcome::Failed(_) | CheckOutcome::NotChecked => (
            CheckStatus::NotChecked,
            value(claims, "cnf").map(|cnf| {
                format!("the token is bound to a key, so the caller must also send a proof: {cnf}")
            }),
        ),
    };
    let expected = "no `cnf`; a token with `cnf` is only valid together with a DPoP proof of the same key, or over a connection with the same \
         certificate";
    CheckLine { check: "cnf", status, found, expected: expected.to_owned(), fix: None }
}

/// Whether the token is revoked. Only its server knows.
fn revocation_line((status, found): &(CheckStatus, String), is_reached: bool) -> CheckLine {
    let status = if is_reached { *status } else { CheckStatus::NotReached };
    let expected = "not revoked, neither by `jti` nor through its tenant, client, secret or key";
    let fix = "fetch a new token; a revoked token never becomes valid again";
    CheckLine {
        check: "revoked",
        status,
        found: is_reached.then(|| found.clone()),
        expected: expected.to_owned(),
        fix: (status == CheckStatus::Failed).then_some(fix.into()),
    }
}

impl ExpectedToken {
    /// Why a check was not made.
    fn lacks(&self, check: Check) -> Option<&'static str> {
        match check {
            Check::Key | Check::KeyAlgorithm | Check::Signature if self.keys.is_none() => {
                Some("there are no keys. Pass --jwks or --tenant")
            }
            Check::Issuer if self.issuers.is_none() => Some("pass --issuer"),
            Check::Audience if self.audience.is_none() => Some("pass --audience"),
            Check::KindClaims if !self.requires_claims() => Some("pass --tenant or --jwks"),
            _ => None,
        }
    }

    /// The expected value of a check.
    fn of(&self, check: Check) -> String {
        let now = self.now.to_rfc3339();
        let until = || (self.now + self.leeway).to_rfc3339();
        match check {
            Check::Issuer => self.issuers.as_ref().map_or(check.rule().to_owned(), |all| all.join(" or ")),
            Check::Key if self.known.is_empty() => {
                "the `kid` of a key in the key set, but the key set has no usable key".to_owned()
            }
            Check::Key => self.known.join(", "),
            Check::KeyAlgorithm | Check::Signature => {
                format!("{}; known: {}", check.rule(), self.known.join(", "))
            }
            Check::Expiry => format!("later than {now}; there is no leeway"),
            Check::NotBefore | Check::IssuedAt => {
                format!("not later than {} ({now} and {} of leeway)", until(), self.leeway)
            }
            Check::Typ => {
                format!("{} (case-insensitive, with or without the prefix `application/`)", self.typ)
            }
            Check::Audience => self.audience.clone().unwrap_or_else(|| check.rule().to_owned()),
            _ => check.rule().to_owned(),
        }
    }
}

/// The value that a check examined.
fn found(check: Check, token: &str, inspection: &Inspection, now: Timestamp) -> Option<String> {
    let (header, claims) = (inspection.header.as_ref(), inspection.claims.as_ref());
    match check {
        Check::Length => Some(format!("{} bytes", token.len())),
        Check::HeaderObject => header.map(members),
        Check::ClaimsObject => claims.map(members),
        Check::HeaderMembers => {
            Some(header?.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "))
        }
        Check::Algorithm | Check::KeyAlgorithm => value(header, "alg"),
        Check::Key | Check::Signature => value(header, "kid").or_else(|| Some("no `kid`".to_owned())),
        Check::Expiry | Check::NotBefore | Check::IssuedAt => time(claims, check.name(), now),
        Check::Typ => {
            let typ = value(header, "typ").unwrap_or_else(|| "no `typ`".to_owned());
            Some(format!("{typ}: {}", inspection.kind.description()))
        }
        Check::Issuer | Check::Audience => value(claims, check.name()),
        // The other checks examine no value of their own.
        _ => None,
    }
}

fn members(members: &ObjectMembers) -> String {
    match members.len() {
        1 => "1 member".to_owned(),
        number => format!("{number} members"),
    }
}
