//! The steps of a connection: slot -> socket -> TLS, if configured -> watched stream -> HTTP/1.1 ->
//! access log -> direct routes -> router.

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, KeepAlive, Protocol, Request};
use actix_server::GracefulShutdownSignal;
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory,
    fn_service, map_config,
};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceResponse};
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, Error, HttpResponse};
use administration::administrator::ReadClock;
use futures_util::future::{Either, select};
use protocol::ClientCertificate;

use crate::access_log::{AccessLog, log_unparsed};
use crate::connection::{self, Admission, ConnectionSlot, EarlyAnswers, WatchedStream, WriteDeadlineSocket};

use crate::metrics::{Series, UNKNOWN_ROUTE};
use crate::options::BaseUrl;
use crate::request::HostNames;
use crate::respond::{Protective, link_help};
use crate::routes::DirectRoutes;
use crate::shared::Shared;
use crate::{CurrentTls, ListenerOptions, Options, routes};

/// The stream, its protocol, and the peer.
type Connected = (WatchedStream, Protocol, Option<SocketAddr>);

/// Each worker has a clone.
#[derive(Clone)]
pub(crate) struct ListenerService {
    shared: Shared,
    options: Data<Options>,
    listener: Data<ListenerOptions>,
    public_url: Data<BaseUrl>,
    has_front_page: bool,
}

impl ListenerService {
    pub(crate) fn new(listener: &ListenerOptions, options: &Options, shared: &Shared) -> Self {
        Self {
            shared: shared.clone(),
            public_url: Data::new(BaseUrl(
                options.public_url.trim_end_matches('/').to_owned(),
                options.language,
            )),
            has_front_page: routes::front::is_served(listener, &options.public_url),
            options: Data::new(options.clone()),
            listener: Data::new(listener.clone()),
        }
    }

    /// All steps of a connection, on one worker.
    pub(crate) fn connections(
        &self,
        draining: &GracefulShutdownSignal,
    ) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
    {
        self.streams().and_then(self.http(draining.clone()))
    }

    /// Slot -> socket -> TLS, if configured -> watched stream.
    fn streams(
        &self,
    ) -> impl ServiceFactory<
        TcpStream,
        Config = (),
        Response = Connected,
        Error = DispatchError,
        InitError = (),
    > + use<> {
        let Shared { services, slots, refusals, .. } = &self.shared;
        let admission =
            Admission::of_worker(self.options.connections.queued, refusals, &services.tokens.tenants);
        let answers = Rc::new(EarlyAnswers::new(&self.public_url.0));
        let (slots, clock) = (Arc::clone(slots), Arc::clone(&services.clock));
        let stalled = self.options.connections.stalled;
        let ListenerOptions { tls, trusted_proxies: proxies, .. } = ListenerOptions::clone(&self.listener);
        fn_service(move |socket: TcpStream| {
            let peer = socket.peer_addr().ok();
            let address = peer.map(|peer| peer.ip().to_canonical());
            let is_proxy =
                address.zip(proxies.as_ref()).is_some_and(|(address, proxies)| proxies.trusts(address));
            let (slot, tls) = (slots.take(address, is_proxy), tls.clone());
            let (admission, answers, clock) = (admission.clone(), Rc::clone(&answers), Arc::clone(&clock));
            async move {
                let Some(slot) = slot else {
                    return Err(DispatchError::Io(turn_away(socket, tls.is_some(), &answers)));
                };
                // Responses are written in one piece, so waiting for more data would only add
                // latency.
                let _ = socket.set_nodelay(true);
                let socket = WriteDeadlineSocket::new(socket, stalled);
                let (socket, certificate) = match tls {
                    Some(tls) => shake_hands(&tls, socket, &slot, &clock).await.map_err(DispatchError::Io)?,
                    None => (connection::Socket::Left(socket), None),
                };
                Ok((WatchedStream::new(socket, certificate, slot, admission, answers), Protocol::Http1, peer))
            }
        })
        .into_factory()
    }

    /// HTTP/1.1 over a watched stream.
    fn http(
        &self,
        draining: GracefulShutdownSignal,
    ) -> impl ServiceFactory<Connected, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<>
    {
        let unknown = self.shared.metrics.series(UNKNOWN_ROUTE);
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            // `Os` disables the library's timeout; `WatchedStream` closes idle connections.
            // (`Disabled` would answer every request with `connection: close`.)
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(Duration::from_secs(1))
            .on_connect_ext(|stream: &WatchedStream, data: &mut Extensions| {
                data.insert::<Rc<_>>(stream.deadlines());
                if let Some(certificate) = stream.client_certificate() {
                    data.insert::<Arc<ClientCertificate>>(certificate);
                }
            })
            .finish(map_config(self.application(&unknown), |()| AppConfig::default()));
        apply_fn_factory(http, move |connection: Connected, http| {
            let (unknown, deadlines, peer) = (Arc::clone(&unknown), connection.0.deadlines(), connection.2);
            let served = http.call(connection);
            async move {
                let ended = served.await;
                log_unparsed(&unknown, &deadlines, peer, &ended);
                ended
            }
        })
    }

    /// Access log -> direct routes -> router.
    fn application(
        &self,
        unknown: &Arc<Series>,
    ) -> impl ServiceFactory<
        Request,
        Config = AppConfig,
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = HttpResponse,
        InitError = (),
    > + use<> {
        let Shared { services, metrics, readiness, known_issuers, .. } = &self.shared;
        let ListenerOptions { surface, hosts, trusted_proxies, .. } = &**self.listener;
        let hosts = Rc::new(HostNames::new(&self.options.public_url, hosts));
        let protective = Protective { strict_transport: self.options.strict_transport };
        let (direct, base) = (DirectRoutes::default(), self.public_url.clone());
        App::new()
            .app_data(services.clone())
            .app_data(metrics.clone())
            .app_data(readiness.clone())
            .app_data(self.options.clone())
            .app_data(self.public_url.clone())
            .app_data(self.listener.clone())
            .app_data(known_issuers.clone())
            .wrap(direct.clone())
            .wrap(AccessLog {
                unknown: Arc::clone(unknown),
                readiness: readiness.clone().into_inner(),
                protective,
                unread_forwarding: trusted_proxies.is_none().then(|| metrics.clone().into_inner()),
            })
            .configure(routes::configure(
                *surface,
                (self.has_front_page, self.options.caught_mail.clone()),
                hosts,
                metrics,
                services.clone(),
                &direct,
            ))
            .into_factory()
            .map_err(move |error: Error| {
                let mut response = error.error_response();
                link_help(&mut response, &base.0);
                protective.protect(response.headers_mut());
                response
            })
    }
}

/// A connection can lose its slot during the handshake.
async fn shake_hands(
    tls: &CurrentTls,
    socket: WriteDeadlineSocket,
    slot: &ConnectionSlot,
    clock: &ReadClock,
) -> io::Result<(connection::Socket, Option<Arc<ClientCertificate>>)> {
    let shaken = pin!(tls.accept(socket, || clock()));
    let evicted = pin!(poll_fn(|cx| slot.poll_evicted(cx)));
    match select(shaken, evicted).await {
        Either::Left((shaken, _)) => shaken,
        Either::Right(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// Closes a connection over the limit. Sends a response if one write is enough, which is not the
/// case with TLS.
fn turn_away(socket: TcpStream, has_tls: bool, answers: &EarlyAnswers) -> io::Error {
    if !has_tls && let Ok(mut socket) = socket.into_std() {
        let _ = socket.write(&answers.no_slot);
    }
    io::ErrorKind::ConnectionRefused.into()
}
