//! One check in words: the value that it looked at, what was expected, and how to fix it. It decides nothing.

use keys::{Check, DescribedCheck as _, Inspection, Members, Outcome};
use protocol::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::expected::{Expected, Revocation};
use super::times::instant;

/// How a check went, in words for people and programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Passed,
    Failed,
    NotReached,
    NotChecked,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) check: &'static str,
    pub(super) status: Status,
    /// The value that the check looked at; of a check that was not made, what it lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    pub(super) expected: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fix: Option<&'static str>,
}

impl Line {
    pub(super) fn of(
        check: Check,
        outcome: Outcome,
        token: &str,
        inspection: &Inspection,
        expected: &Expected,
    ) -> Self {
        let lacks =
            expected.lacks(check).filter(|_| matches!(outcome, Outcome::Passed | Outcome::NotChecked));
        let status = match outcome {
            _ if lacks.is_some() => Status::NotChecked,
            Outcome::Passed => Status::Passed,
            Outcome::Failed(_) => Status::Failed,
            Outcome::NotReached => Status::NotReached,
            Outcome::NotChecked => Status::NotChecked,
        };
        let is_failed = status == Status::Failed;
        let found = match status {
            Status::Passed => found(check, token, inspection, expected.now),
            Status::Failed => {
                inspection.place.clone().or_else(|| found(check, token, inspection, expected.now))
            }
            Status::NotChecked => lacks.map(str::to_owned),
            Status::NotReached => None,
        };
        Self {
            check: check.name(),
            status,
            found,
            expected: expected.of(check),
            fix: is_failed.then(|| check.fix()),
        }
    }
}

impl Line {
    /// Whether the sender may use the token without a proof. An inspection knows no request, so it does not judge the proof.
    pub(super) fn of_confirmation(outcome: Outcome, claims: Option<&Members>) -> Self {
        let (status, found) = match outcome {
            Outcome::Passed => (Status::Passed, Some("no `cnf`".to_owned())),
            Outcome::NotReached => (Status::NotReached, None),
            Outcome::Failed(_) | Outcome::NotChecked => (
                Status::NotChecked,
                value(claims, "cnf").map(|cnf| format!("it needs the proof of a key beside it: {cnf}")),
            ),
        };
        let expected = "no `cnf`; a token with one is valid only beside a DPoP proof of its key, or over a connection with its certificate";
        Self { check: "cnf", status, found, expected: expected.to_owned(), fix: None }
    }

    /// Whether the token is revoked, which its server knows.
    pub(super) fn of_revocation(revocation: &Revocation, is_reached: bool) -> Self {
        let (status, found) = match revocation {
            Revocation::Unknown(why) => (Status::NotChecked, Some(why)),
            _ if !is_reached => (Status::NotReached, None),
            Revocation::No(found) => (Status::Passed, Some(found)),
            Revocation::By(found) => (Status::Failed, Some(found)),
        };
        let fix = "fetch a new token; one that has ended is never valid again";
        Self {
            check: "revoked",
            status,
            found: found.cloned(),
            expected: "not revoked: for its tenant, its client, its secret or key, or by its `jti`"
                .to_owned(),
            fix: (status == Status::Failed).then_some(fix),
        }
    }
}

impl Expected {
    /// Why a check says nothing.
    fn lacks(&self, check: Check) -> Option<&'static str> {
        match check {
            Check::Key | Check::KeyAlgorithm | Check::Signature if self.keys.is_none() => {
                Some("there are no keys: give --jwks or --tenant")
            }
            Check::Issuer if self.issuers.is_none() => Some("give --issuer"),
            Check::Audience if self.audience.is_none() => Some("give --audience"),
            Check::KindClaims if !self.requires_claims() => Some("give --tenant or --jwks"),
            _ => None,
        }
    }

    /// What a check expects.
    fn of(&self, check: Check) -> String {
        let now = self.now.to_rfc3339();
        let until = || (self.now + self.leeway).to_rfc3339();
        match check {
            Check::Issuer => self.issuers.as_ref().map_or(check.rule().to_owned(), |all| all.join(" or ")),
            Check::Key if self.known.is_empty() => {
                "a `kid` of the key set, which has no usable key".to_owned()
            }
            Check::Key => self.known_keys(),
            Check::KeyAlgorithm | Check::Signature => {
                format!("{}; known: {}", check.rule(), self.known_keys())
            }
            Check::Expiry => format!("later than {now}; there is no leeway"),
            Check::NotBefore | Check::IssuedAt => {
                format!("not later than {} ({now} and {} of leeway)", until(), self.leeway)
            }
            Check::Typ => format!("{} (case and a prefix `application/` do not count)", self.typ),
            Check::Audience => self.audience.clone().unwrap_or_else(|| check.rule().to_owned()),
            _ => check.rule().to_owned(),
        }
    }

    pub(super) fn known_keys(&self) -> String {
        let keys = self.known.iter().map(|key| format!("{} ({})", key.kid, key.words));
        keys.collect::<Vec<_>>().join(", ")
    }
}

/// The value that a check looked at.
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
        Check::Issuer => value(claims, "iss"),
        Check::Key | Check::Signature => value(header, "kid").or_else(|| Some("no `kid`".to_owned())),
        Check::Expiry => time(claims, "exp", now),
        Check::NotBefore => time(claims, "nbf", now),
        Check::IssuedAt => time(claims, "iat", now),
        Check::Typ => Some(value(header, "typ").unwrap_or_else(|| "no `typ`".to_owned()))
            .map(|typ| format!("{typ}: {}", inspection.kind.description())),
        Check::Audience => value(claims, "aud"),
        // The others look at no value of their own.
        _ => None,
    }
}

fn members(members: &Members) -> String {
    match members.len() {
        1 => "1 member".to_owned(),
        number => format!("{number} members"),
    }
}

pub(super) fn value(members: Option<&Members>, name: &str) -> Option<String> {
    let (_, value) = members?.iter().find(|(member, _)| member == name)?;
    Some(text(value))
}

pub(super) fn time(members: Option<&Members>, name: &str, now: Timestamp) -> Option<String> {
    let (_, value) = members?.iter().find(|(member, _)| member == name)?;
    value.as_u64().map(|seconds| instant(Timestamp::from_seconds(seconds), now))
}

/// A text as it is, all else as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
