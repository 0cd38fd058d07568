//! Tells systemd when the program is ready and when it stops (`Type=notify`, sd_notify(3)), with datagrams to
//! the socket in `NOTIFY_SOCKET`. Without the variable nothing is sent.

use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use settings::Environment;

/// The service manager, if one started this program.
#[derive(Clone, Default)]
pub(crate) struct ServiceManager {
    address: Option<SocketAddr>,
}

impl ServiceManager {
    pub(crate) fn from_environment(environment: &Environment) -> Self {
        let address = environment
            .text("NOTIFY_SOCKET")
            .filter(|name| !name.is_empty())
            .and_then(|name| address(name).inspect_err(failed).ok());
        Self { address }
    }

    /// Call when all listeners answer.
    pub(crate) fn ready(&self) {
        self.send("READY=1");
    }

    /// Call when the program begins to drain.
    pub(crate) fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Never blocks: a service manager that does not read must not delay the program.
    fn send(&self, state: &str) {
        let Some(address) = &self.address else { return };
        let send = || {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            socket.send_to_addr(state.as_bytes(), address)
        };
        if let Err(error) = send() {
            failed(&error);
        }
    }
}

/// A path or, after `@`, an abstract name without a file.
fn address(name: &str) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix('@') {
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

fn failed(error: &io::Error) {
    tracing::warn!(%error, "cannot notify the service manager (NOTIFY_SOCKET)");
}
