//! A local server. The test provides the answer to each request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// A request as received.
pub(crate) struct Received {
    /// The number of the request, from 0.
    pub(crate) number: usize,
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The certificate that the connection presented, in DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// What the server writes to the connection: a whole answer, part of an answer, or nothing.
pub(crate) enum Reply {
    Whole(u16, Vec<(&'static str, String)>, String),
    /// The connection ends after these bytes.
    Torn(&'static str),
    /// No answer.
    Silence,
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Whole(status, vec![("content-type", "application/json".to_owned())], body.into())
    }

    pub(crate) fn token(text: &str) -> Self {
        Self::json(200, format!(r#"{{"access_token":"{text}","token_type":"Bearer","expires_in":3600}}"#))
    }

    pub(crate) fn rejected(status: u16, code: &str) -> Self {
        Self::json(status, format!(r#"{{"error":"{code}","error_description":"said so"}}"#))
    }

    pub(crate) fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        match self {
            Self::Whole(status, mut headers, body) => {
                headers.push((name, value.into()));
                Self::Whole(status, headers, body)
            }
            other => other,
        }
    }
}

type Handler = dyn Fn(&Received) -> Reply + Send + Sync;

pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    requests: Arc<AtomicUsize>,
    /// A permit for each answer that may be sent.
    gate: Arc<Semaphore>,
}

impl Stub {
    /// Answers immediately.
    pub(crate) async fn start(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let stub = Self::held(handler).await;
        stub.release();
        stub
    }

    /// Answers the first request with `first`, and all others with the token `good`.
    pub(crate) async fn good_after(first: impl Fn() -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |received| if received.number == 0 { first() } else { Reply::token("good") }).await
    }

    /// Answers immediately, over TLS.
    pub(crate) async fn tls(
        tls: ServerConfig,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let stub = Self::listening(Some(TlsAcceptor::from(Arc::new(tls))), handler).await;
        stub.release();
        stub
    }

    /// Holds all answers until `release`.
    pub(crate) async fn held(handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::listening(None, handler).await
    }

    async fn listening(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (requests, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let handler: Arc<Handler> = Arc::new(handler);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let stub = Self { address, scheme, requests: Arc::clone(&requests), gate: Arc::clone(&gate) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, requests, gate) =
                    (Arc::clone(&handler), Arc::clone(&requests), Arc::clone(&gate));
                let tls = tls.clone();
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return serve(stream, None, &*handler, &requests, &gate).await;
                    };
                    let stream = tls.accept(stream).await.ok()?;
                    let certificates = stream.get_ref().1.peer_certificates();
                    let certificate = certificates.map(|certificates| certificates[0].to_vec());
                    serve(stream, certificate, &*handler, &requests, &gate).await
                });
            }
        });
        stub
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    certificate: Option<Vec<u8>>,
    handler: &Handler,
    requests: &AtomicUsize,
    gate: &Semaphore,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            read(&mut stream, &mut buffer).await?;
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).expect("ASCII");
        let path = head.split(' ').nth(1)?.to_owned();
        let mut received =
            Received { number: 0, path, head, body: String::new(), certificate: certificate.clone() };
        let length = received.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        while buffer.len() < length {
            read(&mut stream, &mut buffer).await?;
        }
        received.body = String::from_utf8(buffer.drain(..length).collect()).expect("a form");
        received.number = requests.fetch_add(1, Ordering::SeqCst);
        gate.acquire().await.ok()?.forget();
        match handler(&received) {
            Reply::Whole(status, headers, body) => {
                let mut answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    answer += &format!("{name}: {value}\r\n");
                }
                answer += "\r\n";
                answer += &body;
                stream.write_all(answer.as_bytes()).await.ok()?;
            }
            Reply::Torn(bytes) => {
                stream.write_all(bytes.as_bytes()).await.ok()?;
                return None;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(buffer).await.ok()? > 0).then_some(())
}
