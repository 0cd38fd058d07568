//! Graceful shutdown. A second signal exits with 1 immediately.
//!
//! A load balancer sees at `/health/ready` that this instance stops, and needs time to send callers to
//! another one. If the listener closed first, their requests would be dropped. So after a recent probe,
//! readiness fails first, and requests are served for a while. Without probes no load balancer must notice,
//! and Ctrl-C stops the program immediately.

use std::future::pending;
use std::io::{self, IsTerminal as _, stdout};
use std::time::Duration;

use gateway::GatewayHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use crate::service_manager::ServiceManager;

/// How long requests are served after readiness fails: the time of two probes. Common load balancers probe
/// every one or two seconds.
const NOTICE: Duration = Duration::from_secs(5);
/// Earlier probes do not count. The slowest common load balancers probe every 30 s.
const PROBED_OF_LATE: Duration = Duration::from_secs(60);

/// Create this before the program reports that it is ready, because a signal may follow immediately.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    at_terminal: bool,
}

impl StopSignals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            at_terminal: stdout().is_terminal(),
        })
    }

    /// Waits for a signal, then drains the gateway, which ends the program. Returns only after a second
    /// signal.
    pub(crate) async fn drain(mut self, gateway: GatewayHandle, service_manager: ServiceManager) {
        self.requested().await;
        service_manager.stopping();
        let drained = async {
            drain(&gateway).await;
            pending::<()>().await;
        };
        tokio::select! {
            () = drained => {}
            () = self.requested() => tracing::warn!("second signal: stopping immediately, open requests get no response"),
        }
    }

    async fn requested(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // SIGHUP requests a reload, unless the program runs at a terminal that was closed.
                _ = self.hangup.recv() => if self.at_terminal && !stdout().is_terminal() { return },
            }
        }
    }
}

async fn drain(gateway: &GatewayHandle) {
    gateway.withdraw();
    if gateway.probed_within(PROBED_OF_LATE) {
        tracing::info!(
            seconds = NOTICE.as_secs(),
            "not ready: serving requests until clients are routed elsewhere"
        );
        sleep(NOTICE).await;
    }
    tracing::info!("stopping: answering open requests, accepting no new connections");
    gateway.stop().await;
}
