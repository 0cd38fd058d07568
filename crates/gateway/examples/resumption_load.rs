//! A load of new TLS connections, each of which resumes a session for one request (RFC 8446 §2.2).
//! `resumption_load ADDRESS CERTIFICATE REQUEST CONNECTIONS SECONDS` sends the text of the file
//! REQUEST. It prints the same figures as wrk, and the share of handshakes that resumed a session.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, Stream};

const PATIENCE: Duration = Duration::from_secs(10);

/// The results of one thread.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    resumed: u32,
    refused: u32,
    broken: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, certificate, request, connections, seconds] = &arguments[..] else {
        return Err("usage: resumption_load ADDRESS CERTIFICATE REQUEST CONNECTIONS SECONDS".into());
    };
    let (address, connections): (SocketAddr, u32) = (address.parse()?, connections.parse()?);
    let request = std::fs::read(request)?;
    // Each connection has its own session cache: a ticket is valid once, and a shared cache keeps
    // only eight tickets per server.
    let configs = (0..connections).map(|_| config(Path::new(certificate))).collect::<Result<Vec<_>, _>>()?;
    let deadline = Instant::now() + Duration::from_secs(seconds.parse()?);
    let seen: Vec<Seen> = thread::scope(|scope| {
        let load = |config| scope.spawn(|| load(address, config, &request, deadline));
        let threads: Vec<_> = configs.into_iter().map(load).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let total = |figure: fn(&Seen) -> u32| seen.iter().map(figure).sum::<u32>();
    let mut times: Vec<Duration> = seen.iter().flat_map(|seen| seen.times.iter().copied()).collect();
    times.sort_unstable();
    let percentile = |percent: usize| {
        times.get(times.len() * percent / 100).map_or(0.0, |time: &Duration| time.as_secs_f64() * 1e3)
    };
    println!(
        "requests={} refused={} broken={} p50_ms={:.3} p99_ms={:.3} resumed={:.4}",
        times.len(),
        total(|seen| seen.refused),
        total(|seen| seen.broken),
        percentile(50),
        percentile(99),
        f64::from(total(|seen| seen.resumed)) / f64::from(u32::try_from(times.len())?.max(1)),
    );
    Ok(())
}

fn config(certificate: &Path) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn load(address: SocketAddr, config: Arc<ClientConfig>, request: &[u8], deadline: Instant) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < deadline {
        let began = Instant::now();
        match exchange(address, &config, request) {
            Ok((is_ok, is_resumed)) => {
                seen.times.push(began.elapsed());
                seen.refused += u32::from(!is_ok);
                seen.resumed += u32::from(is_resumed);
            }
            Err(_) => seen.broken += 1,
        }
    }
    seen
}

/// Returns whether the status is 200, and whether the handshake resumed a session.
fn exchange(address: SocketAddr, config: &Arc<ClientConfig>, request: &[u8]) -> io::Result<(bool, bool)> {
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let name = ServerName::IpAddress(address.ip().into());
    let mut connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut answer = Vec::new();
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(request)?;
    match stream.read_to_end(&mut answer) {
        // The server closed the connection without close_notify. The response may still be
        // complete.
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof || answer.is_empty() => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let is_resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
    Ok((answer.starts_with(b"HTTP/1.1 200"), is_resumed))
}
