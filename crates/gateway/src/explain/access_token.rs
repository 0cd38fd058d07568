//! Explains an access token of the client: whether it is valid, which revocation applies, and
//! whether the proof has the token's key. The explanation is for administrators. No access depends
//! on it.

use administration::documents::ExplainedCheck;
use grants::{ConstraintError, GrantedGroups, InspectedToken, UnconfirmedToken};
use keys::{Refused as _, TokenError};
use protocol::{Thumbprint, TokenType};
use registry::{RevokedBy, SenderKeys};
use tenancy::Tenant;

use super::check::{not_checked, passed, refused_by};
use super::proof::ExplainedProof;
use super::request::{ExplainedRequest, PresentedParts};
use crate::PresentedCertificates;
use crate::respond::Problem;

/// Returns no checks if no token is presented.
///
/// # Errors If keys or store fail.
pub(super) async fn explain(
    request: &ExplainedRequest<'_>,
    tenant: &Tenant,
    presented: &PresentedParts,
    proof: Option<&ExplainedProof>,
) -> Result<Vec<ExplainedCheck>, Problem> {
    let Some(token) = &presented.access_token else { return Ok(Vec::new()) };
    let ExplainedRequest { services, client, settings, now, .. } = *request;
    let InspectedToken { client: holder, revoked_by, groups, token } =
        match services.engine.explain_token(tenant, token.expose(), now).await? {
            Ok(explained) => explained,
            Err(error) => return Ok(unverified(error)),
        };
    let valid = passed("token", "A key of the tenant made it, and it has not expired. `aud` is not checked.");
    if holder != client.as_str() {
        // Reveals nothing else about a token of another client.
        let fix = "Explain the client of `client_id`.";
        let other = refused_by("client", None, "The token was issued to another client.", fix);
        let rest = ["revoked", "cnf"].map(|name| not_checked(name, "The token belongs to another client."));
        return Ok([vec![valid, other], rest.into()].concat());
    }
    let own = passed("client", "The token was issued to this client.");
    let revoked = match revoked_by {
        None => passed("revoked", "It is not revoked, as far as this replica knows."),
        Some(by) => revoked(by),
    };
    let certificate = settings.client_certificate.as_ref();
    let certificate = certificate.and_then(|pem| PresentedCertificates::read(pem.as_bytes()).ok());
    let certificate = certificate.map(|presented| presented.without_authorities(now).thumbprint);
    let confirmed = confirmation(token, proof, certificate);
    Ok([valid, own, revoked, confirmed]
        .into_iter()
        .chain(groups.map(|groups| groups_check(&groups)))
        .collect())
}

/// What new tokens of the grant and userinfo contain. Names no group.
fn groups_check(GrantedGroups { claim, groups, ignored }: &GrantedGroups) -> ExplainedCheck {
    let places: Vec<_> = claim.places.iter().map(|place| place.as_str()).collect();
    let places = if places.is_empty() { "nothing".to_owned() } else { places.join(", ") };
    let name = &claim.claim;
    let (detail, fix) = match groups {
        Ok(groups) => (
            format!("The claim {name} has {} groups of the person. It is in: {places}.", groups.len()),
            (*ignored > 0)
                .then(|| format!("Not in the claim, because reserved or not declared by the tenant: {ignored} of the person's groups.")),
        ),
        Err(why) => (
            format!("The claim {name} is left out, because {why}."),
            Some("Remove the person from groups that the client does not need.".to_owned()),
        ),
    };
    ExplainedCheck { fix, ..passed("groups", detail) }
}

fn confirmation(
    token: UnconfirmedToken,
    proof: Option<&ExplainedProof>,
    certificate: Option<Thumbprint>,
) -> ExplainedCheck {
    let is_dpop_bound = token.is_dpop_bound();
    let (scheme, dpop) = match proof {
        Some(ExplainedProof { key: None, .. }) => return not_checked("cnf", "The DPoP proof is not valid."),
        Some(proof) => (TokenType::DPoP, proof.key),
        None if is_dpop_bound => {
            return not_checked("cnf", "The token is bound to a DPoP key, but no proof was presented.");
        }
        None => (TokenType::Bearer, None),
    };
    match token.confirm(scheme, &SenderKeys { dpop, certificate }) {
        Ok(_) if is_dpop_bound => passed("cnf", "The token is bound to the key of the proof."),
        Ok(_) => passed("cnf", "The token is not bound to a key, or is bound to the presented certificate."),
        Err(ConstraintError::OtherCertificate) if certificate.is_none() => {
            not_checked("cnf", "The token is bound to a certificate, but none was presented.")
        }
        Err(error) => {
            let fix = match error {
                ConstraintError::NotDpopBound => {
                    "Present it with the scheme Bearer, or send a proof in the token request to get a bound token."
                }
                ConstraintError::OtherCertificate => {
                    "Present the certificate that you used in the token request."
                }
                ConstraintError::BehindProxy => "Present the token to an API that checks proofs itself.",
                ConstraintError::OtherKey | ConstraintError::NeedsDpopProof => {
                    "Sign the proof with the same key as the proof in the token request."
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
            ("The secret or key that the token was issued for was revoked, with", Some(until))
        }
        RevokedBy::People(until) => ("All tokens of people of the tenant were revoked,", Some(until)),
        RevokedBy::Account(until) => ("The tokens of the person were revoked,", Some(until)),
        RevokedBy::Session(until) => ("The person's session ended, and with it", Some(until)),
        RevokedBy::Grant(until) => ("The person's grant to the client was revoked, with", Some(until)),
        RevokedBy::Consent(until) => ("The person withdrew consent for the client, and with it", Some(until)),
        RevokedBy::Token => (
            "This token was revoked by its `jti`. The time is not stored; see the request in the access log.",
            None,
        ),
    };
    let until = until.map(|until| format!(" everything issued until {}.", until.to_rfc3339()));
    let detail = [what, &until.unwrap_or_default()].concat();
    let fix = "Have the client fetch a new token. A revoked or expired token never becomes valid again.";
    refused_by("revoked", Some(TokenError::Revoked.reason()), detail, fix)
}

fn unverified(error: TokenError) -> Vec<ExplainedCheck> {
    let fix = "For a JWT, run `latchkey inspect FILE --tenant TENANT`, which names the check. A revoked \
        key is in no key set: see `latchkey key list TENANT`.";
    let token = refused_by("token", Some(error.reason()), format!("Refused: {error}."), fix);
    let rest = ["client", "revoked", "cnf"].map(|name| not_checked(name, "The token is refused."));
    [vec![token], rest.into()].concat()
}
