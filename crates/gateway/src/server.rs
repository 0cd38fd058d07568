//! The server: listeners, worker threads, and their shared state.

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

/// How long open requests may continue after the program is told to stop.
const DRAIN: Duration = Duration::from_secs(25);

/// Serves while [`Self::serve`] is awaited.
pub struct Gateway {
    server: Server,
    readiness: Arc<Readiness>,
    addresses: Vec<SocketAddr>,
}

/// Stops a gateway from another task.
#[derive(Clone)]
pub struct GatewayHandle {
    server: ServerHandle,
    readiness: Arc<Readiness>,
}

impl Gateway {
    /// # Errors [`BindError`] with the address.
    pub fn listen(
        addresses: ListenAddresses,
        options: &Options,
        services: &Services,
    ) -> Result<Self, BindError> {
        let mut builder =
            Server::build().workers(options.workers).disable_signals().shutdown_timeout(DRAIN.as_secs());
        // The library's limit for one worker must be above the total limit. Otherwise a worker
        // would stop accepting connections, even those with a slot.
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

    /// With the ports that the system has chosen.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    #[must_use]
    pub fn handle(&self) -> GatewayHandle {
        GatewayHandle { server: self.server.handle(), readiness: Arc::clone(&self.readiness) }
    }

    /// Returns when the gateway has been stopped and all open requests are answered.
    ///
    /// # Errors If a worker cannot be started.
    pub async fn serve(self) -> io::Result<()> {
        self.server.await
    }
}

impl GatewayHandle {
    /// Readiness probes fail from now on, and each response closes its connection. Requests are
    /// still served.
    pub fn withdraw(&self) {
        self.readiness.withdraw();
    }

    /// Whether a load balancer has probed readiness within this time.
    #[must_use]
    pub fn probed_within(&self, span: Duration) -> bool {
        self.readiness.probed_within(span, Instant::now())
    }

    /// Accepts no new connections, and returns when the open requests are answered.
    pub async fn stop(&self) {
        self.withdraw();
        self.server.stop(true).await;
    }
}

/// Serves one connection of the first listener on the calling thread, until the connection closes.
/// For programs that count the work of a request: the workers of a [`Gateway`] have their own
/// threads. Requires a [`LocalSet`](tokio::task::LocalSet).
///
/// # Errors If the connection fails.
///
/// # Panics If the options contain no listener.
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
