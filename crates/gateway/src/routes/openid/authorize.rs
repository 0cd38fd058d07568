//! `GET` and `POST …/oauth/authorize`: the authorization endpoint (RFC 6749 §3.1,
//! OpenID Connect Core §3.1.2).

use grants::PushedUse;

use super::authorization::{self, Authorization};
use super::outcome::{send, show};
use super::posted::Posted;
use super::proceed::{PersonFacts, proceed};
use super::request_source::not_used;
use super::visit::{Visit, authorizing_tenant};
use crate::page::{PageError, PageRequest, PageResult};

/// A person comes from a client.
pub(crate) async fn navigate(request: PageRequest) -> PageResult {
    let PageRequest { public_url, raw, .. } = &request;
    let visit = Visit::at(&request, authorizing_tenant(&request).await?);
    let read = authorization::read(&visit, raw.query(), PushedUse::Opened).await?;
    let signed_in = visit.signed_in().await?;
    let authorization = match read {
        Ok(authorization) => authorization,
        Err(refused) => {
            let is_known = signed_in.is_some() && refused.to.client.code_flow.first_party;
            return Ok(if refused.is_silent || is_known {
                send(&refused.to, Err(refused.error), false, public_url)
            } else {
                show(&refused, public_url)
            });
        }
    };
    begin(&visit, &authorization).await?;
    let response = proceed(&visit, &authorization, signed_in.as_ref(), &PersonFacts::default()).await?;
    Ok(visit.finish(response))
}

/// Uses up the request object. Each flow of a browser begins here, also one of a client that sends a form.
/// The pages that follow send no object, and the same browser may begin again.
async fn begin(visit: &Visit<'_>, authorization: &Authorization) -> PageResult<()> {
    let Some(object) = &authorization.object else { return Ok(()) };
    let (authenticator, browser) = (&visit.services.tokens.authenticator, Some(visit.browser.id()));
    let used =
        authenticator.use_up_request_object(&authorization.to.client, object, browser, visit.now).await;
    used.map_err(|error| not_used(error, PageError::refused))
}

/// Handles a client's form. A request whose answer has no address is refused at once, because no cookie
/// changes that.
pub(crate) async fn post(mut request: PageRequest) -> PageResult {
    let tenant = authorizing_tenant(&request).await?;
    let posted = Posted::at(&mut request, tenant).await?;
    drop(authorization::read(&posted.visit, posted.parameters()?, PushedUse::Opened).await?);
    posted.again("/oauth/authorize")
}
