//! A client and a server on the calling thread. Each kind of request has already been answered often enough
//! to be warm.

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

/// The number of requests after which all tables and buffers have their final size.
const WARM_UP: usize = 300;

/// Part of the access log line.
const AGENT: &str = "User-Agent: warm-requests/1.0\r\n";

pub struct WarmServer {
    runtime: Runtime,
    local: LocalSet,
    client: KeptConnection,
    requests: Vec<(RequestKind, Vec<u8>)>,
}

impl WarmServer {
    /// Starts server and client, and warms up every kind of request. Access log lines are formatted as in the
    /// program, but not written.
    ///
    /// # Panics
    /// If a response is not the expected one.
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

    /// Sends a request `times` times, each after the previous response.
    ///
    /// # Panics
    /// If a response is not the expected one.
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

/// The bytes of the request. Fetches a token or an entity tag first if the request needs one.
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
