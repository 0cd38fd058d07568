//! `POST …/oauth/sign-in`: handles the forms of a sign-in. Each form contains the sealed request.

use administration::audit::usage::Counter;
use grants::{NamedAccount, Next, PushedUse};
use pages::{FormError, SignInMessage};
use protocol::{AuthorizationError, AuthorizationErrorCode, ErrorCode, RefusalReason};
use sessions::{FlowStep, SessionId, SessionWrite, SignInBrowser, SignedIn};
use values::{Secret, Timestamp};

use accounts::{Authentication, SignInError};

use super::authorization::{self, Authorization};
use super::outcome::{send, show};
use super::posted::{Fields, OpenedForm, Posted, Stale};
use super::proceed::{PersonFacts, next_step, proceed, select_page, sign_in_page};
use super::recover;
use super::recover::RECOVER;
use super::visit::Visit;
use crate::page::{PageRequest, PageResult};

pub(crate) async fn sign_in(mut request: PageRequest) -> PageResult {
    let opened = Posted::read(&mut request).await?.open()?;
    let OpenedForm { mut visit, fields, flow, stale } = opened;
    let authorization = match authorization::read(&visit, &flow.parameters, PushedUse::Continued).await? {
        Ok(authorization) => authorization,
        // The client's registration has changed since the page was shown.
        Err(refused) => return Ok(show(&refused, visit.public_url)),
    };
    let response = match (&flow.step, stale) {
        (
            step @ (FlowStep::SignIn | FlowStep::SelectAccount { .. } | FlowStep::Consent { .. }),
            Some(stale),
        ) => start_again(&visit, &authorization, step, fields.identifier, stale).await?,
        (FlowStep::SignIn, None) if fields.decision == RECOVER => {
            recover::ask_page(&visit, &flow.parameters, &fields.identifier)?
        }
        (FlowStep::SignIn, None) => check_password(&mut visit, &authorization, flow.started, fields).await?,
        (FlowStep::SelectAccount { session, typed }, None) => {
            select(&visit, &authorization, flow.started, session, typed, &fields.decision).await?
        }
        (FlowStep::Consent { session, client_name }, None) => {
            decide(&visit, &authorization, flow.started, session, client_name, &fields.decision).await?
        }
        (FlowStep::SignOut(_) | FlowStep::Device(_) | FlowStep::Account(_) | FlowStep::Recovery(_), _) => {
            return Err(Visit::foreign());
        }
    };
    Ok(visit.finish(response))
}

/// Starts the request again. Keeps the typed identifier, but not the password.
async fn start_again(
    visit: &Visit<'_>,
    authorization: &Authorization,
    step: &FlowStep,
    typed: String,
    stale: Stale,
) -> PageResult {
    let Some(signed_in) = stale.person(visit).await? else {
        return sign_in_page(visit, authorization, typed, Some(stale.message()));
    };
    let named = match step {
        FlowStep::Consent { session, .. } | FlowStep::SelectAccount { session, .. } => {
            named_by(Some(&signed_in), session, false)
        }
        _ if visit.names_another(&signed_in, &typed).await? => NamedAccount::Another,
        _ => NamedAccount::None,
    };
    let progress = PersonFacts { began: Some(visit.now), named, typed: &typed, ..PersonFacts::default() };
    proceed(visit, authorization, Some(&signed_in), &progress).await
}

/// Continues the request if the password is correct.
async fn check_password(
    visit: &mut Visit<'_>,
    authorization: &Authorization,
    started: Timestamp,
    fields: Fields,
) -> PageResult {
    let identifier = fields.identifier.clone();
    let before = visit.signed_in().await?;
    if let Some(other) = before.as_ref().filter(|before| before.session().authenticated_at > started)
        && visit.names_another(other, &identifier).await?
    {
        let named = NamedAccount::Another;
        let progress =
            PersonFacts { began: Some(started), named, typed: &identifier, ..PersonFacts::default() };
        if next_step(visit, authorization, Some(other), &progress).await?.0 == Next::SelectAccount {
            return select_page(visit, authorization, other, &progress).await;
        }
    }
    match sign_in_with_password(visit, before.as_ref(), fields).await? {
        Ok(write) => {
            let signed_in = write.signed_in();
            let progress =
                PersonFacts { began: Some(started), begun: Some(&write), ..PersonFacts::default() };
            proceed(visit, authorization, Some(&signed_in), &progress).await
        }
        Err(message) => sign_in_page(visit, authorization, identifier, Some(message)),
    }
}

/// Sets the cookie of a new session. The caller has to store the session, which replaces the
/// previous one.
pub(super) async fn sign_in_with_password(
    visit: &mut Visit<'_>,
    before: Option<&SignedIn>,
    fields: Fields,
) -> PageResult<Result<SessionWrite, SignInMessage>> {
    let Fields { identifier, password, remembers, .. } = fields;
    Ok(match prove(visit, &identifier, password).await? {
        Ok(authentication) => Ok(begin_session(visit, &authentication, before, remembers)?),
        Err(message) => Err(message),
    })
}

async fn prove(
    visit: &mut Visit<'_>,
    identifier: &str,
    password: Option<Secret>,
) -> PageResult<Result<Authentication, SignInMessage>> {
    let Visit { services, raw, now, .. } = *visit;
    let (tenant, limits) = (&visit.tenant.id, visit.tenant.limits.sign_in);
    let password = password.unwrap_or_else(|| Secret::new(String::new()));
    let history = visit.browser.known(services, now).history_at(tenant);
    // Hashing is too expensive for a client that has hung up.
    raw.needs_client();
    let checked = services
        .sign_ins
        .sign_in_with_password((tenant, limits), identifier, password, &raw.source(), &history, now)
        .await;
    match checked {
        Ok((_, authentication)) => Ok(Ok(authentication)),
        Err(SignInError::Refused) => {
            tracing::warn!(%tenant, source = %raw.source(), "a sign-in failed");
            visit.log_refusal();
            Ok(Err(SignInMessage::Refused))
        }
        Err(SignInError::Busy) => {
            raw.log(|fields| {
                fields.error = Some(ErrorCode::TemporarilyUnavailable);
                fields.reason = Some(RefusalReason::Unavailable);
            });
            Ok(Err(SignInMessage::Busy))
        }
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

/// Checks the password of the signed-in person again.
pub(super) async fn prove_again(
    visit: &mut Visit<'_>,
    signed_in: &SignedIn,
    password: Option<Secret>,
) -> PageResult<Result<Authentication, FormError>> {
    let identifier = visit.sign_in_name(signed_in).await?.unwrap_or_default();
    match prove(visit, &identifier, password).await? {
        // The identifier belongs to another account since a moment ago.
        Ok(authentication) if authentication.account() != signed_in.account() => Err(Visit::foreign()),
        Ok(authentication) => Ok(Ok(authentication)),
        Err(SignInMessage::Busy) => Ok(Err(FormError::Busy)),
        Err(_) => Ok(Err(FormError::Refused)),
    }
}

/// Sets the cookie of a new session, which the caller has to store. Also notes that the account has
/// signed in with this browser.
pub(super) fn begin_session(
    visit: &mut Visit<'_>,
    authentication: &Authentication,
    before: Option<&SignedIn>,
    remembers: bool,
) -> PageResult<SessionWrite> {
    let Visit { services, raw, now, .. } = *visit;
    raw.log(|fields| fields.happened = Some(Counter::SignedIn));
    let mut known = visit.browser.known(services, now);
    known.remember(authentication.tenant(), authentication.account(), authentication.at());
    visit.browser.keep_known(services, &known)?;
    let (user_agent, source) = (raw.user_agent(), raw.address());
    let browser = SignInBrowser { user_agent, source, before, remembers };
    let policy = visit.tenant.sign_in.session;
    let (write, token) = services.sessions.begin(authentication, policy, browser, now);
    visit.browser.keep_session(&write, &token)?;
    Ok(write)
}

/// Handles the choice between the account of the session and another one.
async fn select(
    visit: &Visit<'_>,
    authorization: &Authorization,
    started: Timestamp,
    session: &SessionId,
    typed: &str,
    decision: &str,
) -> PageResult {
    if decision == "other" {
        return sign_in_page(visit, authorization, typed.to_owned(), None);
    }
    let signed_in = visit.signed_in().await?;
    let named = named_by(signed_in.as_ref(), session, decision == "continue");
    let progress = PersonFacts { began: Some(started), named, typed, ..PersonFacts::default() };
    proceed(visit, authorization, signed_in.as_ref(), &progress).await
}

/// The account that the person chose. If another person has signed in since the page was shown
/// (`session`), that person is asked again.
fn named_by(signed_in: Option<&SignedIn>, session: &SessionId, is_decided: bool) -> NamedAccount {
    match signed_in {
        Some(signed_in) if signed_in.session().id != *session => NamedAccount::Another,
        Some(_) if is_decided => NamedAccount::OfSession,
        _ => NamedAccount::None,
    }
}

/// Handles consent or refusal. Both count only in the session that saw the question. A consent also
/// requires that the client still has the same name.
async fn decide(
    visit: &Visit<'_>,
    authorization: &Authorization,
    started: Timestamp,
    session: &SessionId,
    client_name: &str,
    decision: &str,
) -> PageResult {
    let signed_in = visit.signed_in().await?;
    let named = named_by(signed_in.as_ref(), session, matches!(decision, "allow" | "deny"));
    let is_decided = named == NamedAccount::OfSession;
    if is_decided && decision == "deny" {
        let denied =
            AuthorizationError::new(AuthorizationErrorCode::AccessDenied, "The person denied the request");
        return Ok(send(&authorization.to, Err(denied), true, visit.public_url));
    }
    let is_allowed = is_decided && decision == "allow" && client_name == authorization.to.client.name;
    let progress = PersonFacts { began: Some(started), named, is_allowed, ..PersonFacts::default() };
    proceed(visit, authorization, signed_in.as_ref(), &progress).await
}
