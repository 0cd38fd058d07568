//! Explains a decision check by check. `decide` stops at the first refusal; an explanation runs all
//! checks, with the same functions.

use protocol::{
    Audience, ErrorResponse, Form, GrantType, RefusalReason, ResourceIndicator, Scope, ScopeToken,
};
use registry::SenderKeys;

use super::{ClientCredentialsError, ScopeFit, audience, is_for_administration};
use crate::grant_check::check_grant_type;
use crate::sender_constraint::confirmation;
use crate::{AudienceSource, GrantChecks, Grantee, ScopeOutcome};

pub(crate) fn explain<'a>(
    form: &mut Form<'_>,
    grantee: &Grantee<'a>,
    sender: &SenderKeys,
) -> GrantChecks<'a> {
    let (scope, resources) = (form.take_scope(), form.take_resources());
    let audience = resources.and_then(|resources| {
        let decided = explain_audience(&resources, grantee).map_err(|refusal| ErrorResponse::from(&refusal));
        decided.map(|(audience, source, is_admin)| (audience, source, is_admin, resources))
    });
    let format = match &audience {
        Ok((audience, ..)) => grantee.token_format(audience),
        Err(_) => grantee.own_token_format(),
    };
    let fit = audience.as_ref().ok().map(|(_, _, is_admin, resources)| ScopeFit {
        resources,
        grantee,
        is_admin: *is_admin,
    });
    let scopes = scope.map(|scope| explain_scope(scope.as_ref(), grantee, fit));
    GrantChecks {
        grant_type: check_grant_type(GrantType::ClientCredentials, grantee).map_err(ErrorResponse::from),
        format,
        sender: confirmation(grantee, sender).map_err(ErrorResponse::from),
        scopes,
        audience: audience.map(|(audience, source, ..)| (audience, source)),
    }
}

fn explain_audience<'a>(
    resources: &[ResourceIndicator],
    grantee: &Grantee<'a>,
) -> Result<(Audience<'a>, AudienceSource, bool), ClientCredentialsError> {
    let is_admin = is_for_administration(resources, grantee)?;
    let source = match (resources.is_empty(), grantee.client.audiences.is_empty()) {
        (false, _) => AudienceSource::Requested,
        (true, false) => AudienceSource::Registered,
        (true, true) => AudienceSource::ClientItself,
    };
    Ok((audience(resources, grantee, is_admin)?, source, is_admin))
}

/// If the audience is refused, only the scope tokens that the client is not registered for are
/// certain to be refused.
fn explain_scope(
    requested: Option<&Scope>,
    grantee: &Grantee<'_>,
    fit: Option<ScopeFit<'_>>,
) -> Vec<(ScopeToken, ScopeOutcome)> {
    let registered = &grantee.client.scope;
    let outcome = |token: &ScopeToken| match (requested, fit) {
        (Some(_), Some(fit)) => fit.refusal(token).map_or(ScopeOutcome::Granted, ScopeOutcome::Refused),
        (None, Some(fit)) => fit.of_registered(token).map_or(ScopeOutcome::Granted, ScopeOutcome::LeftOut),
        (Some(_), None) if !registered.contains(token) => {
            ScopeOutcome::Refused(RefusalReason::ScopeNotRegistered)
        }
        (_, None) => ScopeOutcome::Undecided,
    };
    requested.unwrap_or(registered).iter().map(|token| (token.clone(), outcome(token))).collect()
}
