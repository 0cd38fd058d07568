//! The byte stream of a connection: the socket itself, or TLS over it.

use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::WriteDeadlineSocket;

/// A connection in clear, or encrypted; the state of TLS is large.
pub(crate) type Socket = Either<WriteDeadlineSocket, Box<TlsStream<WriteDeadlineSocket>>>;

/// Whether the client takes no bytes at the moment.
pub(super) fn is_stalled(socket: &Socket) -> bool {
    match socket {
        Socket::Left(socket) => socket.is_stalled(),
        Socket::Right(stream) => stream.get_ref().0.is_stalled(),
    }
}
