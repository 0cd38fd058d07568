//! The admin API without a listener: a program that has the store calls its routes in process, as an
//! operator.
//!
//! The authority is an argument of the constructor and captured by the routes. A listener's routes are built
//! with [`BearerAccess`](crate::authentication::BearerAccess) instead, [`OperatorAccess`] cannot be named
//! outside this module, and the service is never handed out: no request over a network reaches a route that
//! holds an operator's authority (decision 0019).

use std::rc::Rc;
use std::str::FromStr as _;
use std::sync::Arc;

use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_service::boxed::{self, BoxService};
use actix_service::{IntoServiceFactory as _, Service as _, ServiceFactory as _};
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode, Uri};
use actix_web::web::Bytes;
use actix_web::{App, Error, HttpResponse};
use administration::{Administrator, Authority, Caller, EditError, ReadClock};
use async_trait::async_trait;
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, stream};
use zeroize::Zeroizing;

use crate::TokenServices;
use crate::authentication::{AdminAccess, RequiredPermission};
use crate::metrics::WorkerMetrics;
use crate::request::{JSON, NDJSON, RawRequest};
use crate::respond::{Problem, ResponseDocument};
use crate::routes;
use crate::routes::admin::idempotency::IDEMPOTENCY_KEY;

/// The admin API for one operator.
pub struct OperatorApi {
    operator: OperatorAccess,
    service: BoxService<Request, ServiceResponse<BoxBody>, Error>,
}

/// The response of a route.
#[derive(Debug)]
pub struct OperatorAnswer {
    /// The HTTP status.
    pub status: u16,
    /// A JSON document, a problem (RFC 9457), or nothing. It may hold a secret, so it is wiped.
    pub body: Zeroizing<Vec<u8>>,
    /// The cause of a failure that is not the caller's fault. A server writes it to its log and does not send
    /// it.
    pub cause: Option<Arc<EditError>>,
}

/// An operator's access to every route. The request does not decide the caller.
#[derive(Clone)]
struct OperatorAccess {
    administrator: Arc<Administrator>,
    tokens: TokenServices,
    clock: ReadClock,
    authority: Authority,
}

#[async_trait(?Send)]
impl AdminAccess for OperatorAccess {
    fn administrator(&self) -> &Arc<Administrator> {
        &self.administrator
    }

    fn tokens(&self) -> TokenServices {
        self.tokens.clone()
    }

    async fn authorize(&self, _: &RawRequest, _: RequiredPermission<'_>) -> Result<Caller, Problem> {
        Ok(self.caller())
    }
}

impl OperatorAccess {
    fn caller(&self) -> Caller {
        Caller::new(self.authority.clone(), (self.clock)())
    }
}

impl OperatorApi {
    /// The routes with this authority. The future is boxed; otherwise each crate that awaits it would compile
    /// the routes again.
    pub fn new(
        administrator: Arc<Administrator>,
        tokens: TokenServices,
        clock: ReadClock,
        authority: Authority,
    ) -> LocalBoxFuture<'static, Self> {
        let operator = OperatorAccess { administrator, tokens, clock, authority };
        let start = async {
            let metrics = WorkerMetrics::default();
            let routes = routes::configure_administration(Rc::new(operator.clone()), &metrics);
            let service = App::new().configure(routes).into_factory().new_service(AppConfig::default()).await;
            let service = service.expect("an app of routes alone starts");
            Self { operator, service: boxed::service(service) }
        };
        start.boxed_local()
    }

    /// Sends a request with a JSON document; `path` includes the query. A repeated request has the same
    /// `Idempotency-Key`.
    ///
    /// # Panics
    /// If the path is no path of a URI (RFC 3986 §3.3), or the key is no header value.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Zeroizing<Vec<u8>>>,
        key: Option<&str>,
    ) -> OperatorAnswer {
        self.send(method, path, JSON, body, key).await
    }

    /// Sends lines of JSON.
    ///
    /// # Panics
    /// See [`OperatorApi::call`].
    pub async fn post_lines(&self, path: &str, lines: Zeroizing<Vec<u8>>) -> OperatorAnswer {
        self.send("POST", path, NDJSON, Some(lines), None).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        media_type: &'static str,
        body: Option<Zeroizing<Vec<u8>>>,
        key: Option<&str>,
    ) -> OperatorAnswer {
        let body = body.map(|body| Ok(Bytes::from_owner(body)));
        let payload: BoxedPayloadStream = Box::pin(stream::iter(body));
        let mut request = Request::with_payload(Payload::Stream { payload });
        let head = request.head_mut();
        head.method = Method::from_str(method).expect("a method is a token");
        head.uri = Uri::from_str(path).expect("names are percent-encoded");
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        if let Some(key) = key {
            let key = HeaderValue::from_str(key).expect("a key is printable text");
            head.headers.insert(IDEMPOTENCY_KEY, key);
        }
        match self.service.call(request).await {
            Ok(response) => answer(response.into_parts().1).await,
            Err(error) => answer(HttpResponse::from_error(error)).await,
        }
    }

    /// Creates the first administrator. There is no route for it, because no caller of a server could have
    /// the permission yet.
    pub async fn init_admin(&self, name: &str) -> OperatorAnswer {
        let created = self.operator.administrator.init_admin(&self.operator.caller(), name).await;
        let response = created
            .map_err(Problem::from)
            .and_then(|created| ResponseDocument::from_status(StatusCode::CREATED).body(&created));
        answer(response.unwrap_or_else(HttpResponse::from_error)).await
    }
}

async fn answer(response: HttpResponse) -> OperatorAnswer {
    let status = response.status().as_u16();
    let problem = response.error().and_then(Error::as_error::<Problem>);
    let cause = problem.and_then(|problem| problem.body.cause.clone());
    let body = to_bytes(response.into_body()).await.unwrap_or_default();
    OperatorAnswer { status, body: Zeroizing::new(body.to_vec()), cause }
}
