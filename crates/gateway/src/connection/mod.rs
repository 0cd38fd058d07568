//! Deadlines of a connection. The HTTP library times only the first head of a connection; a client that drips its second one would
//! hold a connection forever. So our own stream stands between socket and HTTP and watches every head, its size too, and whether its client
//! takes what is written.

mod deadlines;
mod framing;
mod patient;
mod places;
mod socket;
mod stream;
mod tls;

pub(crate) use deadlines::Deadlines;
pub(crate) use patient::PatientSocket;
pub(crate) use places::{Place, Places};
pub(crate) use socket::Socket;
pub(crate) use stream::{NO_PLACE, WatchedStream};
pub use tls::{ReadFile, Tls, TlsError, TlsFiles, TlsReaders};
