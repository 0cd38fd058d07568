//! Explains the decision of the grant: grant type, format, audience, scopes, and the token that would be signed.

use std::sync::Arc;

use administration::{ExplainSettings, ExplainedCheck, ExplainedClaims, ExplainedScope, ExplainedToken};
use grants::{AccessTokenClaims, AudienceSource, Explanation, GrantChecks, ScopeOutcome};
use keys::{KeyError, SigningKey};
use protocol::{Audience, Confirmation, ErrorResponse, Lifetime, ScopeToken};
use serde_json::json;
use tenancy::Tenant;

use super::advice::Subject;
use super::check::{not_checked, passed, refused};
use super::proof::ExplainedProof;
use crate::respond::OAuthError;

/// The explanation of a grant's decision.
pub(super) struct Granted {
    pub(super) checks: Vec<ExplainedCheck>,
    pub(super) scopes: Vec<ExplainedScope>,
    /// The first check that refuses the request.
    pub(super) refused_by: Option<&'static str>,
}

/// Explains the checks of the grant.
pub(super) fn explain(
    explained: &Explanation<'_>,
    proof: Option<&ExplainedProof>,
    settings: &ExplainSettings,
    subject: &Subject<'_>,
) -> Granted {
    let Some(GrantChecks { grant_type, format, sender, audience, scopes }) = &explained.checks else {
        let unknown = |name| not_checked(name, "It depends on the grant type, which is not served.");
        let checks = ["grant_type", "format", "sender", "audience", "scope"].map(unknown).into();
        return Granted { checks, scopes: Vec::new(), refused_by: None };
    };
    let is_refused = |(_, outcome): &(_, ScopeOutcome)| matches!(outcome, ScopeOutcome::Refused(_));
    let scope_is_refused = scopes.as_ref().map_or(true, |scopes| scopes.iter().any(is_refused));
    let refusals = [
        ("grant_type", grant_type.is_err()),
        ("format", format.is_err()),
        ("sender", sender.is_err()),
        ("audience", audience.is_err()),
        ("scope", scope_is_refused),
    ];
    let checks = vec![
        simple(subject, "grant_type", grant_type, "The client is registered for the grant type."),
        simple(subject, "format", format, "The token format of the tenant is served."),
        sender_check(subject, sender, proof),
        audience_check(subject, audience, settings),
        scope_check(subject, scopes),
    ];
    let each = scopes.iter().flatten().map(|(token, outcome)| {
        let (result, reason) = match outcome {
            ScopeOutcome::Granted => ("granted", None),
            ScopeOutcome::LeftOut(reason) => ("left_out", Some(*reason)),
            ScopeOutcome::Refused(reason) => ("refused", Some(*reason)),
            ScopeOutcome::Undecided => ("not_checked", None),
        };
        ExplainedScope {
            scope: token.as_str().to_owned(),
            result: result.to_owned(),
            reason: reason.map(|reason| reason.as_str().to_owned()),
            fix: reason.map(|reason| subject.advice(reason).1),
        }
    });
    let refused_by = refusals.iter().find(|(_, is_refused)| *is_refused).map(|(name, _)| *name);
    Granted { scopes: each.collect(), checks, refused_by }
}

fn simple(
    subject: &Subject<'_>,
    name: &str,
    check: &Result<(), ErrorResponse>,
    detail: &str,
) -> ExplainedCheck {
    match check {
        Ok(()) => passed(name, detail),
        Err(error) => refused(subject, name, error.reason),
    }
}

fn sender_check(
    subject: &Subject<'_>,
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
            let detail = "The token is bound to a key. The result assumes a DPoP proof in the request.";
            not_checked("sender", detail)
        }
        Ok(None) => passed("sender", "The token is a bearer token, as client and tenant allow."),
        Err(error) => refused(subject, "sender", error.reason),
    }
}

fn audience_check(
    subject: &Subject<'_>,
    audience: &Result<(Audience<'_>, AudienceSource), ErrorResponse>,
    settings: &ExplainSettings,
) -> ExplainedCheck {
    let (check, fix) = match audience {
        Ok((audience, source)) => {
            let named = audience.iter().collect::<Vec<_>>().join(", ");
            let (from, fix) = match source {
                AudienceSource::Requested => ("as resource requests it", None),
                AudienceSource::Registered => {
                    ("the client's audiences, because no resource is requested", None)
                }
                AudienceSource::ClientItself => (
                    "the client itself, because it has no audiences and no resource is requested",
                    Some(
                        "An API accepts only its own audience: request a resource, or give the client audiences.",
                    ),
                ),
            };
            (passed("audience", format!("The audience is {named}: {from}.")), fix)
        }
        Err(error) => (refused(subject, "audience", error.reason), None),
    };
    let ignored = settings.audience.is_some().then_some("The parameter audience is ignored: send resource.");
    let advice = [check.fix.as_deref(), ignored, fix].into_iter().flatten().collect::<Vec<_>>().join(" ");
    ExplainedCheck { fix: (!advice.is_empty()).then_some(advice), ..check }
}

fn scope_check(
    subject: &Subject<'_>,
    scopes: &Result<Vec<(ScopeToken, ScopeOutcome)>, ErrorResponse>,
) -> ExplainedCheck {
    let scopes = match scopes {
        Ok(scopes) => scopes,
        Err(error) => return refused(subject, "scope", error.reason),
    };
    let first = scopes.iter().find_map(|(token, outcome)| match outcome {
        ScopeOutcome::Refused(reason) => Some((token, *reason)),
        ScopeOutcome::Granted | ScopeOutcome::LeftOut(_) | ScopeOutcome::Undecided => None,
    });
    if let Some((token, reason)) = first {
        let check = refused(subject, "scope", reason);
        return ExplainedCheck { detail: format!("{} It is {}.", check.detail, token.as_str()), ..check };
    }
    let counted = |wanted: fn(&ScopeOutcome) -> bool| scopes.iter().filter(|(_, it)| wanted(it)).count();
    let granted = counted(|outcome| *outcome == ScopeOutcome::Granted);
    let left_out = counted(|outcome| matches!(outcome, ScopeOutcome::LeftOut(_)));
    if scopes.iter().any(|(_, outcome)| *outcome == ScopeOutcome::Undecided) {
        return not_checked("scope", "It depends on the audience, which is refused.");
    }
    passed("scope", format!("{granted} granted, {left_out} left out."))
}

/// Whether the key of the tenant can sign.
pub(super) fn key_check(
    tenant: &Tenant,
    key: &Result<Option<Arc<SigningKey>>, KeyError>,
    subject: &Subject<'_>,
) -> ExplainedCheck {
    match key {
        Ok(Some(key)) => passed("signing_key", format!("{} signs with {}.", key.id(), key.algorithm())),
        Ok(None) => {
            let algorithm = tenant.signing.algorithm;
            passed("signing_key", format!("The first token creates a key for {algorithm}."))
        }
        Err(error) => refused(subject, "signing_key", OAuthError::from(error.clone()).refused.reason),
    }
}

/// What the token would say. The identifier and the times of the claims are left out.
pub(super) fn view(
    tenant: &Tenant,
    claims: &AccessTokenClaims<'_>,
    key: Option<&SigningKey>,
) -> ExplainedToken {
    ExplainedToken {
        typ: tenant.access_token.typ.clone(),
        algorithm: key.map_or(tenant.signing.algorithm, SigningKey::algorithm).as_str().to_owned(),
        kid: key.map(|key| key.id().to_string()),
        lifetime: Lifetime::from_seconds(claims.exp.seconds() - claims.iat.seconds()),
        claims: ExplainedClaims {
            iss: claims.iss.clone().into_owned(),
            sub: claims.sub.clone().into_owned(),
            aud: json!(claims.aud),
            client_id: claims.client_id.clone().into_owned(),
            scope: claims.scope.clone(),
        },
    }
}
