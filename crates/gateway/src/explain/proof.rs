//! Explains a DPoP proof with the checks of RFC 9449 §4.3. The proof is not used up.

use administration::documents::ExplainedCheck;
use keys::{CheckOutcome, DescribedCheck as _, outcomes_until};
use protocol::{RefusalReason, Thumbprint};
use registry::{DpopCheck, DpopRequest};
use tenancy::Tenant;
use values::Secret;

use super::check::{EndpointRefusal, not_checked, passed, refused_by};
use super::request::{ExplainedRequest, PresentedParts};
use crate::respond::Problem;

pub(super) struct ExplainedProof {
    pub(super) checks: Vec<ExplainedCheck>,
    /// `None` if a check refuses the proof.
    pub(super) key: Option<Thumbprint>,
    failed: Option<DpopCheck>,
}

/// Returns `None` if no proof is presented.
///
/// # Errors If the store fails.
pub(super) async fn explain(
    request: &ExplainedRequest<'_>,
    tenant: &Tenant,
    presented: &PresentedParts,
) -> Result<Option<ExplainedProof>, Problem> {
    let Some(proof) = &presented.dpop_proof else { return Ok(None) };
    let ExplainedRequest { services, settings, now, public_url, .. } = *request;
    let token_endpoint = format!("/api/v1/tenant/{}/oauth/token", tenant.id);
    let request = DpopRequest {
        method: settings.dpop_method.as_deref().unwrap_or("POST"),
        path: settings.dpop_path().unwrap_or(&token_endpoint),
        access_token: presented.access_token.as_ref().map(Secret::expose),
    };
    let read = services.dpop.read_proof(tenant, proof.expose(), &request, now);
    let mut inspected = read.and_then(|proof| proof.verify());
    if let Ok(found) = &inspected
        && services.dpop.is_used(&tenant.id, found).await?
    {
        inspected = Err(DpopCheck::Replay);
    }
    let line = |(check, outcome): (DpopCheck, _)| {
        let (name, rule) = (check.name(), rule(check, &request, public_url));
        match (outcome, unneeded(check, tenant, &request)) {
            (CheckOutcome::Failed(_), _) => {
                refused_by(name, Some(reason(check)), format!("It must be: {rule}."), check.fix())
            }
            (CheckOutcome::Passed, None) => passed(name, format!("Correct: {rule}.")),
            (CheckOutcome::Passed, Some(why)) => not_checked(name, why),
            _ => not_checked(name, "An earlier check refuses the proof."),
        }
    };
    let failed = inspected.as_ref().err().copied();
    let checks = outcomes_until(DpopCheck::ALL, failed).map(line).collect();
    Ok(Some(ExplainedProof { checks, key: inspected.ok().map(|proof| proof.key), failed }))
}

impl ExplainedProof {
    /// The refusal of a token request because of this proof. The token endpoint makes the cheap
    /// checks before it authenticates the client (`is_before`), and the others after.
    pub(super) fn refusal(&self, is_before: bool) -> Option<EndpointRefusal> {
        let is_costly = |failed: &DpopCheck| matches!(failed, DpopCheck::Signature | DpopCheck::Replay);
        self.failed
            .filter(|failed| is_costly(failed) != is_before)
            .map(|failed| EndpointRefusal::by("sender", failed))
    }

    /// The refused check of the sender. `None` if the proof is valid.
    pub(super) fn sender_check(&self) -> Option<ExplainedCheck> {
        let failed = self.failed?;
        let detail = format!("The check `{}` refuses the DPoP proof.", failed.name());
        Some(refused_by("sender", Some(reason(failed)), detail, failed.fix()))
    }
}

const fn reason(failed: DpopCheck) -> RefusalReason {
    RefusalReason::Credential(failed.reason())
}

/// `None` if the request needs the check.
const fn unneeded(check: DpopCheck, tenant: &Tenant, request: &DpopRequest<'_>) -> Option<&'static str> {
    match check {
        DpopCheck::Nonce if !tenant.access_token.require_dpop_nonce => Some("The tenant requires no nonce."),
        DpopCheck::Time if tenant.access_token.require_dpop_nonce => {
            Some("The nonce says when the proof was created, so `iat` is not checked.")
        }
        DpopCheck::Token if request.access_token.is_none() => {
            Some("No access token was sent with the proof.")
        }
        _ => None,
    }
}

fn rule(check: DpopCheck, request: &DpopRequest<'_>, public_url: &str) -> String {
    match check {
        DpopCheck::Method => format!("{}, {}", check.rule(), request.method),
        DpopCheck::Uri => {
            format!("{}, {}{}", check.rule(), public_url.trim_end_matches('/'), request.path)
        }
        _ => check.rule().to_owned(),
    }
}
