//! A small HTTP/1.1 server that can send any answer, also invalid ones.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A running server. It ends with this handle, and so do its connections.
pub(crate) struct MockServer {
    pub(crate) address: SocketAddr,
    shared: Arc<MockState>,
    listening: JoinHandle<()>,
}

/// A request. Header names are in lower case.
pub(crate) struct MockRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// An answer, byte for byte, with its delay.
#[derive(Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    after: Duration,
}

struct MockState {
    answer: Box<dyn Fn(&MockRequest) -> Reply + Send + Sync>,
    instead: Mutex<VecDeque<Reply>>,
    request_count: AtomicUsize,
    is_away: AtomicBool,
}

impl MockServer {
    pub(crate) async fn start(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&MockRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(MockState {
            answer: Box::new(answer),
            instead: Mutex::default(),
            request_count: AtomicUsize::new(0),
            is_away: AtomicBool::new(false),
        });
        let of_connections = shared.clone();
        let listening = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, tls) = (of_connections.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => converse(stream, &shared).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => converse(stream, &shared).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, shared, listening }
    }

    /// Answers the next requests with these, without any effect.
    pub(crate) fn instead(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.instead.lock().unwrap().extend(replies);
    }

    /// Returns to normal answers.
    pub(crate) fn forget(&self) {
        self.shared.instead.lock().unwrap().clear();
    }

    /// Closes every connection at once, or stops doing so.
    pub(crate) fn be_away(&self, is_away: bool) {
        self.shared.is_away.store(is_away, Ordering::Relaxed);
    }

    /// The number of requests since the last call.
    pub(crate) fn request_count(&self) -> usize {
        self.shared.request_count.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "content-type: application/json", body.to_string().as_bytes())
    }

    pub(crate) fn new(status: u16, header: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status} It\r\n{header}\r\ncontent-length: {}\r\n\r\n", body.len());
        Self::raw([head.as_bytes(), body].concat())
    }

    /// Sends bytes, also invalid HTTP; empty bytes close the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), after: Duration::ZERO }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// Speaks TLS as `localhost` with its own certificate, which it returns in PEM.
pub(crate) fn tls() -> (TlsAcceptor, String) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.unwrap().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(tls)), own.cert.pem())
}

/// Ends when either side closes.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, shared: &MockState) -> Option<()> {
    loop {
        let request = read(&mut stream).await?;
        shared.request_count.fetch_add(1, Ordering::Relaxed);
        (!shared.is_away.load(Ordering::Relaxed)).then_some(())?;
        let instead = shared.instead.lock().unwrap().pop_front();
        let reply = instead.unwrap_or_else(|| (shared.answer)(&request));
        tokio::time::sleep(reply.after).await;
        stream.write_all(&reply.bytes).await.ok()?;
        stream.flush().await.ok()?;
        reply.bytes.starts_with(b"HTTP/1.1").then_some(())?;
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<MockRequest> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut line = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (line.next()?, line.next()?);
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers: HashMap<_, _> =
        pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(MockRequest { method, path, headers, body })
}
