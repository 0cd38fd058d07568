//! `POST /flow/execute`: a user signs in to manage applications, in one call or two. The server
//! stores nothing between the calls: the flow's identifier is authenticated, and the second call
//! contains all inputs.

mod request;
mod step;

pub(crate) use request::FlowRequest;
pub(crate) use step::FlowAnswer;

use actix_web::Resource;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::audit::sign_ins::SignIn;
use grants::GrantError;
use protocol::{ErrorCode, RefusalReason};
use registry::UserSignInError;
use tenancy::Tenant;
use values::Timestamp;

use self::request::Credentials;
use super::applications::{resource, tenant};
use super::{Spelling, ThunderError, ThunderResult, thunder_json};
use crate::Services;
use crate::request::{RawRequest, methods};
use crate::respond::no_store;

async fn execute(services: Data<Services>, mut raw: RawRequest) -> ThunderResult {
    let tenant = tenant(&services, &raw).await?;
    let request = FlowRequest::parse(&raw.untyped().await?)?;
    let spelling = request.spelling();
    answer(&services, &tenant, &raw, request).await.map_err(|refusal| refusal.spelled(spelling))
}

async fn answer(
    services: &Services,
    tenant: &Tenant,
    raw: &RawRequest,
    request: FlowRequest,
) -> ThunderResult {
    let now = (services.clock)();
    let (spelling, is_first) = (request.spelling(), request.flow().is_none());
    let flow = match request.flow() {
        Some(flow) if services.users.is_flow(flow, now) => flow.to_owned(),
        Some(_) => return Err(request::invalid_flow()),
        None if services.users.accepts_application(request.application()?) => services.users.begin_flow(now),
        None => return Err(request::invalid_application()),
    };
    let answer = match request.credentials() {
        Ok(credentials) => sign_in(services, tenant, raw, credentials, now).await?,
        Err(missing) => FlowAnswer::incomplete(&missing, services.users.begin_flow(now)),
    };
    // The names in the response are the same in both generations.
    thunder_json(no_store(StatusCode::OK), Spelling::Snake, &answer.about(flow, spelling, is_first))
}

pub(crate) fn route(path: &'static str) -> (&'static str, Resource) {
    resource(path, "POST", [methods::post().to(execute)])
}

/// Wrong credentials get status 200, as in the original API.
async fn sign_in(
    services: &Services,
    tenant: &Tenant,
    raw: &RawRequest,
    credentials: Credentials,
    now: Timestamp,
) -> ThunderResult<FlowAnswer> {
    let Credentials { username, password, requested } = credentials;
    let signed_in = services.users.sign_in(tenant, &username, password, &raw.source(), now).await;
    let user = match signed_in {
        Ok(user) => user,
        Err(UserSignInError::Refused) => {
            // Records only the name of a declared user, because the user may have typed the
            // password as the name.
            let user = services.users.is_declared(&username).then_some(username);
            tracing::warn!(tenant = %tenant.id, source = %raw.source(), "a sign-in failed");
            raw.log(|fields| {
                fields.error = Some(ErrorCode::InvalidClient);
                fields.reason = Some(RefusalReason::SignInFailed);
            });
            write_down(services, tenant, raw, user, false, now);
            return Ok(FlowAnswer::failed());
        }
        Err(error @ UserSignInError::Busy) => return Err(ThunderError::unavailable(&error)),
    };
    let wanted: Vec<&str> = requested.split_whitespace().collect();
    let granted: Vec<&str> =
        user.permissions.iter().map(String::as_str).filter(|held| wanted.contains(held)).collect();
    let signed = services.tokens.engine.sign_assertion(tenant, &user, &granted, now).await;
    let signed = signed.map_err(|error| match error {
        GrantError::Keys(error) => ThunderError::from(error),
        other => ThunderError::fault(&other),
    })?;
    tracing::info!(user = %user.name, tenant = %tenant.id, "user {} signed in", user.name);
    write_down(services, tenant, raw, Some(user.name), true, now);
    raw.log(|fields| fields.signed = signed.algorithm);
    Ok(FlowAnswer::complete(signed.value))
}

/// Writes the audit record in a separate task, so that neither a failure nor the latency of the
/// store affects the response.
fn write_down(
    services: &Services,
    tenant: &Tenant,
    raw: &RawRequest,
    user: Option<String>,
    succeeded: bool,
    now: Timestamp,
) {
    let source = raw.address().map(|address| address.to_string());
    let sign_in = SignIn { tenant: tenant.id.clone(), user, succeeded, source };
    let administrator = services.administrator.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = administrator.note_sign_in(&sign_in, now).await {
            tracing::warn!(%error, tenant = %sign_in.tenant, "the audit log does not contain a sign-in");
        }
    });
}
