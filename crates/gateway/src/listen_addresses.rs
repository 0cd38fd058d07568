//! The addresses of all listeners: bound at once, and listened at later.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use crate::ListenerOptions;

/// Connections that may wait to be accepted, of each listener.
const BACKLOG: i32 = 1024;

/// The addresses of all listeners. They are bound before anything is written, so that a start that cannot
/// listen changes nothing. Connections are refused until the gateway is built.
pub struct ListenAddresses {
    sockets: Vec<(SocketAddr, Socket)>,
}

/// An address could not be taken.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    pub(crate) address: SocketAddr,
    #[source]
    pub(crate) source: io::Error,
}

impl ListenAddresses {
    /// Takes all addresses, or none.
    ///
    /// # Errors
    /// [`BindError`], naming the address.
    pub fn take(listeners: &[ListenerOptions]) -> Result<Self, BindError> {
        let take = |listener: &ListenerOptions| {
            let address = listener.address;
            let socket = socket(address).map_err(|source| BindError { address, source })?;
            Ok((address, socket))
        };
        Ok(Self { sockets: listeners.iter().map(take).collect::<Result<_, _>>()? })
    }

    /// Accepts connections from now on, in the order of the listeners. The system chooses the ports that are
    /// 0.
    pub(crate) fn listen(self) -> Result<Vec<(SocketAddr, TcpListener)>, BindError> {
        let listening = self.sockets.into_iter().map(|(address, socket)| {
            let listening = socket.listen(BACKLOG).and_then(|()| {
                let socket = TcpListener::from(socket);
                Ok((socket.local_addr()?, socket))
            });
            listening.map_err(|source| BindError { address, source })
        });
        listening.collect()
    }
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(socket2::Protocol::TCP))?;
    // A previous process's connections that are still closing do not block the address.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
