//! actix-web: `Bearer` as a parameter of a handler, and a refusal as a response.

use std::future::Future;
use std::pin::Pin;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::error::ErrorInternalServerError;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use serde::de::DeserializeOwned;

use crate::verifying::bearer::{Bearer, ClientCertificate};
use crate::{Refusal, RequestFacts, Verifier};

/// The verifier is in `app_data`, as [`Verifier`] or [`Data<Verifier>`].
impl<C: DeserializeOwned + 'static> FromRequest for Bearer<C> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let shared = request.app_data::<Data<Verifier>>().map(|verifier| &***verifier);
            let Some(verifier) = request.app_data::<Verifier>().or(shared) else {
                return Err(ErrorInternalServerError("no Verifier is in app_data"));
            };
            let certificate = request.extensions().get::<ClientCertificate>().copied();
            let certificate = certificate.or_else(|| request.conn_data::<ClientCertificate>().copied());
            let headers = request.headers();
            let facts = RequestFacts::new(request.method().as_str(), request.uri().path())
                .certificate(certificate.map(|certificate| certificate.0));
            let authorization = headers.get_all("authorization");
            let facts = authorization.fold(facts, |facts, value| facts.authorization(value.as_bytes()));
            let facts = headers.get_all("dpop").fold(facts, |facts, value| facts.dpop(value.as_bytes()));
            Ok(Self(verifier.verify_request(&facts).await?))
        })
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        for header in self.headers() {
            response.append_header(header);
        }
        response.body(self.body())
    }
}
