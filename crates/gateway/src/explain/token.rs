//! Explains the decision of the grant: grant type, format, audience, scopes and the claims of the
//! token.

use administration::documents;
use administration::documents::ExplainedCheck;
use grants::{AccessTokenClaims, AudienceSource, Explanation, GrantChecks, ScopeOutcome};
use keys::{KeyAlgorithm, KeyError, TenantKey};
use protocol::{Audience, Confirmation, ErrorResponse, ScopeToken, StaticClaims};
use serde_json::json;
use tenancy::{Tenant, TokenFormat};
use values::Lifetime;

use super::check::{not_checked, passed};
use super::proof::ExplainedProof;
use super::request::ExplainedRequest;
use crate::respond::OAuthError;

pub(super) fn explain(
    request: &ExplainedRequest<'_>,
    explained: &Explanation<'_>,
    proof: Option<&ExplainedProof>,
) -> (Vec<ExplainedCheck>, Vec<documents::ExplainedScope>) {
    let Some(GrantChecks { grant_type, format, sender, audience, scopes }) = &explained.checks else {
        let unknown = |name| not_checked(name, "This depends on the grant type, which is not supported.");
        let checks = ["grant_type", "format", "sender", "audience", "scope"].map(unknown).into();
        return (checks, Vec::new());
    };
    let simple = |name, check: &Result<(), ErrorResponse>, detail: &str| match check {
        Ok(()) => passed(name, detail),
        Err(error) => request.refused(name, error.reason),
    };
    let checks = vec![
        simple("grant_type", grant_type, "The client is registered for the grant type."),
        passed(
            "format",
            match format {
                TokenFormat::Jwt => "The token is a JWT, which APIs can verify offline.",
                TokenFormat::Opaque => "The token is opaque, so APIs must introspect it.",
            },
        ),
        sender_check(request, sender, proof),
        audience_check(request, audience),
        scope_check(request, scopes),
    ];
    let each = scopes.iter().flatten().map(|(token, outcome)| {
        let (result, reason) = match outcome {
            ScopeOutcome::Granted => ("granted", None),
            ScopeOutcome::LeftOut(reason) => ("left_out", Some(*reason)),
            ScopeOutcome::Refused(reason) => ("refused", Some(*reason)),
            ScopeOutcome::Undecided => ("not_checked", None),
        };
        documents::ExplainedScope {
            scope: token.as_str().to_owned(),
            result: result.to_owned(),
            reason: reason.map(|reason| reason.as_str().to_owned()),
            fix: reason.map(|reason| request.advice(reason).1),
        }
    });
    (checks, each.collect())
}

fn sender_check(
    request: &ExplainedRequest<'_>,
    sender: &Result<Option<Confirmation>, ErrorResponse>,
    proof: Option<&ExplainedProof>,
) -> ExplainedCheck {
    if let Some(refused) = proof.and_then(ExplainedProof::sender_check) {
        return refused;
    }
    match sender {
        Ok(Some(_)) if let Some(key) = proof.and_then(|proof| proof.key) => passed(
            "sender",
            format!("The token is bound to the key of the proof, whose thumbprint is {key}."),
        ),
        Ok(Some(_)) => {
            let detail = "The token is bound to a key. The result assumes that the request has a DPoP proof.";
            not_checked("sender", detail)
        }
        Ok(None) => passed("sender", "The token is a bearer token, which client and tenant allow."),
        Err(error) => request.refused("sender", error.reason),
    }
}

fn audience_check(
    request: &ExplainedRequest<'_>,
    audience: &Result<(Audience<'_>, AudienceSource), ErrorResponse>,
) -> ExplainedCheck {
    let of_client_itself =
        "An API accepts only its own audience: request a resource, or set the client's audiences.";
    let (check, fix) = match audience {
        Ok((audience, source)) => {
            let named = audience.iter().collect::<Vec<_>>().join(", ");
            let (from, fix) = match source {
                AudienceSource::Requested => ("as the request says", None),
                AudienceSource::Registered if request.is_by_key => {
                    ("the API key's audiences, because no resource is requested", None)
                }
                AudienceSource::Registered => {
                    ("the client's audiences, because no resource is requested", None)
                }
                AudienceSource::ClientItself => (
                    "the client itself, because it has no audiences and no resource is requested",
                    Some(of_client_itself),
                ),
            };
            (passed("audience", format!("The audience is {named}: {from}.")), fix)
        }
        Err(error) => (request.refused("audience", error.reason), None),
    };
    let fix = fix.map(str::to_owned);
    ExplainedCheck { fix: check.fix.or(fix), ..check }
}

fn scope_check(
    request: &ExplainedRequest<'_>,
    scopes: &Result<Vec<(ScopeToken, ScopeOutcome)>, ErrorResponse>,
) -> ExplainedCheck {
    let scopes = match scopes {
        Ok(scopes) => scopes,
        Err(error) => return request.refused("scope", error.reason),
    };
    let first = scopes.iter().find_map(|(token, outcome)| match outcome {
        ScopeOutcome::Refused(reason) => Some((token, *reason)),
        ScopeOutcome::Granted | ScopeOutcome::LeftOut(_) | ScopeOutcome::Undecided => None,
    });
    if let Some((token, reason)) = first {
        let check = request.refused("scope", reason);
        return ExplainedCheck { detail: format!("{} It is {}.", check.detail, token.as_str()), ..check };
    }
    let counted = |wanted: fn(&ScopeOutcome) -> bool| scopes.iter().filter(|(_, it)| wanted(it)).count();
    let granted = counted(|outcome| *outcome == ScopeOutcome::Granted);
    let left_out = counted(|outcome| matches!(outcome, ScopeOutcome::LeftOut(_)));
    if scopes.iter().any(|(_, outcome)| *outcome == ScopeOutcome::Undecided) {
        return not_checked("scope", "This depends on the audience, which is refused.");
    }
    passed("scope", format!("{granted} granted, {left_out} omitted."))
}

/// Whether the tenant's key can sign or encrypt.
pub(super) fn key_check(
    request: &ExplainedRequest<'_>,
    wanted: KeyAlgorithm,
    key: &Result<Option<TenantKey>, KeyError>,
) -> ExplainedCheck {
    let does = if wanted == KeyAlgorithm::OpaqueTokens { "encrypts" } else { "signs" };
    match key {
        Ok(Some(key)) => passed("signing_key", format!("{} {does} with {}.", key.id(), key.algorithm())),
        Ok(None) => passed("signing_key", format!("The first token creates a key for {wanted}.")),
        Err(error) => request.refused("signing_key", OAuthError::from(error.clone()).refused.reason),
    }
}

/// Without `jti` and times.
pub(super) fn view(
    statics: StaticClaims,
    tenant: &Tenant,
    claims: &AccessTokenClaims<'_>,
    wanted: KeyAlgorithm,
    key: Option<&TenantKey>,
) -> documents::ExplainedToken {
    documents::ExplainedToken {
        typ: wanted.signing().map(|_| tenant.access_token.typ.clone()),
        algorithm: key.map_or(wanted, TenantKey::algorithm).as_str().to_owned(),
        kid: key.map(|key| key.id().to_string()),
        lifetime: Lifetime::from_seconds(claims.exp.seconds() - claims.iat.seconds()),
        claims: documents::ExplainedClaims {
            iss: claims.iss.clone().into_owned(),
            sub: claims.sub.clone().into_owned(),
            aud: json!(claims.aud),
            client_id: claims.client_id.clone().into_owned(),
            scope: claims.scope.clone(),
            api_key: claims.api_key.as_ref().map(ToString::to_string),
            more: statics.0,
        },
    }
}
