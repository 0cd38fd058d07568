//! A client and a server on the calling thread. A request of each kind has been answered often enough to be
//! warm.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local};
use tracing_subscriber::EnvFilter;

use crate::client::{KeptConnection, header};
use crate::composition::{CLIENT, ServedTenants, tenant};
use crate::json_lines::JsonLines;
use crate::kind::RequestKind;

/// After so many requests every table and buffer has its size.
const WARM_UP: usize = 300;

/// The access line has it.
const AGENT: &str = "User-Agent: warm-requests/1.0\r\n";

/// A server that has answered each kind of request.
pub struct WarmServer {
    runtime: Runtime,
    local: LocalSet,
    client: KeptConnection,
    requests: Vec<(RequestKind, Vec<u8>)>,
}

impl WarmServer {
    /// Starts server and client, and warms every kind of request up. Access lines are formatted as in the
    /// program, and not written.
    ///
    /// # Panics
    /// When a request is not answered as it should be.
    #[must_use]
    pub fn start() -> Self {
        let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new("info,actix_server=warn"));
        lines.event_format(JsonLines).with_writer(std::io::sink).init();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let local = LocalSet::new();
        let (client, requests) = local.block_on(&runtime, async {
            let composition = ServedTenants::new();
            let mut client = connect(&composition).await;
            let requests = requests(&composition, &mut client).await;
            (client, requests)
        });
        let mut server = Self { runtime, local, client, requests };
        RequestKind::ALL.into_iter().for_each(|kind| server.serve(kind, WARM_UP));
        server
    }

    /// Sends a request so many times, each after the answer to the one before.
    ///
    /// # Panics
    /// When a request is not answered as it should be.
    pub fn serve(&mut self, kind: RequestKind, times: usize) {
        let Self { runtime, local, client, requests } = self;
        let (_, request) = requests.iter().find(|(of, _)| *of == kind).unwrap();
        local.block_on(runtime, async {
            for _ in 0..times {
                let answer = client.exchange(request).await;
                assert!(answer.starts_with(kind.status_line()), "{}", String::from_utf8_lossy(answer));
            }
        });
    }
}

async fn connect(composition: &ServedTenants) -> KeptConnection {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_nodelay(true).unwrap();
    let (connection, _) = listener.accept().await.unwrap();
    let (options, services) = (composition.options.clone(), composition.services.clone());
    spawn_local(async move { gateway::serve_connection(&options, &services, connection).await });
    KeptConnection::new(client)
}

async fn requests(composition: &ServedTenants, client: &mut KeptConnection) -> Vec<(RequestKind, Vec<u8>)> {
    let mut requests = Vec::new();
    for kind in RequestKind::ALL {
        let request = request(kind, composition, client).await;
        requests.push((kind, request));
    }
    requests
}

/// The request's bytes; what it holds of an earlier answer is fetched first.
async fn request(kind: RequestKind, composition: &ServedTenants, client: &mut KeptConnection) -> Vec<u8> {
    let secret = composition.secret(kind.algorithm()).expose();
    let credentials = format!("Authorization: Basic {}\r\n", BASE64.encode(format!("{CLIENT}:{secret}")));
    let keys = get(kind, "");
    let token = post(kind, "/oauth/token", &credentials, "grant_type=client_credentials&scope=api:read");
    match kind {
        RequestKind::TokenRs256 | RequestKind::TokenEs256 | RequestKind::TokenEdDsa => token,
        RequestKind::Jwks => keys,
        RequestKind::JwksNotModified => {
            let answer = text(client.exchange(&keys).await);
            get(kind, &format!("If-None-Match: {}\r\n", header(&answer, "etag").unwrap()))
        }
        RequestKind::Introspection => {
            let answer = text(client.exchange(&token).await);
            let (_, issued) = answer.split_once(r#""access_token":""#).unwrap();
            let (issued, _) = issued.split_once('"').unwrap();
            let introspection = post(kind, "/oauth/introspect", &credentials, &format!("token={issued}"));
            assert!(text(client.exchange(&introspection).await).contains(r#"{"active":true,"#));
            introspection
        }
    }
}

fn get(kind: RequestKind, headers: &str) -> Vec<u8> {
    let tenant = tenant(kind.algorithm());
    format!("GET /api/v1/tenant/{tenant}/.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n{AGENT}{headers}\r\n")
        .into()
}

fn post(kind: RequestKind, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let (tenant, length) = (tenant(kind.algorithm()), body.len());
    let mut request = format!(
        "POST /api/v1/tenant/{tenant}{path} HTTP/1.1\r\nHost: localhost\r\n{AGENT}Accept: application/json\r\n{headers}"
    );
    let kept = write!(
        request,
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    kept.unwrap();
    request.into()
}

fn text(answer: &[u8]) -> String {
    String::from_utf8(answer.to_vec()).unwrap()
}
