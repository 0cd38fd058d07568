//! `GET` and `POST …/oauth/authorize`: the authorization endpoint (RFC 6749 §3.1, OpenID Connect Core §3.1.2).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use grants::PushedUse;
use pages::ErrorKind;
use protocol::RefusalReason;

use super::authorization::{self, LONGEST};
use super::browser::Browser;
use super::outcome::{send, show};
use super::proceed::{Progress, proceed};
use crate::Services;
use crate::cookies::Cookies;
use crate::fetch_metadata::judge_navigation;
use crate::options::PublicUrl;
use crate::page_error::PageError;
use crate::raw_request::RawRequest;
use crate::respond::no_store;

/// A person comes from a client.
pub(crate) async fn navigate(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    judge_navigation(raw.headers()).map_err(|kind| PageError::of(kind, RefusalReason::NotANavigation))?;
    let now = (services.clock)();
    let browser = Browser::of_navigation(Cookies::of(&public_url.0), raw.headers());
    let read = authorization::read(&services, &tenant, raw.query(), PushedUse::Opened, now).await?;
    let signed_in = browser.signed_in(&services, &tenant, now).await?;
    let authorization = match read {
        Ok(authorization) => authorization,
        Err(refused) => {
            let is_known = signed_in.is_some() && refused.to.client.code_flow.first_party;
            return Ok(if refused.is_silent || is_known {
                send(&refused.to, &refused.to.response(Err(refused.error.clone())), false, &public_url)
            } else {
                show(&refused, &public_url)
            });
        }
    };
    raw.log(|fields| fields.client = Some(authorization.to.client.id.clone()));
    let progress = Progress { began: None, begun: None, is_allowed: false };
    let context = (&**services, &**public_url);
    let response = proceed(context, &browser, &authorization, signed_in.as_ref(), &progress, now).await?;
    Ok(browser.finish(response))
}

/// A form of a client leads here. It brings no cookies of ours from another site, so the browser comes again by a navigation, which does.
pub(crate) async fn post(
    services: Data<Services>,
    public_url: Data<PublicUrl>,
    mut raw: RawRequest,
) -> Result<HttpResponse, PageError> {
    let tenant = services.tenants.resolve_openid_provider(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    judge_navigation(raw.headers()).map_err(|kind| PageError::of(kind, RefusalReason::NotANavigation))?;
    let body = raw.form().await?;
    let too_long = body.len() > LONGEST;
    let parameters =
        std::str::from_utf8(&body).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic()));
    let Some(parameters) = parameters.filter(|_| !too_long) else {
        let kind = if too_long { ErrorKind::TooLong } else { ErrorKind::BadRequest };
        return Err(PageError::of(kind, RefusalReason::UnreadableBody).at(&tenant));
    };
    let location = format!("{}/api/v1/tenant/{}/oauth/authorize?{parameters}", public_url.path(), tenant.id);
    Ok(no_store(StatusCode::SEE_OTHER).insert_header((LOCATION, location)).finish())
}
