//! Listeners, worker threads and the composition of the HTTP service.

use std::future::poll_fn;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::error::DispatchError;
use actix_http::{Extensions, HttpService, KeepAlive, Protocol};
use actix_server::{GracefulShutdownSignal, Server, ServerServiceFactory};
use actix_service::{
    IntoServiceFactory as _, Service as _, ServiceFactory, ServiceFactoryExt as _, apply_fn_factory,
    fn_service, map_config,
};
use actix_web::dev::{AppConfig, ServerHandle};
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App, Error};
use administration::Clock;
use futures_util::future::{Either, select};
use protocol::ClientCertificate;

use crate::access_log::{AccessLog, log_unparsed};
use crate::connection::{
    self, Admission, ConnectionSlots, EarlyAnswers, Refusals, Slot, WatchedStream, WriteDeadlineSocket,
};
use crate::metrics::{Metrics, UNKNOWN_ROUTE};
use crate::options::PublicUrl;
use crate::readiness::Readiness;
use crate::request::HostNames;
use crate::respond::{Protective, link_help};
use crate::routes::DirectRoutes;
use crate::{BindError, CertificateSources, ListenAddresses, Listener, Options, Services, Tls, routes};

/// How long open requests may take when the program ends.
const DRAIN: Duration = Duration::from_secs(25);

/// A gateway that listens; it serves while its future is awaited.
pub struct Gateway {
    server: Server,
    readiness: Arc<Readiness>,
    addresses: Vec<SocketAddr>,
}

/// Stops a gateway from elsewhere.
#[derive(Clone)]
pub struct GatewayHandle {
    server: ServerHandle,
    readiness: Arc<Readiness>,
}

/// What all listeners share.
#[derive(Clone)]
struct Shared {
    services: Data<Services>,
    metrics: Data<Metrics>,
    readiness: Data<Readiness>,
    slots: Arc<ConnectionSlots>,
    refusals: Arc<Refusals>,
}

impl Gateway {
    /// Listens at the addresses of these options.
    ///
    /// # Errors
    /// [`BindError`], naming the address.
    pub fn listen(
        addresses: ListenAddresses,
        options: &Options,
        services: &Services,
    ) -> Result<Self, BindError> {
        let mut builder =
            Server::build().workers(options.workers).disable_signals().shutdown_timeout(DRAIN.as_secs());
        // The limit of one worker. Beyond it a worker would accept no connection, not even one with a slot.
        builder = builder.max_concurrent_connections(options.connections.all.saturating_add(1024));
        let shared = Shared::new(options, services);
        let mut bound = Vec::new();
        for (listener, (address, socket)) in options.listeners.iter().zip(addresses.listen()?) {
            bound.push(address);
            let connections = connections(listener, options, &shared, builder.graceful_shutdown_signal());
            builder = builder
                .listen(format!("http-{address}"), socket, connections)
                .map_err(|source| BindError { address, source })?;
        }
        Ok(Self { server: builder.run(), readiness: shared.readiness.into_inner(), addresses: bound })
    }

    /// Where it listens, ports as the system chose them.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it from elsewhere.
    #[must_use]
    pub fn handle(&self) -> GatewayHandle {
        GatewayHandle { server: self.server.handle(), readiness: Arc::clone(&self.readiness) }
    }

    /// Serves until it is stopped and its open requests are answered.
    ///
    /// # Errors
    /// When a worker cannot be started.
    pub async fn serve(self) -> io::Result<()> {
        self.server.await
    }
}

impl GatewayHandle {
    /// Makes readiness probes fail and each response end its connection. Requests are served as before.
    pub fn withdraw(&self) {
        self.readiness.withdraw();
    }

    /// Whether a readiness probe came within this time.
    #[must_use]
    pub fn probed_within(&self, span: Duration) -> bool {
        self.readiness.probed_within(span, Instant::now())
    }

    /// Takes no new connections, answers what is open, and ends.
    pub async fn stop(&self) {
        self.withdraw();
        self.server.stop(true).await;
    }
}

/// Serves one connection as the first listener does, on the calling thread, until it is closed. It is for programs that count the work of a
/// request: a worker of [`Gateway`] has its own thread. It runs in a [`LocalSet`](tokio::task::LocalSet).
///
/// # Errors
/// When the connection fails.
///
/// # Panics
/// Without a listener.
pub async fn serve_connection(
    options: &Options,
    services: &Services,
    connection: TcpStream,
) -> io::Result<()> {
    let shared = Shared::new(options, services);
    let draining = Server::build().graceful_shutdown_signal();
    let service =
        connections(&options.listeners[0], options, &shared, draining).create().new_service(()).await;
    let service = service.map_err(|()| io::Error::other("the HTTP service cannot be created"))?;
    service.call(connection).await.map_err(|error| io::Error::other(error.to_string()))
}

impl Shared {
    fn new(options: &Options, services: &Services) -> Self {
        let slots = Arc::new(ConnectionSlots::new(options.connections));
        let refusals = Arc::<Refusals>::default();
        let mut services = services.clone();
        services.tokens.certificate_sources = CertificateSources::served(&options.listeners);
        Self {
            services: Data::new(services),
            metrics: Data::new(Metrics::new(Arc::clone(&slots), Arc::clone(&refusals))),
            readiness: Data::new(Readiness::default()),
            slots,
            refusals,
        }
    }
}

/// A listener's connections: slot -> socket -> TLS, if configured -> watched stream -> HTTP/1.1 -> access log -> direct routes -> router.
fn connections(
    listener: &Listener,
    options: &Options,
    shared: &Shared,
    draining: GracefulShutdownSignal,
) -> impl ServerServiceFactory<
    TcpStream,
    Factory: ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()>,
> + use<> {
    let Shared { services, metrics, readiness, slots, refusals } = shared.clone();
    let stalled = options.connections.stalled;
    let public_url = Data::new(PublicUrl(options.public_url.trim_end_matches('/').to_owned()));
    let options = Data::new(options.clone());
    let has_front_page = routes::front::is_served(listener, &options.public_url);
    let Listener { surface, tls, hosts, trusted_proxies, .. } = listener.clone();
    let listener = Data::new(listener.clone());
    let protective = Protective { strict_transport: options.strict_transport };
    move || {
        let unknown = metrics.series(UNKNOWN_ROUTE);
        let hosts = Rc::new(HostNames::new(&options.public_url, &hosts));
        let (direct, base) = (DirectRoutes::default(), public_url.clone());
        let app = App::new()
            .app_data(services.clone())
            .app_data(metrics.clone())
            .app_data(readiness.clone())
            .app_data(options.clone())
            .app_data(public_url.clone())
            .app_data(listener.clone())
            .wrap(direct.clone())
            .wrap(AccessLog {
                unknown: Arc::clone(&unknown),
                readiness: readiness.clone().into_inner(),
                protective,
                unread_forwarding: trusted_proxies.is_none().then(|| metrics.clone().into_inner()),
            })
            .configure(routes::configure(surface, has_front_page, hosts, &metrics, services.clone(), &direct))
            .into_factory()
            .map_err(move |error: Error| {
                let mut response = error.error_response();
                link_help(&mut response, &base.0);
                protective.protect(response.headers_mut());
                response
            });
        let draining = draining.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let draining = draining.clone();
                async move { draining.notified().await }
            })
            // `Os` means no limit of its own: `WatchedStream` closes an idle connection. (`Disabled` would answer every request
            // with `connection: close`.)
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(Duration::from_secs(1))
            .on_connect_ext(|stream: &WatchedStream, data: &mut Extensions| {
                data.insert::<Rc<_>>(stream.deadlines());
                if let Some(certificate) = stream.client_certificate() {
                    data.insert::<Arc<ClientCertificate>>(certificate);
                }
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let http = apply_fn_factory(http, move |connection: (WatchedStream, _, _), http| {
            let (unknown, deadlines) = (Arc::clone(&unknown), connection.0.deadlines());
            let served = http.call(connection);
            async move {
                let ended = served.await;
                log_unparsed(&unknown, &deadlines, &ended);
                ended
            }
        });
        let (admission, answers) = (
            Admission::of_worker(&refusals, &services.tokens.tenants),
            Rc::new(EarlyAnswers::new(&public_url.0)),
        );
        let (tls, slots, proxies) = (tls.clone(), Arc::clone(&slots), trusted_proxies.clone());
        let clock = Arc::clone(&services.clock);
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
                // Answers are small and whole: waiting for more to send would only add latency.
                let _ = socket.set_nodelay(true);
                let socket = WriteDeadlineSocket::new(socket, stalled);
                let client = match tls {
                    Some(tls) => shake_hands(&tls, socket, &slot, &clock).await.map_err(DispatchError::Io)?,
                    None => (connection::Socket::Left(socket), None),
                };
                Ok((WatchedStream::new(client, slot, admission, answers), Protocol::Http1, peer))
            }
        })
        .and_then(http)
    }
}

/// A connection can lose its slot during its handshake.
async fn shake_hands(
    tls: &Tls,
    socket: WriteDeadlineSocket,
    slot: &Slot,
    clock: &Clock,
) -> io::Result<(connection::Socket, Option<Arc<ClientCertificate>>)> {
    let shaken = pin!(tls.accept(socket, || clock()));
    let evicted = pin!(poll_fn(|cx| slot.poll_evicted(cx)));
    match select(shaken, evicted).await {
        Either::Left((shaken, _)) => shaken,
        Either::Right(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

/// Closes a connection without a slot, with a response where that takes one write.
fn turn_away(socket: TcpStream, has_tls: bool, answers: &EarlyAnswers) -> io::Error {
    if !has_tls && let Ok(mut socket) = socket.into_std() {
        let _ = socket.write(&answers.no_slot);
    }
    io::ErrorKind::ConnectionRefused.into()
}
