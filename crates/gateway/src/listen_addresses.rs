//! The addresses of all listeners. The start binds them first and listens later.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use crate::ListenerOptions;

/// Maximum connections of a listener that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Bound before the program writes anything, so that a start that fails because an address is in
/// use changes nothing. Connections are refused until [`Self::listen`].
pub struct ListenAddresses {
    sockets: Vec<(SocketAddr, Socket)>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    pub(crate) address: SocketAddr,
    #[source]
    pub(crate) source: io::Error,
}

impl ListenAddresses {
    /// Binds all addresses or none.
    ///
    /// # Errors [`BindError`] with the address.
    pub fn take(listeners: &[ListenerOptions]) -> Result<Self, BindError> {
        let take = |listener: &ListenerOptions| {
            let address = listener.address;
            let socket = socket(address).map_err(|source| BindError { address, source })?;
            Ok((address, socket))
        };
        Ok(Self { sockets: listeners.iter().map(take).collect::<Result<_, _>>()? })
    }

    /// Starts to listen, in the order of the listeners. For port 0 the returned address has the
    /// port that the system has chosen.
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
    // Connections of a previous process that are still closing do not block the address.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
