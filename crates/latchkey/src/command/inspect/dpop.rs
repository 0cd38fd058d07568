//! `latchkey inspect` of a DPoP proof: each check of a request, as far as the options say what the request is.

use keys::{DescribedCheck as _, TokenKind};
use registry::{DpopCheck, KnownRequest};
use zeroize::Zeroizing;

use super::InspectArguments;
use super::expected::Expected;
use super::input;
use super::presented::{Checked, Presented, lines, member};

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

    /// The judgement of a proof for this request. Its key is its own.
    pub(super) fn judge(&self, proof: &str, expected: &Expected) -> Presented {
        let known = KnownRequest {
            method: self.method.as_deref(),
            url: self.url.as_deref(),
            access_token: self.access_token.as_ref().map(|token| token.as_str()),
        };
        let (found, inspection) = (known.inspect(proof, expected.now), expected.inspect(proof));
        let failed = found.err().map(|check| (check.name(), check.reason()));
        let check = |check: DpopCheck| Checked {
            check,
            lacks: self.lacks(check),
            member: member(check.name(), &inspection, expected.now),
            expected: self.expected(check),
        };
        Presented {
            kind: TokenKind::DpopProof,
            failed,
            is_verified: true,
            keys: found.ok().map(|key| format!("its own key, whose thumbprint is {key}")),
            lines: lines(DpopCheck::ALL.iter().copied().map(check), failed.map(|(check, _)| check)),
        }
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
