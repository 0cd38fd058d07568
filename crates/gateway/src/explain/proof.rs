//! Explains a DPoP proof (RFC 9449 §4.3): with the checks of a request, and without using it up.

use administration::ExplainedCheck;
use keys::DescribedCheck as _;
use protocol::{RefusalReason, Secret, Thumbprint, Timestamp};
use registry::{DpopCheck, DpopRequest};
use tenancy::Tenant;

use super::check::{Refusal, not_checked, passed, refused_by};
use crate::TokenServices;
use crate::respond::Problem;

/// A proof with its checks.
pub(super) struct ExplainedProof {
    pub(super) checks: Vec<ExplainedCheck>,
    /// The key that signed it, where nothing refuses it.
    pub(super) key: Option<Thumbprint>,
    failed: Option<DpopCheck>,
}

/// Explains a proof of this request.
///
/// # Errors
/// When the store fails.
pub(super) async fn explain(
    services: &TokenServices,
    tenant: &Tenant,
    proof: &Secret,
    request: &DpopRequest<'_>,
    public_url: &str,
    now: Timestamp,
) -> Result<ExplainedProof, Problem> {
    let read = services.dpop.read_proof(tenant, proof.expose(), request, now);
    let mut inspected = read.and_then(|proof| proof.verify());
    if let Ok(found) = &inspected
        && services.dpop.is_used(&tenant.id, found).await?
    {
        inspected = Err(DpopCheck::Replay);
    }
    let failed = inspected.as_ref().err().copied();
    let mut is_reached = true;
    let line = |check: DpopCheck| {
        if failed == Some(check) {
            is_reached = false;
            let detail = format!("It must be: {}.", rule(check, request, public_url));
            return refused_by(check.name(), Some(reason(check)), detail, check.fix());
        }
        match (is_reached, unneeded(check, tenant, request)) {
            (false, _) => not_checked(check.name(), "A check before it refuses the proof."),
            (true, Some(why)) => not_checked(check.name(), why),
            (true, None) => {
                passed(check.name(), format!("As it must be: {}.", rule(check, request, public_url)))
            }
        }
    };
    let checks = DpopCheck::ALL.iter().copied().map(line).collect();
    Ok(ExplainedProof { checks, key: inspected.ok().map(|proof| proof.key), failed })
}

impl ExplainedProof {
    /// The refusal of a token request, and whether it comes before the client authenticates: what costs little does.
    pub(super) fn refusal(&self) -> Option<(Refusal, bool)> {
        let failed = self.failed?;
        let is_before = !matches!(failed, DpopCheck::Signature | DpopCheck::Replay);
        Some((Refusal::by("sender", failed), is_before))
    }

    /// The check of the sender that is refused by this proof.
    pub(super) fn sender_check(&self) -> Option<ExplainedCheck> {
        let failed = self.failed?;
        let detail = format!("The DPoP proof is refused by its check `{}`.", failed.name());
        Some(refused_by("sender", Some(reason(failed)), detail, failed.fix()))
    }
}

const fn reason(failed: DpopCheck) -> RefusalReason {
    RefusalReason::Credential(failed.reason())
}

/// Why a check says nothing of this request.
const fn unneeded(check: DpopCheck, tenant: &Tenant, request: &DpopRequest<'_>) -> Option<&'static str> {
    match check {
        DpopCheck::Nonce if !tenant.access_token.require_dpop_nonce => Some("The tenant requires no nonce."),
        DpopCheck::Time if tenant.access_token.require_dpop_nonce => {
            Some("The nonce says when the proof was made, so `iat` does not count.")
        }
        DpopCheck::Token if request.access_token.is_none() => Some("No access token is beside the proof."),
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
