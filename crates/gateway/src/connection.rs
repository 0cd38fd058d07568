//! Limits what a connection may use of the server. The HTTP library times only the first head of a
//! connection, so a client that sends its second one slowly would hold a connection forever. Our own stream
//! between socket and HTTP limits the time and the size of each head and the time in which a client reads the
//! responses. It also refuses token requests when more arrive than the worker can answer.

mod admission;
mod authorities_file;
mod client_authorities;
mod client_verifier;
mod deadlines;
mod early_answers;
mod framing;
mod slots;
mod socket;
mod stream;
mod tls;
mod validity;
mod write_deadline;

pub(crate) use admission::{Admission, Refusals};
pub(crate) use authorities_file::AuthoritiesFile;
pub(crate) use client_authorities::ClientAuthorities;
pub(crate) use client_verifier::{LARGEST_CERTIFICATE, LONGEST_CHAIN};
pub(crate) use deadlines::Deadlines;
pub(crate) use early_answers::EarlyAnswers;
pub(crate) use slots::{ConnectionSlot, ConnectionSlots};
pub(crate) use socket::Socket;
pub(crate) use stream::WatchedStream;
pub use tls::{ClientCertificates, CurrentTls, ReadTlsFile, TlsError, TlsFiles, TlsReaders};
pub(crate) use write_deadline::WriteDeadlineSocket;
