//! Explains an access token of the client: whether it is valid, what has revoked it, and whether the key of
//! the proof is the token's. The explanation decides nothing, and the holder of the token does not see it.

use administration::ExplainedCheck;
use grants::{ConstraintError, InspectedToken, UnconfirmedToken};
use keys::{Refused as _, TokenError};
use protocol::{Thumbprint, TokenType};
use registry::{RevokedBy, SenderKeys};
use tenancy::Tenant;

use super::check::{not_checked, passed, refused_by};
use super::proof::ExplainedProof;
use super::request::{ExplainedRequest, PresentedParts};
use crate::PresentedCertificates;
use crate::respond::Problem;

/// Checks the presented token, if there is one, with this proof.
///
/// # Errors
/// When keys or store fail: without them a token is neither valid nor revoked.
pub(super) async fn explain(
    request: &ExplainedRequest<'_>,
    tenant: &Tenant,
    presented: &PresentedParts,
    proof: Option<&ExplainedProof>,
) -> Result<Vec<ExplainedCheck>, Problem> {
    let Some(token) = &presented.access_token else { return Ok(Vec::new()) };
    let ExplainedRequest { services, client, settings, now, .. } = *request;
    let InspectedToken { client: holder, revoked_by, token } =
        match services.engine.explain_token(tenant, token.expose(), now).await? {
            Ok(explained) => explained,
            Err(error) => return Ok(unverified(error)),
        };
    let valid =
        passed("token", "A key of the tenant signed it, and it has not expired. `aud` is not checked.");
    if holder != client.as_str() {
        // The explanation says nothing more about a token of another client.
        let fix = "Explain the client of `client_id`.";
        let other = refused_by("client", None, "The token was issued to another client.", fix);
        let rest = ["revoked", "cnf"].map(|name| not_checked(name, "It is a token of another client."));
        return Ok([vec![valid, other], rest.into()].concat());
    }
    let own = passed("client", "It was issued to the client.");
    let revoked = match revoked_by {
        None => passed("revoked", "Nothing has revoked it, as far as this replica knows."),
        Some(by) => revoked(by),
    };
    let certificate = settings.client_certificate.as_ref();
    let certificate = certificate.and_then(|pem| PresentedCertificates::read(pem.as_bytes()).ok());
    let certificate = certificate.map(|presented| presented.without_authorities(now).thumbprint);
    Ok(vec![valid, own, revoked, confirmation(token, proof, certificate)])
}

fn confirmation(
    token: UnconfirmedToken,
    proof: Option<&ExplainedProof>,
    certificate: Option<Thumbprint>,
) -> ExplainedCheck {
    let is_dpop_bound = token.is_dpop_bound();
    let (scheme, dpop) = match proof {
        Some(ExplainedProof { key: None, .. }) => return not_checked("cnf", "The DPoP proof is refused."),
        Some(proof) => (TokenType::DPoP, proof.key),
        None if is_dpop_bound => {
            return not_checked("cnf", "The token is bound to a DPoP key, and no proof was presented.");
        }
        None => (TokenType::Bearer, None),
    };
    match token.confirm(scheme, &SenderKeys { dpop, certificate }) {
        Ok(_) if is_dpop_bound => passed("cnf", "The token is bound to the key of the proof."),
        Ok(_) => passed("cnf", "The token is bound to no key, or to the presented certificate."),
        Err(ConstraintError::OtherCertificate) if certificate.is_none() => {
            not_checked("cnf", "The token is bound to a certificate, and none was presented.")
        }
        Err(error) => {
            let fix = match error {
                ConstraintError::NotDpopBound => {
                    "Present it with the scheme Bearer, or send a proof in the token request to get a bound one."
                }
                ConstraintError::OtherCertificate => "Present the certificate of the token request.",
                ConstraintError::OtherKey | ConstraintError::NeedsDpopProof => {
                    "Sign the proof with the key that signed the proof of the token request."
                }
            };
            let detail = format!("{}.", error.description());
            refused_by("cnf", Some(error.reason()), detail, fix)
        }
    }
}

fn revoked(by: RevokedBy) -> ExplainedCheck {
    let (what, until) = match by {
        RevokedBy::Tenant(until) => ("All tokens of the tenant were revoked,", Some(until)),
        RevokedBy::Client(until) => ("All tokens of the client were revoked,", Some(until)),
        RevokedBy::Credential(until) => {
            ("The secret or key that it was issued for was revoked, with", Some(until))
        }
        RevokedBy::People(until) => ("All tokens of the tenant's people were revoked,", Some(until)),
        RevokedBy::Account(until) => ("The tokens of the person were revoked,", Some(until)),
        RevokedBy::Session(until) => ("The person's session ended, and with it", Some(until)),
        RevokedBy::Grant(until) => ("What the person had granted the client was revoked, with", Some(until)),
        RevokedBy::Consent(until) => {
            ("The person does not allow the client any more, and with it", Some(until))
        }
        RevokedBy::Token => {
            ("This token was revoked, by its `jti`. When is not kept; the access log has the request.", None)
        }
    };
    let until = until.map(|until| format!(" whatever was issued until {}.", until.to_rfc3339()));
    let detail = [what, &until.unwrap_or_default()].concat();
    let fix = "Let the client fetch a new token. A token that has ended is never valid again.";
    refused_by("revoked", Some(TokenError::Revoked.reason()), detail, fix)
}

/// Nothing more is known about an invalid token.
fn unverified(error: TokenError) -> Vec<ExplainedCheck> {
    let fix = "Run `latchkey inspect FILE --tenant TENANT`, which names the check. A key that was revoked is in no key set any more: \
               see `latchkey key list TENANT`.";
    let token = refused_by("token", Some(error.reason()), format!("It is refused: {error}."), fix);
    let rest = ["client", "revoked", "cnf"].map(|name| not_checked(name, "The token is refused."));
    [vec![token], rest.into()].concat()
}
