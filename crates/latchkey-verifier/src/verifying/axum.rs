//! axum: `Bearer` as a parameter of a handler, and a refusal as a response.

use axum::extract::{FromRef, FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::verifying::bearer::{Bearer, ClientCertificate};
use crate::verifying::http_request::{answer, facts};
use crate::{Refusal, Verifier};

/// The verifier is the state, or part of it.
impl<S, C> FromRequestParts<S> for Bearer<C>
where
    S: Send + Sync,
    C: DeserializeOwned + Send,
    Verifier: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let verifier = Verifier::from_ref(state);
        // A nested router has removed its prefix from `uri`; a proof is for the whole.
        let original = parts.extensions.get::<OriginalUri>();
        let path = original.map_or(&parts.uri, |original| &original.0).path();
        let certificate = parts.extensions.get::<ClientCertificate>();
        let facts = facts(&parts.method, path, &parts.headers, certificate);
        verifier.verify_request(&facts).await.map(Self)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer(&self)
    }
}
