//! `latchkey inspect` of a client's assertion: each check of a request, as far as the options say which client it is of, and for which tenant.

use keys::{DescribedCheck as _, TokenKind};
use registry::{AssertionCheck, ClientId, KnownClient};

use super::InspectArguments;
use super::expected::{Expected, unverified};
use super::presented::{Checked, Presented, lines, member};

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
        let found = known.inspect(assertion, expected.now);
        let inspection = unverified(assertion);
        let failed = found.as_ref().err().map(|check| (check.name(), check.reason()));
        let check = |check: AssertionCheck| Checked {
            check,
            lacks: lacks(check, &known),
            member: member(check.name(), &inspection, expected.now).or_else(|| match check {
                AssertionCheck::Type => Some("no `typ`".to_owned()),
                AssertionCheck::Key => Some("no `kid`".to_owned()),
                _ => None,
            }),
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
            keys: match found {
                Ok(Some(key)) => {
                    source.map(|source| format!("{source}; the thumbprint of the one that signed is {key}"))
                }
                _ => source,
            },
            lines: lines(AssertionCheck::ALL.iter().copied().map(check), failed.map(|(check, _)| check)),
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
