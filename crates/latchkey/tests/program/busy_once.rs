//! A server that is busy at the first admin request, in front of the real server.

use std::io::{Read as _, Write as _, copy};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A proxy whose threads end with the test.
pub(crate) struct BusyOnce {
    address: SocketAddr,
    refused: Arc<AtomicUsize>,
}

impl BusyOnce {
    /// Refuses the first request whose head begins with this text.
    pub(crate) fn refusing(head: &'static str, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let refused = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&refused);
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let counted = Arc::clone(&counted);
                thread::spawn(move || drop(pass_on(connection, head, server, &counted)));
            }
        });
        Self { address, refused }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

/// Forwards both directions, unless the first request of the connection must be refused.
fn pass_on(
    mut client: TcpStream,
    head: &str,
    server: SocketAddr,
    refused: &AtomicUsize,
) -> std::io::Result<()> {
    let mut first = vec![0; 16_384];
    let length = client.read(&mut first)?;
    let first = &first[..length];
    if first.starts_with(head.as_bytes()) && refused.fetch_add(1, Ordering::SeqCst) == 0 {
        let body = r#"{"type":"urn:latchkey:problem:unavailable","status":503}"#;
        let head = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close";
        write!(client, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        return client.shutdown(Shutdown::Write);
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(first)?;
    let (mut from, mut to) = (upstream.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        drop(copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Write));
    });
    copy(&mut client, &mut upstream)?;
    upstream.shutdown(Shutdown::Write)
}
