//! `POST …/oauth/sign-in`: a form of a sign-in comes back. What it requests and whom it is for is sealed inside it.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::PushedUse;
use pages::SignInMessage;
use protocol::{AuthorizationError, AuthorizationErrorCode, ErrorCode, RefusalReason, Secret, Timestamp};
use sessions::{FlowStep, SessionId, SessionWrite, SignInBrowser};

use accounts::SignInError;

use super::authorization::{self, Authorization};
use super::outcome::{send, show};
use super::posted::{Fields, Posted};
use super::proceed::{Progress, proceed, sign_in_page};
use super::visit::Visit;
use crate::Services;
use crate::options::PublicUrl;
use crate::page_error::PageError;
use crate::raw_request::RawRequest;

pub(crate) async fn sign_in(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mut raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let (mut visit, fields, flow) = Posted::read(&services, &public_url, &mut raw).await?.open()?;
    let authorization = match authorization::read(&visit, &flow.parameters, PushedUse::Continued).await? {
        Ok(authorization) => authorization,
        // The client has changed since.
        Err(refused) => return Ok(show(&refused, &public_url)),
    };
    let response = match &flow.step {
        FlowStep::SignIn => check_password(&mut visit, &authorization, flow.started, fields).await?,
        FlowStep::Consent(session) => {
            decide(&visit, &authorization, (flow.started, session), &fields.decision).await?
        }
        FlowStep::SignOut(_) | FlowStep::Device(_) | FlowStep::Account(_) => return Err(visit.foreign()),
    };
    Ok(visit.finish(response))
}

/// Goes on with the request once the person has signed in.
async fn check_password(
    visit: &mut Visit<'_>,
    authorization: &Authorization,
    started: Timestamp,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    let identifier = fields.identifier.clone();
    match sign_in_with_password(visit, fields).await? {
        Ok(write) => {
            let signed_in = write.signed_in();
            let progress = Progress { begun: Some(&write), ..Progress::since(Some(started)) };
            proceed(visit, authorization, Some(&signed_in), &progress).await
        }
        Err(message) => sign_in_page(visit, authorization, identifier, Some(message)),
    }
}

/// Checks identifier and password. The browser has the cookie of the session from then on, which is to be written.
pub(super) async fn sign_in_with_password(
    visit: &mut Visit<'_>,
    fields: Fields,
) -> Result<Result<SessionWrite, SignInMessage>, PageError> {
    let Visit { services, raw, now, .. } = *visit;
    let tenant = &visit.tenant.id;
    let Fields { identifier, password, remembers, .. } = fields;
    let password = password.unwrap_or_else(|| Secret::new(String::new()));
    let mut known = visit.browser.known(services, now);
    let history = known.history_at(tenant);
    let checked = services
        .sign_ins
        .sign_in_with_password(tenant, &identifier, password, &raw.source(), &history, now)
        .await;
    match checked {
        Ok((account, authentication)) => {
            known.remember(tenant, &account.id, now);
            visit.browser.keep_known(services, &known).map_err(|error| PageError::fault(&error))?;
            let before = visit.signed_in().await?;
            let browser = SignInBrowser {
                user_agent: raw.user_agent(),
                source: raw.address(),
                before: before.as_ref(),
                remembers,
            };
            let policy = visit.tenant.sign_in.session;
            let (write, token) = services.sessions.begin(&authentication, policy, browser, now);
            visit.browser.keep_session(&write, &token).map_err(|error| PageError::fault(&error))?;
            Ok(Ok(write))
        }
        Err(SignInError::Refused) => {
            tracing::warn!(%tenant, source = %raw.source(), "a sign-in failed");
            raw.log(|fields| {
                fields.error = Some(ErrorCode::AccessDenied);
                fields.reason = Some(RefusalReason::SignInFailed);
            });
            Ok(Err(SignInMessage::Refused))
        }
        Err(SignInError::Busy) => Ok(Err(SignInMessage::Busy)),
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

/// The person allows or denies what the client requests, in the session that was asked.
async fn decide(
    visit: &Visit<'_>,
    authorization: &Authorization,
    (started, session): (Timestamp, &SessionId),
    decision: &str,
) -> Result<HttpResponse, PageError> {
    let signed_in = visit.signed_in().await?;
    // Another person may have signed in since. What was pressed on the page of the one is no answer of the other, who sees a page in any case.
    let is_same = signed_in.as_ref().is_some_and(|signed_in| signed_in.session().id == *session);
    if is_same && decision == "deny" {
        let denied =
            AuthorizationError::new(AuthorizationErrorCode::AccessDenied, "The person denied the request");
        let to = &authorization.to;
        return Ok(send(to, &to.response(Err(denied)), true, visit.public_url));
    }
    let progress = Progress {
        is_allowed: is_same && decision == "allow",
        needs_page: !is_same,
        ..Progress::since(Some(started))
    };
    proceed(visit, authorization, signed_in.as_ref(), &progress).await
}
