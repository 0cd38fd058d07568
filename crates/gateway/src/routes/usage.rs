//! `POST …/oauth/usage`: a client reads its own usage. It authenticates as for an introspection.

use actix_web::web::Data;
use administration::edit::EditError;
use protocol::{ClientAuthentication, ErrorResponse, Form, RefusalReason};
use registry::Purpose;

use super::admin::span_of_form;
use crate::Services;
use crate::request::{RawRequest, serve_form};
use crate::respond::{OAuthError, OAuthResult, secret_json};

pub(crate) async fn usage(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve_authorization_server(raw.tenant_or_default()).await?;
    serve_form(&services, &tenant, &mut raw, async |request, body| {
        let mut form = Form::parse(body)?;
        let credentials = ClientAuthentication::take(request.raw.authorization()?, &mut form)?;
        let caller = request.authenticate(credentials, Purpose::Authenticate).await?;
        let span = span_of_form(body).map_err(refused)?;
        let client = &caller.client().id;
        let usage = services.administrator.own_usage(&tenant.id, client, span, request.now).await;
        secret_json(&usage.map_err(refused)?)
    })
    .await
}

fn refused(error: EditError) -> OAuthError {
    match error {
        EditError::Invalid(_) => {
            ErrorResponse::invalid_request(RefusalReason::InvalidDocument, error.to_string()).into()
        }
        EditError::Store(error) => error.into(),
        other => OAuthError::fault(&other),
    }
}
