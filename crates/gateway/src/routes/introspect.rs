//! `POST …/oauth/introspect`: is this token active? (RFC 7662)

use actix_web::web::Data;
use administration::audit::usage::Counter;
use protocol::IntrospectionRequest;
use registry::Purpose;

use crate::Services;
use crate::request::{RawRequest, serve_form};
use crate::respond::{OAuthResult, secret_json};

pub(crate) async fn introspect(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    serve_form(&services, &tenant, &mut raw, async |request, body| {
        let (credentials, asked) = IntrospectionRequest::parse(request.raw.authorization()?, body)?;
        let caller = request.authenticate(credentials, Purpose::Authenticate).await?;
        let engine = &services.tokens.engine;
        let source = request.raw.source();
        let found = engine.introspect(&tenant, &caller, &asked.token, &source, request.now).await?;
        request.raw.log(|fields| fields.happened = Some(Counter::Introspected));
        secret_json(&found)
    })
    .await
}
