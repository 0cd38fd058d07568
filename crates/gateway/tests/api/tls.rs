//! TLS listeners: with a certificate, with required client certificates, and with a certificate
//! that is replaced without a restart.

use std::net::SocketAddr;
use std::path::PathBuf;

use gateway::{CertificateRequests, CurrentTls, ReadTlsFile, TlsFiles, TlsReaders};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType, date_time_ymd};
use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::prelude::*;

pub(crate) struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.make("localhost");
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Creates a self-signed certificate. Returns it as PEM.
    fn make(&self, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(self.path("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
        certificate.pem()
    }

    pub(crate) fn tls(&self, client_ca: Option<&str>) -> Result<CurrentTls, gateway::TlsError> {
        self.tls_with(client_ca, client_ca.map(|_| CertificateRequests::Required))
    }

    pub(crate) fn tls_with(
        &self,
        client_ca: Option<&str>,
        client_certificates: Option<CertificateRequests>,
    ) -> Result<CurrentTls, gateway::TlsError> {
        let files = TlsFiles {
            certificate: self.path("cert.pem"),
            private_key: self.path("key.pem"),
            client_ca: client_ca.map(|name| self.path(name)),
            client_certificates,
        };
        let read: ReadTlsFile = |path| std::fs::read(path).map(Zeroizing::new);
        CurrentTls::open(files, TlsReaders { certificates: read, private_key: read })
    }
}

fn start(tls: &CurrentTls) -> TestApp {
    let mut options = options(ACME);
    options.listeners[0].tls = Some(tls.clone());
    TestApp::start_with(&options)
}

/// Trusts one certificate only. May have a client certificate.
pub(crate) struct Client(pub(crate) Arc<ClientConfig>);

fn trusting(pem: &str) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots)
}

pub(crate) fn nameless(pem: &str) -> Client {
    Client(Arc::new(trusting(pem).with_no_client_auth()))
}

impl Client {
    /// Connections of one client resume its session.
    pub(crate) async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        TlsConnector::from(Arc::clone(&self.0)).connect(name, socket).await.unwrap()
    }
}

/// Returns the status line, if there is a response.
async fn ask(app: &TestApp, client: &Client, request: &str) -> Option<String> {
    let mut config = (*client.0).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, app.connect().await).await.ok()?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

async fn live(app: &TestApp, client: &Client) -> bool {
    let request = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    ask(app, client, request).await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200 OK\r\n"))
}

// [oauth RFC 6749 §2.3.1, §3.2]: TLS is required. A listener with `tls` answers nothing in clear. A listener
//   without is for this machine or for a proxy that terminates TLS; the operator decides which listener is
//   beyond loopback, and sample secrets are refused there | departs
// [tls RFC 8446 §4.4.2]: The certificate is the operator's, replaced without a restart; an invalid one
//   changes nothing
// [rfc9700 §2.6 d]: TLS from end to end | not met | A listener with `tls` serves only TLS. One without may be
//   opened beyond loopback for a proxy that terminates TLS: the operator decides
#[tokio::test]
async fn a_certificate_is_served_and_replaced_without_a_restart() {
    let files = Files::new();
    let first = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let tls = files.tls(None).unwrap();
    let app = start(&tls);
    assert!(live(&app, &nameless(&first)).await);
    assert!(!tls.reload().unwrap(), "nothing has changed");

    std::fs::write(files.path("cert.pem"), "broken").unwrap();
    assert!(tls.reload().is_err());
    assert!(live(&app, &nameless(&first)).await, "the last good one goes on");

    let second = files.make("localhost");
    assert!(tls.reload().unwrap());
    assert!(live(&app, &nameless(&second)).await);
    assert!(!live(&app, &nameless(&first)).await);
}

pub(crate) fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A client with a certificate of this authority.
fn known_by(server: &str, authority: &CertifiedIssuer<'_, KeyPair>) -> Client {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, authority).unwrap().der().clone();
    with_certificate(server, certificate, &key)
}

pub(crate) fn with_certificate(server: &str, certificate: CertificateDer<'static>, key: &KeyPair) -> Client {
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    Client(Arc::new(trusting(server).with_client_auth_cert(vec![certificate], key).unwrap()))
}

// [tls RFC 8446 §4.3.2]: If client certificates are required, only a client with a certificate of the named
//   authorities gets a connection
#[tokio::test]
async fn only_clients_of_the_required_authority_can_connect() {
    let files = Files::new();
    let server = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let (ours, others) = (authority("ours"), authority("others"));
    std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
    let app = start(&files.tls(Some("ca.pem")).unwrap());
    assert!(!live(&app, &nameless(&server)).await, "without a certificate");
    assert!(!live(&app, &known_by(&server, &others)).await);
    assert!(live(&app, &known_by(&server, &ours)).await);
}

/// Presents a certificate without having its private key.
#[derive(Debug)]
struct Borrowed(Arc<CertifiedKey>);

impl ResolvesClientCert for Borrowed {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

// [mutual-tls RFC 8705 §2 b]: The handshake proves that the client has the private key
#[tokio::test]
async fn optional_client_certificate_needs_only_its_private_key() {
    let files = Files::new();
    let server = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let (ours, others) = (authority("ours"), authority("others"));
    std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = |of: &CertificateParams| of.self_signed(&key).unwrap().der().clone();
    let plain = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let mut expired = plain.clone();
    (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let mut large = plain.clone();
    large.subject_alt_names = (0..1000)
        .map(|index| SanType::DnsName(format!("client-{index}.example.com").try_into().unwrap()))
        .collect();

    for client_ca in [Some("ca.pem"), None] {
        let app = start(&files.tls_with(client_ca, Some(CertificateRequests::Optional)).unwrap());
        for (name, client) in [
            ("no certificate", nameless(&server)),
            ("one of ours", known_by(&server, &ours)),
            ("one of others", known_by(&server, &others)),
            ("self-signed", with_certificate(&server, certificate(&plain), &key)),
            ("expired", with_certificate(&server, certificate(&expired), &key)),
        ] {
            assert!(live(&app, &client).await, "{name} {client_ca:?}");
        }
        let large = with_certificate(&server, certificate(&large), &key);
        assert!(!live(&app, &large).await, "a certificate of more than 16 KiB");
        let other = KeyPair::generate().unwrap();
        let other = PrivateKeyDer::from_pem_slice(other.serialize_pem().as_bytes()).unwrap();
        let other = default_provider().key_provider.load_private_key(other).unwrap();
        let borrowed = Arc::new(CertifiedKey::new(vec![certificate(&plain)], other));
        let config = trusting(&server).with_client_cert_resolver(Arc::new(Borrowed(borrowed)));
        assert!(!live(&app, &Client(Arc::new(config))).await, "another's certificate");
    }
}

// [tls RFC 8446 §4]: A handshake that takes too long ends the connection
// [limits #7]: time for a TLS handshake | 5 s | connection closed
// [oauth RFC 6749 §2.3.1, §3.2]
#[tokio::test]
async fn connection_without_a_handshake_is_closed() {
    let files = Files::new();
    let app = start(&files.tls(None).unwrap());
    for sent in [&b""[..], b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01"] {
        let mut connection = app.connect().await;
        connection.write_all(sent).await.unwrap();
        let mut read = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(20), connection.read_to_end(&mut read)).await;
        assert!(ended.is_ok(), "the connection ends: {sent:?}");
        assert!(!read.starts_with(b"HTTP"), "nothing is answered in clear");
    }
}

// [tls RFC 8446 §4.4.3]: The private key belongs to the certificate; otherwise the start fails
#[test]
fn unusable_tls_files_are_named_in_the_error() {
    let files = Files::new();
    let key = std::fs::read_to_string(files.path("key.pem")).unwrap();
    let certificate = std::fs::read_to_string(files.path("cert.pem")).unwrap();
    let other = KeyPair::generate().unwrap().serialize_pem();
    for (cert, key, named) in [
        ("", key.as_str(), "cert.pem contains no certificate"),
        ("x", &key, "cert.pem contains no certificate"),
        (&key, &key, "cert.pem contains no certificate"),
        (&certificate, "", "key.pem contains no private key"),
        (&certificate, &certificate, "key.pem contains no private key"),
        (&certificate, &other, "key.pem does not match the certificate"),
    ] {
        std::fs::write(files.path("cert.pem"), cert).unwrap();
        std::fs::write(files.path("key.pem"), key).unwrap();
        let error = files.tls(None).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    std::fs::remove_file(files.path("cert.pem")).unwrap();
    assert!(files.tls(None).unwrap_err().to_string().contains("cannot read"));
}
