//! Shows the next page of a valid request, or answers the client.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use grants::{
    CodeNotIssued, Consent as Allowed, Grantee, NamedAccount, Next, NextContext, RequestedCode, next,
};
use pages::{ConsentPage, SelectAccount, SignInMessage, SignInPage};
use protocol::{AuthorizationError, AuthorizationErrorCode, redirect_host};
use registry::Client;
use sessions::{FlowStep, SessionWrite, SignedIn};
use values::Timestamp;

use super::authorization::Authorization;
use super::outcome::send;
use super::request_source::used_up;
use super::scope_lines::scope_lines;
use super::visit::Visit;
use crate::page::{Opener, PageError, PageResult, respond};

/// Characters. The longest e-mail address has 254.
pub(super) const LONGEST_IDENTIFIER: usize = 254;

/// What is known about the person so far.
#[derive(Clone, Copy, Default)]
pub(super) struct PersonFacts<'a> {
    /// When the server sent the person to sign in for this request. `None` before that.
    pub(super) began: Option<Timestamp>,
    /// A new session that is not stored yet.
    pub(super) begun: Option<&'a SessionWrite>,
    /// The account that the person chose in this request.
    pub(super) named: NamedAccount,
    /// The identifier that the person typed to choose another account.
    pub(super) typed: &'a str,
    /// Whether the person consented in this request.
    pub(super) is_allowed: bool,
}

/// The answer is a code, a page or an error.
pub(super) async fn proceed(
    visit: &Visit<'_>,
    authorization: &Authorization,
    signed_in: Option<&SignedIn>,
    progress: &PersonFacts<'_>,
) -> PageResult {
    let Visit { services, public_url, now, .. } = *visit;
    let Authorization { to, request, granted, .. } = authorization;
    let (step, consent) = next_step(visit, authorization, signed_in, progress).await?;
    let is_after_form = progress.began.is_some();
    let ask_who_is_there = || {
        let suggested = request.login_hint.clone().unwrap_or_default();
        sign_in_page(visit, authorization, suggested, None)
    };
    let (signed_in, step) = match (signed_in, step) {
        (Some(signed_in), step @ (Next::Code | Next::Consent | Next::SelectAccount)) => (signed_in, step),
        (_, Next::Refused(error)) => {
            return Ok(send(to, Err(error), is_after_form, public_url));
        }
        (_, Next::SignIn | Next::Code | Next::Consent | Next::SelectAccount) => {
            write_begun(visit, progress).await?;
            return ask_who_is_there();
        }
    };
    if step == Next::SelectAccount {
        return select_page(visit, authorization, signed_in, progress).await;
    }
    if step == Next::Consent {
        if !write_begun(visit, progress).await? {
            return ask_who_is_there();
        }
        return consent_page(visit, authorization, signed_in, progress).await;
    }
    let allowed: Option<Option<&Allowed>> = progress.is_allowed.then_some(consent.as_ref());
    let requested = RequestedCode {
        signed_in,
        session: progress.begun,
        client: &to.client,
        redirect_uri: &to.redirect_uri,
        code_challenge: request.code_challenge.map(|challenge| *challenge.as_bytes()),
        granted: granted.clone(),
        allowed,
        pushed: authorization.pushed,
    };
    // A code from a second whose codes are revoked would be invalid.
    let now = services.tokens.engine.first_second_of_codes(&to.tenant, &to.client, now).await;
    let now = now.map_err(|ended| {
        let description = "The client or its tenant was suspended during the request";
        let refused = AuthorizationError::new(AuthorizationErrorCode::UnauthorizedClient, description);
        PageError::refused(refused).because(ended.reason())
    })?;
    let issued = services.authorizations.issue(&to.tenant.id, requested, now).await;
    if let Some(begun) = progress.begun {
        visit.notice_end(begun);
    }
    let code = match issued? {
        Ok(code) => code,
        // Another page of the same request was sent first.
        Err(CodeNotIssued::RequestUsed) => return Err(PageError::refused(used_up())),
        Err(CodeNotIssued::SessionEnded) => return ask_who_is_there(),
        Err(CodeNotIssued::TooMany) => {
            write_begun(visit, progress).await?;
            let description = "The session has issued too many codes; try again in a minute";
            let busy = AuthorizationError::new(AuthorizationErrorCode::TemporarilyUnavailable, description);
            return Ok(send(to, Err(busy), is_after_form, public_url));
        }
    };
    Ok(send(to, Ok(code.expose().to_owned()), is_after_form, public_url))
}

/// Also returns the person's earlier consent.
pub(super) async fn next_step(
    visit: &Visit<'_>,
    authorization: &Authorization,
    signed_in: Option<&SignedIn>,
    progress: &PersonFacts<'_>,
) -> PageResult<(Next, Option<Allowed>)> {
    let Visit { services, now, .. } = *visit;
    let Authorization { to, request, granted, .. } = authorization;
    let consent = match signed_in.filter(|_| !to.client.code_flow.first_party) {
        Some(signed_in) => {
            services.authorizations.find_consent(&to.tenant.id, signed_in.account(), &to.client.id).await?
        }
        None => None,
    };
    let of = Grantee { tenant: &to.tenant, client: &to.client };
    let subject = signed_in.map(|signed_in| services.authorizations.subjects().sub(&of, signed_in.account()));
    let step = next(&NextContext {
        client: &to.client,
        redirect_uri: &to.redirect_uri,
        request,
        granted,
        signed_in,
        subject: subject.as_deref(),
        consent: consent.as_ref(),
        named: progress.named,
        is_allowed: progress.is_allowed,
        began: progress.began,
        hinted: authorization.hinted.as_ref(),
        now,
    });
    Ok((step, consent))
}

/// Stores a new session if no code is stored with it. Returns whether the person is signed in.
async fn write_begun(visit: &Visit<'_>, progress: &PersonFacts<'_>) -> Result<bool, PageError> {
    match progress.begun {
        Some(begun) => Ok(visit.write_session(begun).await?),
        None => Ok(true),
    }
}

pub(super) fn sign_in_page(
    visit: &Visit<'_>,
    authorization: &Authorization,
    identifier: String,
    error: Option<SignInMessage>,
) -> PageResult {
    let to = &authorization.to;
    let form = visit.form(&to.parameters, FlowStep::SignIn, visit.now)?;
    Ok(sign_in_form(visit, Some(&to.client), Opener::from_client(&to.client), form, identifier, error))
}

pub(super) fn sign_in_form(
    visit: &Visit<'_>,
    client: Option<&Client>,
    opener: Opener,
    form: pages::SealedForm,
    identifier: String,
    error: Option<SignInMessage>,
) -> HttpResponse {
    let page = SignInPage {
        common: visit.common(client),
        form,
        identifier,
        offers_to_stay: visit.tenant.sign_in.session.offers_to_remember(),
        offers_recovery: visit.offers_recovery(),
        error,
    };
    // Programs that test status codes must not mistake a refused password for a success. Browsers show the
    // page with any status.
    let status = match error {
        None | Some(SignInMessage::PasswordSet) => StatusCode::OK,
        Some(SignInMessage::Busy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(SignInMessage::Refused | SignInMessage::Expired | SignInMessage::NoCookies) => {
            StatusCode::FORBIDDEN
        }
    };
    respond(status, &page, opener)
}

/// Asks whether to continue with the account of the session.
pub(super) async fn select_page(
    visit: &Visit<'_>,
    authorization: &Authorization,
    signed_in: &SignedIn,
    progress: &PersonFacts<'_>,
) -> PageResult {
    let to = &authorization.to;
    let typed: String = progress.typed.chars().take(LONGEST_IDENTIFIER).collect();
    let other = Some(typed.clone()).filter(|typed| !typed.is_empty());
    let step = FlowStep::SelectAccount { session: signed_in.session().id.clone(), typed };
    let form = visit.form(&to.parameters, step, progress.began.unwrap_or(visit.now))?;
    let account = visit.shown_name(signed_in).await?;
    let page = SelectAccount { common: visit.common(Some(&to.client)), form, account, other };
    Ok(respond(StatusCode::OK, &page, Opener::from_client(&to.client)))
}

async fn consent_page(
    visit: &Visit<'_>,
    authorization: &Authorization,
    signed_in: &SignedIn,
    progress: &PersonFacts<'_>,
) -> PageResult {
    let to = &authorization.to;
    let (session, client_name) = (signed_in.session().id.clone(), to.client.name.clone());
    let step = FlowStep::Consent { session, client_name };
    let form = visit.form(&to.parameters, step, progress.began.unwrap_or(visit.now))?;
    let account = visit.shown_name(signed_in).await?;
    let scopes = authorization.granted.permissions().filter(|_| !to.client.code_flow.first_party);
    let common = visit.common(Some(&to.client));
    let apis = if to.client.code_flow.first_party { &[] } else { authorization.granted.apis(&to.client) };
    let page = ConsentPage {
        apis: apis.to_vec(),
        scopes: scope_lines(&to.tenant, apis, scopes, common.language),
        common,
        form,
        account,
        return_host: redirect_host(&to.redirect_uri).to_owned(),
        registered_by: Some(to.tenant.name.clone()),
    };
    Ok(respond(StatusCode::OK, &page, Opener::from_client(&to.client)))
}
