//! `latchkey inspect` of a client's assertion: each check of a request, as far as the options say which client it is of, and for which tenant.

use keys::{DescribedCheck as _, Inspection, TokenKind};
use protocol::Timestamp;
use registry::{AssertionCheck, AssertionInspection, ClientId, KnownClient};

use super::InspectArguments;
use super::expected::{Expected, unverified};
use super::explain::{time, value};
use super::presented::{Checked, Presented, lines};

/// The client that an assertion is presented for.
pub(super) struct AssertedClient(Option<ClientId>);

impl AssertedClient {
    /// `None` where the token is inspected as another kind: neither the options nor its type say that it is an assertion.
    pub(super) fn of(arguments: &InspectArguments, token: &str) -> Option<Self> {
        let InspectArguments { client, tenant, typ, .. } = arguments;
        let is_named =
            || tenant.is_none() && typ.is_none() && unverified(token).kind == TokenKind::ClientAssertion;
        (client.is_some() || is_named()).then(|| Self(client.clone()))
    }

    /// The judgement of its assertion.
    pub(super) fn judge(&self, assertion: &str, expected: &Expected) -> Presented {
        let audiences: Vec<_> =
            expected.issuers.iter().flatten().chain(&expected.audience).cloned().collect();
        let known = KnownClient {
            client_id: self.0.as_ref().map(ClientId::as_str),
            audiences: &audiences,
            keys: expected.keys.as_ref(),
        };
        let found = AssertionInspection::of(assertion, &known, expected.now);
        let inspection = unverified(assertion);
        let failed = found.failed.map(|(check, reason)| (check.name(), reason));
        let check = |check: AssertionCheck| Checked {
            check,
            lacks: lacks(check, &known),
            member: member(check, &inspection, expected.now),
            expected: match check {
                AssertionCheck::Subject => known.client_id.unwrap_or(check.rule()).to_owned(),
                AssertionCheck::Key if known.keys.is_some() => {
                    format!("{}; known: {}", check.rule(), expected.known_keys())
                }
                AssertionCheck::Audience if !audiences.is_empty() => audiences.join(" or "),
                _ => check.rule().to_owned(),
            },
        };
        let source = expected.source.clone();
        Presented {
            kind: TokenKind::ClientAssertion,
            failed,
            is_verified: known.keys.is_some(),
            keys: match found.key {
                Some(key) => {
                    source.map(|source| format!("{source}; the thumbprint of the one that signed is {key}"))
                }
                None => source,
            },
            lines: lines(AssertionCheck::ALL.into_iter().map(check), failed.map(|(check, _)| check)),
        }
    }
}

/// Why a check says nothing.
fn lacks(check: AssertionCheck, known: &KnownClient<'_>) -> Option<&'static str> {
    match check {
        AssertionCheck::Subject if known.client_id.is_none() => Some("give --client"),
        AssertionCheck::Key | AssertionCheck::Signature if known.keys.is_none() => {
            Some("there are no keys: give --jwks with the key set of the client")
        }
        AssertionCheck::Audience if known.audiences.is_empty() => Some("give --issuer"),
        AssertionCheck::Replay => Some("the server knows which were used"),
        _ => None,
    }
}

/// The member that a check looked at.
fn member(check: AssertionCheck, inspection: &Inspection, now: Timestamp) -> Option<String> {
    let (header, claims) = (inspection.header.as_ref(), inspection.claims.as_ref());
    let instant = |name| time(claims, name, now).or_else(|| value(claims, name));
    match check {
        AssertionCheck::Algorithm => value(header, "alg"),
        AssertionCheck::Type => value(header, "typ").or_else(|| Some("no `typ`".to_owned())),
        AssertionCheck::Subject => value(claims, "sub"),
        AssertionCheck::Key => value(header, "kid").or_else(|| Some("no `kid`".to_owned())),
        AssertionCheck::Issuer => value(claims, "iss"),
        AssertionCheck::Audience => value(claims, "aud"),
        AssertionCheck::Expiry => instant("exp"),
        AssertionCheck::Begin => instant("nbf").or_else(|| instant("iat")),
        AssertionCheck::Identifier => value(claims, "jti"),
        AssertionCheck::Form
        | AssertionCheck::Header
        | AssertionCheck::Signature
        | AssertionCheck::Claims
        | AssertionCheck::Lifetime
        | AssertionCheck::Replay => None,
    }
}
