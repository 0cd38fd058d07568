//! `POST …/clients/{client}/explain`: what the token endpoint would answer to a request of the client, and why. With `latchkey:clients` of
//! the platform or of the tenant. It changes nothing, so the audit has no record of it.

use actix_web::http::StatusCode;
use administration::ExplainSettings;
use protocol::Secret;
use registry::{Client, ClientId};
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::documents;
use crate::explain::{Request, explain as explained};
use crate::respond::Document;

pub(crate) async fn explain(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let mut settings = documents::read(&request.raw.json().await?, ExplainSettings::read)?;
    let secret = settings.client_secret.take().map(Secret::new);
    let assertion = settings.client_assertion.take().map(Secret::new);
    let certificate = settings.client_certificate.take();
    let dpop_proof = settings.dpop_proof.take().map(Secret::new);
    let access_token = settings.access_token.take().map(Secret::new);
    let AdminRequest { administrator, tokens, caller, target: (tenant, client), raw } = &request;
    // What does not exist is 404, also for a secret that is not checked then.
    administrator.look::<Client>(caller, tenant, client).await?;
    let asked = Request {
        tenant,
        client,
        settings: &settings,
        secret,
        assertion,
        certificate,
        dpop_proof,
        access_token,
        source: raw.source(),
        now: caller.now,
        public_url: administrator.public_url(),
    };
    Document::of(StatusCode::OK).body(&explained(tokens, asked).await?)
}
