//! The byte stream of a connection: TCP, or TLS over TCP.

use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::WriteDeadlineSocket;

/// Boxed, because the state of TLS is large.
pub(crate) type Socket = Either<WriteDeadlineSocket, Box<TlsStream<WriteDeadlineSocket>>>;

/// Whether the client currently reads no bytes.
pub(super) fn is_stalled(socket: &Socket) -> bool {
    match socket {
        Socket::Left(socket) => socket.is_stalled(),
        Socket::Right(stream) => stream.get_ref().0.is_stalled(),
    }
}
