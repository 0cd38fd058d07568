//! `latchkey inspect` of a DPoP proof: each check of a request, as far as the options say what the request is.

use keys::{Inspection, Members};
use protocol::Timestamp;
use registry::{DpopCheck, DpopInspection, KnownRequest};
use zeroize::Zeroizing;

use super::InspectArguments;
use super::explain::{Line, Status, value};
use super::input;

/// The request that the options describe.
pub(super) struct ProvenRequest {
    method: Option<String>,
    url: Option<String>,
    access_token: Option<Zeroizing<String>>,
}

impl ProvenRequest {
    /// `None` without any of the options.
    pub(super) fn load(arguments: &InspectArguments) -> anyhow::Result<Option<Self>> {
        let InspectArguments { method, url, access_token, .. } = arguments;
        if method.is_none() && url.is_none() && access_token.is_none() {
            return Ok(None);
        }
        let access_token = access_token.as_deref().map(input::read).transpose()?;
        Ok(Some(Self { method: method.clone(), url: url.clone(), access_token }))
    }

    /// The inspection of a proof for this request.
    pub(super) fn inspect(&self, proof: &str, now: Timestamp) -> DpopInspection {
        let known = KnownRequest {
            method: self.method.as_deref(),
            url: self.url.as_deref(),
            access_token: self.access_token.as_ref().map(|token| token.as_str()),
        };
        DpopInspection::of(proof, &known, now)
    }

    /// The lines of its checks.
    pub(super) fn lines(&self, found: &DpopInspection, inspection: &Inspection) -> Vec<Line> {
        let failed = found.failed.map(|(check, _)| check);
        let mut is_reached = true;
        let line = |check: DpopCheck| {
            let lacks = self.lacks(check);
            let status = match failed {
                Some(failed) if failed == check => Status::Failed,
                _ if !is_reached => Status::NotReached,
                _ if lacks.is_some() => Status::NotChecked,
                _ => Status::Passed,
            };
            is_reached &= status != Status::Failed;
            let shown = match status {
                Status::Passed | Status::Failed => {
                    member(check, inspection.header.as_ref(), inspection.claims.as_ref())
                }
                Status::NotChecked => lacks.map(str::to_owned),
                Status::NotReached => None,
            };
            Line {
                check: check.name(),
                status,
                found: shown,
                expected: self.expected(check),
                fix: (status == Status::Failed).then(|| check.fix()),
            }
        };
        DpopCheck::ALL.into_iter().map(line).collect()
    }

    /// Why a check says nothing.
    fn lacks(&self, check: DpopCheck) -> Option<&'static str> {
        match check {
            DpopCheck::Method if self.method.is_none() => Some("give --method"),
            DpopCheck::Uri if self.url.is_none() => Some("give --url"),
            DpopCheck::Token if self.access_token.is_none() => Some("give --access-token"),
            DpopCheck::Nonce => Some("the server knows its nonces"),
            DpopCheck::Replay => Some("the server knows which were used"),
            _ => None,
        }
    }

    fn expected(&self, check: DpopCheck) -> String {
        let known = match check {
            DpopCheck::Method => self.method.as_deref(),
            DpopCheck::Uri => self.url.as_deref(),
            _ => None,
        };
        known.unwrap_or(check.rule()).to_owned()
    }
}

/// The member that a check looked at.
fn member(check: DpopCheck, header: Option<&Members>, claims: Option<&Members>) -> Option<String> {
    match check {
        DpopCheck::Type => value(header, "typ"),
        DpopCheck::Algorithm => value(header, "alg"),
        DpopCheck::Method => value(claims, "htm"),
        DpopCheck::Uri => value(claims, "htu"),
        DpopCheck::Time => value(claims, "iat"),
        DpopCheck::Token => value(claims, "ath"),
        DpopCheck::Form
        | DpopCheck::Header
        | DpopCheck::Key
        | DpopCheck::Claims
        | DpopCheck::Nonce
        | DpopCheck::Signature
        | DpopCheck::Replay => None,
    }
}
