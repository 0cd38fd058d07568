//! The orderly end of a serving program, and the one that is asked for twice.
//!
//! Whoever spreads load over several instances learns from `/health/ready` that this one ends, and needs a moment to send callers
//! elsewhere; closing the listener before that drops their requests. So where somebody has probed of late, readiness falls first
//! and requests are served on for a while. Where nobody has, nobody would notice, and a developer's Ctrl-C ends at once.

use std::future::pending;
use std::io::{self, IsTerminal as _, stdout};
use std::time::Duration;

use gateway::GatewayHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// How long requests are served on after readiness fell: two probes of usual load balancers, which ask every one or two seconds.
const NOTICE: Duration = Duration::from_secs(5);
/// Who has not asked for so long does not listen. The slowest usual probers ask every 30 s.
const PROBED_OF_LATE: Duration = Duration::from_secs(60);

/// Listened to before anybody is told that the program serves: who hears that may stop it at once, and in good order.
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

    /// Waits to be asked, then drains the gateway, whose own end tells when that is done. Returns when asked again.
    pub(crate) async fn drain(mut self, gateway: GatewayHandle) {
        self.requested().await;
        let drained = async {
            drain(&gateway).await;
            pending::<()>().await;
        };
        tokio::select! {
            () = drained => {}
            () = self.requested() => tracing::warn!("asked again: ending at once, open requests are not answered"),
        }
    }

    async fn requested(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                // A hangup asks for a reload, unless it says that the terminal is gone.
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
            "not ready any more: serving on until callers are sent elsewhere"
        );
        sleep(NOTICE).await;
    }
    tracing::info!("ending: open requests are answered, new connections are not taken");
    gateway.stop().await;
}
