//! Deadlines of a connection. The HTTP library times only the first head of a connection; a client that drips its second one would
//! hold a connection forever. So our own stream stands between socket and HTTP and watches every head.

mod deadlines;
mod socket;
mod stream;
mod tls;

pub(crate) use deadlines::Deadlines;
pub(crate) use socket::Socket;
pub(crate) use stream::WatchedStream;
pub use tls::{Tls, TlsError, TlsFiles};
