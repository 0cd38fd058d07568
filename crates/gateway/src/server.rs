//! Listeners, worker threads, and what all of them share.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_server::Server;
use actix_service::{Service as _, ServiceFactory as _};
use actix_web::dev::ServerHandle;
use actix_web::rt::net::TcpStream;

use crate::listener_service::ListenerService;
use crate::readiness::Readiness;
use crate::shared::Shared;
use crate::{BindError, ListenAddresses, Options, Services};

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
        // The limit of one worker. Over it a worker would accept no connection, not even one with a slot.
        builder = builder.max_concurrent_connections(options.connections.all.saturating_add(1024));
        let shared = Shared::new(options, services);
        let mut bound = Vec::new();
        for (listener, (address, socket)) in options.listeners.iter().zip(addresses.listen()?) {
            bound.push(address);
            let listener = ListenerService::new(listener, options, &shared);
            let draining = builder.graceful_shutdown_signal();
            builder = builder
                .listen(format!("http-{address}"), socket, move || listener.connections(&draining))
                .map_err(|source| BindError { address, source })?;
        }
        Ok(Self { server: builder.run(), readiness: shared.readiness.into_inner(), addresses: bound })
    }

    /// The addresses, with the ports that the system chose.
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

    /// Accepts no new connections, answers the open requests, and ends.
    pub async fn stop(&self) {
        self.withdraw();
        self.server.stop(true).await;
    }
}

/// Serves one connection as the first listener does, on the calling thread, until it is closed. It is for
/// programs that count the work of a request: a worker of [`Gateway`] has its own thread. It runs in a
/// [`LocalSet`](tokio::task::LocalSet).
///
/// # Errors
/// When the connection fails.
///
/// # Panics
/// If the options name no listener.
pub async fn serve_connection(
    options: &Options,
    services: &Services,
    connection: TcpStream,
) -> io::Result<()> {
    let shared = Shared::new(options, services);
    let draining = Server::build().graceful_shutdown_signal();
    let listener = ListenerService::new(&options.listeners[0], options, &shared);
    let service = listener.connections(&draining).new_service(()).await;
    let service = service.map_err(|()| io::Error::other("the HTTP service cannot be created"))?;
    service.call(connection).await.map_err(|error| io::Error::other(error.to_string()))
}
