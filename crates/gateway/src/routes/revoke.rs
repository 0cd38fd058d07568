//! `POST …/oauth/revoke`: revokes a token (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::audit::usage::Counter;
use protocol::RevocationRequest;
use registry::Purpose;

use crate::Services;
use crate::request::{RawRequest, serve_form};
use crate::respond::{OAuthResult, no_store};

/// 503 means that "the client must assume the token still exists and may retry after a reasonable
/// delay" (RFC 7009 §2.2.1); `Retry-After` has the delay. The other errors are those of RFC 6749
/// §5.2.
pub(crate) async fn revoke(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    serve_form(&services, &tenant, &mut raw, async |request, body| {
        let (credentials, asked) = RevocationRequest::parse(request.raw.authorization()?, body)?;
        // RFC 7009 §2.1: "The authorization server first validates the client credentials (in case
        // of a confidential client)". A public client sends its `client_id`; the token itself
        // proves that it may be revoked. Guessing tokens (§5) is useless, because a guessed token
        // has no valid signature.
        let caller = request.authenticate(credentials, Purpose::Identify).await?;
        // RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has been
        // revoked successfully or if the client submitted an invalid token."
        services.tokens.engine.revoke(&tenant, &caller, &asked.token, request.now).await?;
        request.raw.log(|fields| fields.happened = Some(Counter::Revoked));
        // RFC 7009 §2.2: "The content of the response body is ignored by the client as all
        // necessary information is conveyed in the response code." An empty body is not JSON, so
        // the response has no media type.
        Ok(no_store(StatusCode::OK).finish())
    })
    .await
}
