//! `POST …/clients/{client}/suspend|resume`: whether a client may authenticate. Each may be sent again without harm.

use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;

use super::clients::required_permission;
use super::{Answer, names};
use crate::Services;
use crate::authorization::authorize;
use crate::raw_request::RawRequest;
use crate::respond::changed;

pub(crate) async fn suspend(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.suspend_client(&by, &tenant, &client, if_match.as_deref(), now).await?)
}

pub(crate) async fn resume(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.resume_client(&by, &tenant, &client, if_match.as_deref(), now).await?)
}
