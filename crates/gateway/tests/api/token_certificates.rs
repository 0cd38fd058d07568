//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705). A client authenticates with a
//! certificate, over TLS or through a trusted proxy. Its tokens are bound to the certificate if the
//! registration says so.

use std::path::Path;

use gateway::{
    CertificateFormat, CertificateHeader, CertificateRequests, ForwardingHeader, ReadTlsFile, TrustedPeers,
};
use protocol::{ClientAuthenticationMethod as Method, Thumbprint};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, PublicKeyData as _, date_time_ymd};
use registry::{CertificateSubject, Client as RegisteredClient, SubjectKind};
use reqwest::header::{HeaderMap, HeaderValue};
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use crate::metrics::{Numbers, authentications, parse};
use crate::prelude::*;
use crate::tls::{Client, Files, authority, nameless, with_certificate};

/// The client with a certificate of the authority, at both tenants.
pub(crate) const ISSUED: &str = "issued";
/// The client with a self-signed certificate, at both tenants.
pub(crate) const SELF_SIGNED: &str = "self-signed";
const NOT_BOUND: &str = "Token is not bound to the client certificate of the request";

/// The listeners: with TLS, behind a proxy with each format, behind a proxy that passes no
/// certificate on, behind a proxy with another address.
const TLS: usize = 0;
const RFC_9440: usize = 1;
const PEM: usize = 2;
const TLS_OF_PROXY: usize = 3;
const ELSEWHERE: usize = 4;

pub(crate) struct Pki {
    server: String,
    files: Files,
    authority: CertifiedIssuer<'static, KeyPair>,
    other: CertifiedIssuer<'static, KeyPair>,
}

pub(crate) struct Certificate {
    der: CertificateDer<'static>,
    key: KeyPair,
}

pub(crate) fn name_at(tenant: &str) -> String {
    format!("svc.{tenant}.example.com")
}

fn parameters(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

/// Valid from the start of one year to the start of another.
fn within(name: &str, from: i32, until: i32) -> CertificateParams {
    let mut parameters = parameters(name);
    (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 2));
    parameters
}

fn for_servers(name: &str) -> CertificateParams {
    let mut parameters = parameters(name);
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    parameters
}

impl Pki {
    pub(crate) fn new() -> Self {
        let files = Files::new();
        let (ours, other) = (authority("ours"), authority("other"));
        std::fs::write(files.path("ca.pem"), ours.pem()).unwrap();
        let server = std::fs::read_to_string(files.path("cert.pem")).unwrap();
        Self { server, files, authority: ours, other }
    }

    pub(crate) fn issued(&self, name: &str) -> Certificate {
        Self::signed(&parameters(name), &self.authority)
    }

    fn signed(parameters: &CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>) -> Certificate {
        let key = KeyPair::generate().unwrap();
        Certificate { der: parameters.signed_by(&key, issuer).unwrap().der().clone(), key }
    }

    fn client(&self, certificate: &Certificate) -> Client {
        with_certificate(&self.server, certificate.der.clone(), &certificate.key)
    }

    fn stranger(&self) -> Client {
        nameless(&self.server)
    }

    fn options(&self, tenant: &str) -> Options {
        let plain = ListenerOptions::new(([127, 0, 0, 1], 0).into(), ListenerSurface::new(true, true));
        let tls = self.files.tls_with(Some("ca.pem"), Some(CertificateRequests::Optional)).unwrap();
        let proxied = |network, name, format| self.proxied(plain.clone(), network, name, format);
        let listeners = vec![
            ListenerOptions { tls: Some(tls.clone()), ..plain.clone() },
            proxied("127.0.0.0/8", "Client-Cert", CertificateFormat::Rfc9440),
            proxied("127.0.0.0/8", "X-Client-Cert", CertificateFormat::UrlEncodedPem),
            ListenerOptions { tls: Some(tls), trusted_proxies: Some(behind("127.0.0.0/8")), ..plain.clone() },
            proxied("192.0.2.0/24", "Client-Cert", CertificateFormat::Rfc9440),
        ];
        let mtls_url = Some("https://mtls.example.com/".to_owned());
        Options { listeners, mtls_url, ..options(tenant) }
    }

    /// A listener behind proxies of this network that pass client certificates on.
    pub(crate) fn proxied(
        &self,
        listener: ListenerOptions,
        network: &str,
        name: &str,
        format: CertificateFormat,
    ) -> ListenerOptions {
        let (ca, read): (_, ReadTlsFile) =
            (self.files.path("ca.pem"), |path: &Path| std::fs::read(path).map(Zeroizing::new));
        let name = CertificateHeader::name(name).unwrap();
        let header = CertificateHeader::open(name, format, Some(&ca), read).unwrap();
        ListenerOptions {
            trusted_proxies: Some(behind(network)),
            client_certificate_header: Some(header),
            ..listener
        }
    }

    /// A gateway with both clients at both tenants.
    fn start(&self, tenant: &str) -> Site {
        let app = TestApp::start_with(&self.options(tenant));
        let own = [ACME, GLOBEX].map(|tenant| {
            let own = Certificate::self_signed(&name_at(tenant));
            clients_with_certificates(tenant, &own)
                .into_iter()
                .for_each(|client| app.store.put_client(client));
            own
        });
        Site { app, own }
    }
}

/// A gateway, and the self-signed certificates.
struct Site {
    app: TestApp,
    own: [Certificate; 2],
}

impl Site {
    fn own(&self, tenant: &str) -> &Certificate {
        &self.own[usize::from(tenant != ACME)]
    }

    /// Sends a request over TLS.
    async fn ask(&self, client: &Client, request: &str) -> Answer {
        send(&mut client.connect(self.app.addresses[TLS]).await, request).await
    }

    /// Requests a token.
    async fn fetch(&self, client: &Client, tenant: &str, id: &str) -> Answer {
        self.ask(client, &token_request(tenant, id)).await
    }

    /// Requests a token with these headers of a proxy.
    async fn through(
        &self,
        listener: usize,
        (tenant, id): (&str, &str),
        headers: &[(&'static str, String)],
    ) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let request = self.app.request_at(listener, reqwest::Method::POST, &token_path(tenant)).headers(map);
        Answer::to(request.form(&[("grant_type", "client_credentials"), ("client_id", id)])).await
    }
}

impl Certificate {
    /// With a new key.
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { der: parameters(name).self_signed(&key).unwrap().der().clone(), key }
    }

    /// The header in which a proxy passes the certificate on (RFC 9440).
    pub(crate) fn header(&self) -> String {
        format!(":{}:", BASE64.encode(&self.der))
    }

    pub(crate) fn thumbprint(&self) -> Thumbprint {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der);
        Thumbprint::new(digest.as_ref().try_into().unwrap())
    }

    /// The confirmation claim of tokens that are bound to the certificate.
    fn cnf(&self) -> Value {
        json!({ "x5t#S256": self.thumbprint() })
    }
}

fn behind(network: &str) -> TrustedPeers {
    TrustedPeers { from: vec![network.parse().unwrap()], header: ForwardingHeader::XForwardedFor }
}

pub(crate) fn clients_with_certificates(tenant: &str, own: &Certificate) -> [RegisteredClient; 2] {
    [issued_client(tenant), self_signed_client(tenant, &own.key)]
}

fn bound_client(tenant: &str, id: &str) -> RegisteredClient {
    RegisteredClient {
        tls_client_certificate_bound_access_tokens: true,
        secrets: Vec::new(),
        ..fixtures::client(&fixtures::tenant(tenant), id)
    }
}

/// Creates an intermediate authority.
fn authority_below(issuer: &CertifiedIssuer<'static, KeyPair>) -> CertifiedIssuer<'static, KeyPair> {
    let mut between = CertificateParams::new(Vec::new()).unwrap();
    between.distinguished_name.push(rcgen::DnType::CommonName, "between");
    between.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), issuer).unwrap()
}

fn issued_client(tenant: &str) -> RegisteredClient {
    let subject = CertificateSubject::parse(SubjectKind::Dns, &name_at(tenant)).unwrap();
    RegisteredClient {
        authentication_method: Method::TlsClientAuth,
        certificate_subject: Some(subject),
        ..bound_client(tenant, ISSUED)
    }
}

fn self_signed_client(tenant: &str, key: &KeyPair) -> RegisteredClient {
    let (x, y) = key.der_bytes()[1..].split_at(32);
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": BASE64URL.encode(x), "y": BASE64URL.encode(y) });
    RegisteredClient {
        authentication_method: Method::SelfSignedTlsClientAuth,
        keys: Some(ClientKeys::parse(&json!({ "keys": [jwk] }).to_string()).unwrap()),
        ..bound_client(tenant, SELF_SIGNED)
    }
}

fn post(path: &str, form: &[(&str, &str)]) -> String {
    let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (body, kind) = (body.join("&"), "Content-Type: application/x-www-form-urlencoded");
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::next(stream).await
}

fn token_request(tenant: &str, client: &str) -> String {
    post(&token_path(tenant), &[("grant_type", "client_credentials"), ("client_id", client)])
}

// [mutual-tls RFC 8705 §3]: A token is bound to the certificate of its request where client or tenant ask for
//   it, whatever the client authenticates with
// [mutual-tls RFC 8705 §3 b]: A protected resource refuses a bound token without its certificate with 401 and
//   `invalid_token`
// [mutual-tls RFC 8705 §3.1]: The token has `cnf` with `x5t#S256`, the SHA-256 of the certificate's DER
// [mutual-tls RFC 8705 §3.2]: Introspection shows it
// [mutual-tls RFC 8705 §7.2]: Certificates of other clients are not accepted: a collision of SHA-256 is what
//   it would take
// [mutual-tls RFC 8705 §2.1], [mutual-tls RFC 8705 §2.2], [rfc9700 §2.2.1]
#[tokio::test]
async fn certificate_gets_a_bound_token() {
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let site = pki.start(tenant);
        let issued = pki.issued(&name_at(tenant));
        for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, site.own(tenant))] {
            let client = pki.client(certificate);
            let token = site.fetch(&client, tenant, id).await.access_token();
            assert_eq!(claims_of(&token)["cnf"], certificate.cnf());

            let with_token = |path| post(&tenant_path(tenant, path), &[("client_id", id), ("token", &token)]);
            let [introspection, revocation] = ["/oauth/introspect", "/oauth/revoke"].map(with_token);
            let introspected = site.ask(&client, &introspection).await.json();
            assert_eq!((&introspected["active"], &introspected["cnf"]), (&json!(true), &certificate.cnf()));

            // Introspection and revocation accept the certificate, too. The resource accepts the
            // token only with its certificate.
            site.ask(&client, &get(RESOURCE, &token)).await.assert_status(200);
            let others = pki.client(&pki.issued(&name_at(tenant)));
            for client in [&pki.stranger(), &others] {
                let answer = site.ask(client, &get(RESOURCE, &token)).await;
                answer.assert_refused(401, "invalid_token", NOT_BOUND);
            }
            site.ask(&pki.client(&pki.issued("example.com")), &revocation).await.assert_unauthenticated();
            site.ask(&client, &revocation).await.assert_status(200);
            assert_eq!(site.ask(&client, &introspection).await.json(), json!({ "active": false }));
            // The other tenant's client with the same id has another certificate.
            site.fetch(&client, other, id).await.assert_unauthenticated();
        }
    }
}

// [parties #8]: an authority in `client_ca` of a tenant | issue certificates for clients of the tenant |
//   issue one for a client of another tenant
// [federation SPIFFE draft §3.2]
/// A tenant's own `client_ca` replaces the listener's authority, for this tenant only. Each
/// certificate is sent over TLS and through a proxy.
#[tokio::test]
async fn tenant_authorities_replace_those_of_the_listener() {
    let pki = Pki::new();
    let below = authority_below(&pki.other);
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let site = pki.start(tenant);
        site.app.change_tenant(tenant, |changed| changed.client_ca = Some(pki.other.pem()));
        let by_other = |name: &str| Pki::signed(&parameters(name), &pki.other);
        for (at, certificate, status) in [
            (tenant, by_other(&name_at(tenant)), 200),
            (tenant, pki.issued(&name_at(tenant)), 401),
            (tenant, by_other(&name_at(other)), 401),
            (other, pki.issued(&name_at(other)), 200),
            (other, by_other(&name_at(other)), 401),
        ] {
            let over_tls = site.fetch(&pki.client(&certificate), at, ISSUED).await;
            let header = [("Client-Cert", certificate.header())];
            let proxied = site.through(RFC_9440, (at, ISSUED), &header).await;
            assert_eq!((over_tls.status, proxied.status), (status, status), "{tenant} {at}: {over_tls:?}");
        }
        // The client sends the intermediate certificates.
        let leaf = Pki::signed(&parameters(&name_at(tenant)), &below);
        let chain = [
            ("Client-Cert", leaf.header()),
            ("Client-Cert-Chain", format!(":{}:", BASE64.encode(below.der()))),
        ];
        assert_eq!(site.through(RFC_9440, (tenant, ISSUED), &chain).await.status, 200);
        assert_eq!(site.through(RFC_9440, (tenant, ISSUED), &chain[..1]).await.status, 401);
    }
}

// [federation SPIFFE draft §3.2]: An X509-SVID is a leaf for signatures with exactly one URI, and its chain
//   leads to an authority of the tenant
// [federation SPIFFE draft §3.2 b]: `client_id` is the SPIFFE ID. Here it is the client's id, which may be
//   its SPIFFE ID | departs
/// X509-SVID §2 and §4: the client is registered by its URI.
#[tokio::test]
async fn svid_must_be_a_signing_leaf_with_one_uri() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let site = pki.start(tenant);
        let id = format!("spiffe://{tenant}.example/ns/prod/sa/billing");
        let subject = CertificateSubject::parse(SubjectKind::Uri, &id).unwrap();
        site.app
            .store
            .put_client(RegisteredClient { certificate_subject: Some(subject), ..issued_client(tenant) });
        let uri = |text: &str| rcgen::SanType::URI(text.try_into().unwrap());
        let svid = |names: &[&str], usages: &[rcgen::KeyUsagePurpose], is_authority: bool| {
            let mut parameters = CertificateParams::new(Vec::new()).unwrap();
            parameters.subject_alt_names = names.iter().map(|name| uri(name)).collect();
            parameters.key_usages = usages.to_vec();
            if is_authority {
                parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            }
            Pki::signed(&parameters, &pki.authority)
        };
        use rcgen::KeyUsagePurpose::{DigitalSignature, KeyAgreement};
        for (certificate, status) in [
            (svid(&[&id], &[DigitalSignature, KeyAgreement], false), 200),
            (svid(&[&id, "https://example.com"], &[DigitalSignature], false), 401),
            (svid(&[&id], &[KeyAgreement], false), 401),
            (svid(&[&id], &[], false), 401),
            (svid(&["spiffe://other.example/ns/prod/sa/billing"], &[DigitalSignature], false), 401),
            (svid(&[&id], &[DigitalSignature], true), 401),
        ] {
            let header = [("Client-Cert", certificate.header())];
            let answer = site.through(RFC_9440, (tenant, ISSUED), &header).await;
            assert_eq!(answer.status, status, "{tenant}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn certificates_are_counted_by_the_clients_method() {
    let pki = Pki::new();
    let site = pki.start(ACME);
    for tenant in [ACME, GLOBEX] {
        let (issued, mine) = (pki.issued(&name_at(tenant)), site.own(tenant));
        for (certificate, id, status) in [
            (&issued, ISSUED, 200),
            (mine, SELF_SIGNED, 200),
            (mine, SELF_SIGNED, 200),
            // The client's registration decides what is checked, whatever the certificate looks
            // like.
            (mine, ISSUED, 401),
            (&issued, SELF_SIGNED, 401),
            // An unknown client: the method in the log is guessed from the certificate.
            (&issued, "nobody", 401),
        ] {
            let answer = site.fetch(&pki.client(certificate), tenant, id).await;
            assert_eq!(answer.status, status, "{tenant} {id}: {answer:?}");
        }
    }
    let expected = [
        ("tls_client_auth", "accepted", 2.0),
        ("self_signed_tls_client_auth", "accepted", 4.0),
        ("tls_client_auth", "refused", 4.0),
        ("self_signed_tls_client_auth", "refused", 2.0),
        ("none", "refused", 0.0),
    ]
    .map(|(method, outcome, expected)| (authentications(method, outcome), expected));
    let mut numbers = Numbers::new();
    // A request is counted after its response.
    for _ in 0..1_000 {
        numbers = parse(&site.ask(&pki.stranger(), &get("/metrics", "")).await.body);
        if expected.iter().filter_map(|(series, _)| numbers.get(series)).sum::<f64>() >= 12.0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for (series, expected) in expected {
        assert_eq!(numbers.get(&series), Some(&expected), "{series}");
    }
    assert!(numbers.keys().all(|series| !series.contains("client_certificate")));
}

// [mutual-tls RFC 8705 §6.2]: A resumed session has the certificate of the handshake that began it
#[tokio::test]
async fn resumed_session_keeps_its_client_certificate() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let site = pki.start(tenant);
        let issued = pki.issued(&name_at(tenant));
        for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, site.own(tenant))] {
            let client = pki.client(certificate);
            let mut stream = client.connect(site.app.addresses[TLS]).await;
            for _ in 0..2 {
                send(&mut stream, &token_request(tenant, id)).await.access_token();
            }
            // The client resumes the session in another connection.
            let mut resumed = client.connect(site.app.addresses[TLS]).await;
            let token = send(&mut resumed, &token_request(tenant, id)).await.access_token();
            assert_eq!(resumed.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
            assert_eq!(claims_of(&token)["cnf"], certificate.cnf());
            send(&mut resumed, &get(RESOURCE, &token)).await.assert_status(200);
        }
    }
}

#[tokio::test]
async fn certificate_expiring_during_a_connection_is_refused() {
    let pki = Pki::new();
    let certificate = Pki::signed(&within(&name_at(ACME), 2025, 2027), &pki.authority);
    let site = pki.start(ACME);
    let mut stream = pki.client(&certificate).connect(site.app.addresses[TLS]).await;
    send(&mut stream, &token_request(ACME, ISSUED)).await.access_token();
    site.app.pass(367 * 86_400);
    send(&mut stream, &token_request(ACME, ISSUED)).await.assert_unauthenticated();
}

// [mutual-tls RFC 8705 §2]: The request names its client with `client_id`, so that its registration is found
// [mutual-tls RFC 8705 §2 c]: A certificate that is not the client's is `invalid_client`, like every other
//   refusal
#[tokio::test]
async fn certificate_refusal_reason_is_only_logged() {
    capture();
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let site = pki.start(tenant);
        let name = name_at(tenant);
        let signed = |parameters: &CertificateParams| pki.client(&Pki::signed(parameters, &pki.authority));
        let issued = || signed(&parameters(&name));
        let mine = site.own(tenant);
        let renewed = |from, until| {
            let der = within(&name, from, until).self_signed(&mine.key).unwrap().der().clone();
            with_certificate(&pki.server, der, &mine.key)
        };
        let of_other = pki.client(&Pki::signed(&parameters(&name), &pki.other));
        for (id, client, reason, claimed) in [
            (ISSUED, pki.stranger(), "credential_missing", ISSUED),
            (ISSUED, of_other, "certificate_not_trusted", ISSUED),
            (ISSUED, pki.client(mine), "certificate_not_trusted", ISSUED),
            (ISSUED, signed(&parameters(&name_at(other))), "certificate_of_another_subject", ISSUED),
            (ISSUED, signed(&parameters("example.com")), "certificate_of_another_subject", ISSUED),
            (ISSUED, signed(&within(&name, 2020, 2025)), "certificate_expired", ISSUED),
            (ISSUED, signed(&within(&name, 2027, 2028)), "certificate_not_yet_valid", ISSUED),
            (ISSUED, signed(&for_servers(&name)), "certificate_not_trusted", ISSUED),
            (SELF_SIGNED, pki.stranger(), "credential_missing", SELF_SIGNED),
            (SELF_SIGNED, pki.client(site.own(other)), "certificate_not_registered", SELF_SIGNED),
            (SELF_SIGNED, issued(), "certificate_not_registered", SELF_SIGNED),
            (SELF_SIGNED, renewed(2020, 2025), "certificate_expired", SELF_SIGNED),
            (SELF_SIGNED, renewed(2027, 2028), "certificate_not_yet_valid", SELF_SIGNED),
            ("no-such-client", issued(), "unknown_client", ""),
            ("mal%07formed", issued(), "malformed_credentials", ""),
        ] {
            let answer = site.fetch(&client, tenant, id).await;
            let line = line_of(&answer).await;
            let found = ["error", "reason", "claimed_client_id"].map(|name| line.get(name));
            assert_eq!(found, ["invalid_client", reason, claimed]);
            answer.assert_unauthenticated();
        }
        // A certificate in addition to a secret does not authenticate the client, and is not a
        // second method.
        let (secret, mine) = (site.app.secrets(tenant).of(SVC), pki.client(mine));
        let with_secret = |id| post(&token_path(tenant), &credentials(id, secret));
        assert_eq!(claims_of(&site.ask(&mine, &with_secret(SVC)).await.access_token()).get("cnf"), None);
        site.ask(&mine, &with_secret(SELF_SIGNED)).await.assert_unauthenticated();
        // A request without `client_id` names no client (RFC 8705 §2).
        let nobodys = post(&token_path(tenant), &[("grant_type", "client_credentials")]);
        site.ask(&mine, &nobodys).await.assert_refused(401, "invalid_client", "Missing client_id parameter");
    }
}

/// The header in each format.
fn forwarded(listener: usize, certificate: &Certificate) -> (&'static str, String) {
    if listener == PEM {
        let encoded =
            BASE64.encode(&certificate.der).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        ("x-client-cert", pem(&encoded) + "%0A")
    } else {
        ("client-cert", certificate.header())
    }
}

fn pem(body: &str) -> String {
    format!("-----BEGIN%20CERTIFICATE-----%0A{body}%0A-----END%20CERTIFICATE-----")
}

// [mutual-tls RFC 9440 §2.2]: `Client-Cert` is one byte sequence and occurs once
// [mutual-tls RFC 9440 §4]: The headers count only from a trusted proxy
#[tokio::test]
async fn only_a_trusted_proxy_may_forward_certificates() {
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let site = pki.start(tenant);
        let issued = pki.issued(&name_at(tenant));
        for (listener, wrong) in [(RFC_9440, PEM), (PEM, RFC_9440)] {
            for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, site.own(tenant))] {
                let header = forwarded(listener, certificate);
                let own = std::slice::from_ref(&header);
                let token = site.through(listener, (tenant, id), own).await.access_token();
                assert_eq!(claims_of(&token)["cnf"], certificate.cnf());
                let request = |name, value: &str| {
                    let request = site.app.request_at(listener, reqwest::Method::GET, RESOURCE);
                    request.header(AUTHORIZATION, format!("Bearer {token}")).header(name, value)
                };
                Answer::to(request(header.0, &header.1)).await.assert_status(200);
                let unbound = Answer::to(request("x-other", &header.1)).await;
                unbound.assert_refused(401, "invalid_token", NOT_BOUND);

                site.through(listener, (other, id), own).await.assert_unauthenticated();
                // The caller may have added one of the two headers.
                let words = "The header with the client certificate was sent more than once";
                let empty = (header.0, String::new());
                for two in [[header.clone(), header.clone()], [empty.clone(), header.clone()]] {
                    let refused = site.through(listener, (tenant, id), &two).await;
                    refused.assert_refused(400, "invalid_request", words);
                }
                // A proxy sends an empty header if there is no certificate.
                site.through(listener, (tenant, id), &[empty]).await.assert_unauthenticated();
                // The header of an untrusted peer is ignored, and so is a header with another name.
                let headers = [forwarded(RFC_9440, certificate), forwarded(PEM, certificate)];
                site.through(ELSEWHERE, (tenant, id), &headers).await.assert_unauthenticated();
                let by_other_name = [forwarded(wrong, certificate)];
                site.through(listener, (tenant, id), &by_other_name).await.assert_unauthenticated();
            }
        }
        // The certificate of the proxy's own connection is not the client's.
        let mut stream = pki.client(&issued).connect(site.app.addresses[TLS_OF_PROXY]).await;
        send(&mut stream, &token_request(tenant, ISSUED)).await.assert_unauthenticated();
    }
}

// [mutual-tls RFC 9440 §2.3]: `Client-Cert-Chain` is a list of byte sequences on one or more lines
#[tokio::test]
async fn chain_is_read_from_its_own_header() {
    let pki = Pki::new();
    let between = authority_below(&pki.authority);
    for tenant in [ACME, GLOBEX] {
        let site = pki.start(tenant);
        let leaf = forwarded(RFC_9440, &Pki::signed(&parameters(&name_at(tenant)), &between));
        let chain = |der: &[u8]| format!(":{}:", BASE64.encode(der));
        let (good, bad) = (chain(between.der()), chain(pki.other.der()));
        for (lines, status) in [
            (vec![], 401),
            (vec![good.clone()], 200),
            (vec![format!("{bad} , {good}")], 200),
            (vec![bad.clone(), good.clone()], 200),
            (vec![bad], 401),
            (vec![String::new()], 400),
            (vec![format!("{good},")], 400),
            (vec!["x".to_owned()], 400),
            (vec![good.clone(); 8], 400),
        ] {
            let mut headers = vec![leaf.clone()];
            headers.extend(lines.iter().map(|line| ("client-cert-chain", line.clone())));
            let answer = site.through(RFC_9440, (tenant, ISSUED), &headers).await;
            assert_eq!(answer.status, status, "{lines:?} {answer:?}");
        }
    }
}

/// Values that are not a certificate in the format of the listener.
fn unreadable(der: &[u8]) -> Vec<(usize, String)> {
    let encoded = BASE64.encode(der);
    let words = r#": :: ::: :a a: :*: :aaaaa: :AAAA:; :AAAA :AAAA:;a=1 (:AAAA:) "AAAA" ?1 1 AAAA :AAA-: :AAA_: :=AAA: :A===: @1"#;
    let with_blanks = [":AAAA: x", ":AA AA:", ":AAAA:, :AAAA:", "-----BEGIN CERTIFICATE-----", "%3AAAAA%3A"];
    let of_rfc_9440 = [
        encoded.clone(),
        format!(":{encoded}"),
        format!("{encoded}:"),
        format!(":{encoded}:;chain"),
        format!(":{}:", BASE64.encode(vec![0x30; 17_000])),
        pem(&encoded),
    ];
    let of_rfc_9440 = words.split(' ').chain(with_blanks).map(str::to_owned).chain(of_rfc_9440);
    let words = "x % %0 %zz %00 %FF%FE + -----BEGIN%20CERTIFICATE----- -----END%20CERTIFICATE----- %2E null)";
    let good = pem(&encoded);
    let of_pem = [
        encoded.clone(),
        format!(":{encoded}:"),
        pem(""),
        pem("*"),
        pem("AAAAA"),
        good.replace("CERTIFICATE", "PRIVATE%20KEY"),
        good.replace("-----END", "-----ENDE"),
        good.replace("BEGIN%20", "BEGIN"),
        good.replace("%0A", "%0A%0B"),
        format!("{good}%0A{}", pem("*")),
        vec![pem("AAAA"); 9].join("%0A"),
    ];
    let of_pem = words.split(' ').chain(["-----BEGIN CERTIFICATE-----"]).map(str::to_owned).chain(of_pem);
    let of_both =
        ["null", "none"].into_iter().flat_map(|word| [RFC_9440, PEM].map(|at| (at, word.to_owned())));
    let of_each = of_rfc_9440.map(|value| (RFC_9440, value)).chain(of_pem.map(|value| (PEM, value)));
    of_each.chain(of_both).collect()
}

// [mutual-tls RFC 9440 §2.2]
#[tokio::test]
async fn malformed_headers_are_refused() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let site = pki.start(tenant);
        let der = pki.issued(&name_at(tenant)).der;
        let rows = unreadable(&der);
        // Bytes that are not a certificate are refused like any wrong certificate.
        let bytes = [&der[..1], &der[..64], &der[1..], &[0x30, 0][..], &[0; 32], b"x"];
        let refused = bytes.map(|bytes| BASE64.encode(bytes)).into_iter().flat_map(|encoded| {
            [(RFC_9440, format!(":{encoded}:")), (PEM, pem(&encoded.replace('+', "%2B")))]
        });
        assert!(rows.len() + 12 >= 60, "{}", rows.len());
        let name = |listener| if listener == PEM { "x-client-cert" } else { "client-cert" };
        for (listener, value) in rows {
            println!("{listener} {value}");
            let answer = site.through(listener, (tenant, ISSUED), &[(name(listener), value)]).await;
            let words = "The server cannot read the header with the client certificate";
            answer.assert_refused(400, "invalid_request", words);
        }
        for (listener, value) in refused {
            println!("{listener} {value}");
            for id in [ISSUED, SELF_SIGNED] {
                let answer = site.through(listener, (tenant, id), &[(name(listener), value.clone())]).await;
                answer.assert_unauthenticated();
            }
        }
    }
}

// [mutual-tls RFC 8705 §2.1.1, §2.2.1]: Metadata lists the methods, where a listener reads certificates
// [mutual-tls RFC 8705 §3.3, §3.4]: Metadata and registration have
//   `tls_client_certificate_bound_access_tokens`
// [mutual-tls RFC 8705 §5]: Metadata has `mtls_endpoint_aliases`, so that clients without certificates are
//   asked for none; where people sign in also for pushed requests, devices and userinfo
#[tokio::test]
async fn metadata_lists_certificate_methods_and_endpoints() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let app = pki.start(tenant).app;
        let path = tenant_path(tenant, "/.well-known/oauth-authorization-server");
        let document =
            async || Answer::to(app.request_at(RFC_9440, reqwest::Method::GET, &path)).await.json();
        let base = format!("https://mtls.example.com/api/v1/tenant/{tenant}/oauth");
        let aliases = json!({
            "token_endpoint": format!("{base}/token"),
            "introspection_endpoint": format!("{base}/introspect"),
            "revocation_endpoint": format!("{base}/revoke"),
        });
        let found = document().await;
        assert_eq!(found["mtls_endpoint_aliases"], aliases);
        assert_eq!(found["tls_client_certificate_bound_access_tokens"], true);
        assert_eq!(found["token_endpoint_auth_methods_supported"], json!(Method::SERVED));
        app.change_provider(tenant, |_| ());
        let with_people = document().await;
        for (name, path) in [
            ("pushed_authorization_request_endpoint", "par"),
            ("device_authorization_endpoint", "device_authorization"),
            ("userinfo_endpoint", "userinfo"),
        ] {
            assert_eq!(with_people["mtls_endpoint_aliases"][name], format!("{base}/{path}"));
        }

        let without = TestApp::start().get(&path).await.json();
        assert_eq!(without["token_endpoint_auth_methods_supported"], json!(Method::WITHOUT_CERTIFICATES));
        for member in ["mtls_endpoint_aliases", "tls_client_certificate_bound_access_tokens"] {
            assert!(without.get(member).is_none(), "{member}");
        }
    }
}

// [mutual-tls RFC 8705 §3 b]
#[tokio::test]
async fn admin_api_requires_the_certificate_of_bound_tokens() {
    let pki = Pki::new();
    let mine = pki.issued("boss.example.com");
    let test_env = TestEnv::over(TestApp::start_with(&pki.options(ACME)));
    let shown = async |client: &Client, tenant: &str, token: &str| {
        let mut stream = client.connect(test_env.app.addresses[TLS]).await;
        send(&mut stream, &get(&clients_path(tenant), token)).await
    };
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let claims = but(admin_claims(tenant, BOSS, "latchkey:clients"), json!({ "cnf": mine.cnf() }));
        let token = Forge::from_tenant(tenant).token(&claims);
        shown(&pki.client(&mine), tenant, &token).await.assert_status(200);
        for client in [pki.stranger(), pki.client(&pki.issued("boss.example.com"))] {
            shown(&client, tenant, &token).await.assert_status(401);
        }
        shown(&pki.client(&mine), other, &token).await.assert_status(401);
    }
}

// [mutual-tls RFC 8705 §3]
#[tokio::test]
async fn required_binding_applies_to_clients_with_secrets() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let site = pki.start(tenant);
        site.app.change_tenant(tenant, |tenant| tenant.access_token.require_sender_constraint = true);
        let request = post(&token_path(tenant), &credentials(AUDITOR, site.app.secrets(tenant).of(AUDITOR)));
        let mine = site.own(tenant);
        assert_eq!(claims_of(&site.ask(&pki.client(mine), &request).await.access_token())["cnf"], mine.cnf());
        site.ask(&pki.stranger(), &request).await.assert_status(400);
    }
}

/// Explains a certificate. Returns the whole response, and the named checks.
async fn explained<const N: usize>(
    test_env: &TestEnv,
    (tenant, id): (&str, &str),
    certificate: Option<String>,
    names: [&str; N],
) -> (Value, [Value; N]) {
    let boss = test_env.token(tenant, BOSS).await;
    let method = if id == ISSUED { Method::TlsClientAuth } else { Method::SelfSignedTlsClientAuth };
    let body = json!({ "token_endpoint_auth_method": method.as_str(), "client_certificate": certificate });
    let path = format!("{}/{id}/explain", clients_path(tenant));
    let explained = test_env.post(&boss, &path, body).await.json();
    let checks = explained["credential"]["checks"].as_array().unwrap();
    let found = names.map(|name| checks.iter().find(|check| check["name"] == name).unwrap().clone());
    (explained, found)
}

#[tokio::test]
async fn certificate_is_explained_without_its_chain() {
    let pki = Pki::new();
    let options = Options { listeners: options(ACME).listeners, ..pki.options(ACME) };
    let test_env = TestEnv::over(TestApp::start_with(&options));
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let key = KeyPair::generate().unwrap();
        for client in [issued_client(tenant), self_signed_client(tenant, &key)] {
            test_env.app.store.put_client(client);
        }
        let name = name_at(tenant);
        let pem = |parameters: CertificateParams| Some(parameters.self_signed(&key).unwrap().pem());
        let own = || pem(parameters(&name));
        let expired = || pem(within(&name, 2001, 2002));
        let foreign = parameters(&name).self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        for (id, certificate, result, reason) in [
            (ISSUED, None, "not_checked", None),
            (SELF_SIGNED, None, "not_checked", None),
            (ISSUED, own(), "passed", None),
            (SELF_SIGNED, own(), "passed", None),
            (ISSUED, pem(parameters(&name_at(other))), "refused", Some("certificate_of_another_subject")),
            (ISSUED, expired(), "refused", Some("certificate_expired")),
            (ISSUED, Some("x".to_owned()), "refused", Some("certificate_malformed")),
            (SELF_SIGNED, expired(), "refused", Some("certificate_expired")),
            (SELF_SIGNED, Some(foreign), "refused", Some("certificate_not_registered")),
        ] {
            let (explained, [check]) = explained(&test_env, (tenant, id), certificate, ["certificate"]).await;
            assert_eq!((&check["result"], &check["reason"]), (&json!(result), &json!(reason)), "{explained}");
            assert_eq!(check["fix"].is_string(), result == "refused", "{explained}");
            let status = if result == "refused" { 401 } else { 200 };
            assert_eq!(explained["result"]["status"], status, "{id} {explained}");
        }
        let boss = test_env.token(tenant, BOSS).await;
        let path = format!("{}/{ISSUED}/explain", clients_path(tenant));
        let answer = test_env.post(&boss, &path, json!({ "client_certificate": "x" })).await;
        answer.assert_faulty(&["/client_certificate"]);
    }
}

/// An explanation verifies the chain as the listeners do, and compares the subject even without a
/// chain.
#[tokio::test]
async fn explained_chain_uses_the_listeners_authorities() {
    let pki = Pki::new();
    let listeners = [options(ACME).listeners, pki.options(ACME).listeners].concat();
    let test_env = TestEnv::over(TestApp::start_with(&Options { listeners, ..pki.options(ACME) }));
    let between = authority_below(&pki.authority);
    let untrusted = |subject| (["refused", subject], Some("chain"), Some("certificate_not_trusted"));
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        test_env.app.store.put_client(issued_client(tenant));
        let key = KeyPair::generate().unwrap();
        let [own, others] = [tenant, other].map(name_at);
        let signed = |parameters: CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>| {
            parameters.signed_by(&key, issuer).unwrap().pem()
        };
        let passed = (["passed", "passed"], None, None);
        let expired = (["refused", "passed"], Some("chain"), Some("certificate_expired"));
        let elsewhere = (["passed", "refused"], Some("certificate"), Some("certificate_of_another_subject"));
        let chained = signed(parameters(&own), &between);
        for (certificate, (results, check, reason)) in [
            (signed(parameters(&own), &pki.authority), passed),
            (format!("{chained}{}", between.pem()), passed),
            (chained, untrusted("passed")),
            (signed(parameters(&own), &pki.other), untrusted("passed")),
            (signed(within(&own, 2001, 2002), &pki.authority), expired),
            (signed(for_servers(&own), &pki.authority), untrusted("passed")),
            (signed(parameters(&others), &pki.authority), elsewhere),
            (signed(parameters(&others), &pki.other), untrusted("refused")),
        ] {
            let (explained, found) =
                explained(&test_env, (tenant, ISSUED), Some(certificate), ["chain", "certificate"]).await;
            assert_eq!(found.each_ref().map(|check| text(check, "result")), results, "{explained}");
            let result = &explained["result"];
            assert_eq!((result["check"].as_str(), result["reason"].as_str()), (check, reason), "{explained}");
            let [chain, subject] = found.each_ref().map(|check| text(check, "detail"));
            for source in ["`server.listeners[1].tls`", "`server.listeners[2].trusted_proxies`"] {
                assert!(chain.contains(source), "{chain}");
            }
            if results[1] == "refused" {
                assert!(subject.contains(&format!("`{own}`; the certificate has {others}.")), "{subject}");
            }
        }
    }
}

/// The listener trusts the authorities of two tenants: `client_ca` belongs to the listener, and
/// each listener serves all tenants. docs/client-certificates.md describes the consequence.
#[tokio::test]
async fn listener_authority_is_trusted_for_all_tenants() {
    for tenant in [ACME, GLOBEX] {
        let pki = Pki::new();
        let both = format!("{}{}", pki.authority.pem(), pki.other.pem());
        let site = pki.start(tenant);
        let forged = pki.client(&Pki::signed(&parameters(&name_at(tenant)), &pki.other));
        // The certificate has the client's subject, but its authority is not trusted.
        site.fetch(&forged, tenant, ISSUED).await.assert_unauthenticated();
        drop(site);
        // With the other tenant's authority in the file, this tenant accepts the certificate, too.
        std::fs::write(pki.files.path("ca.pem"), both).unwrap();
        let site = pki.start(tenant);
        site.fetch(&forged, tenant, ISSUED).await.assert_status(200);
        // A registered key or certificate is not affected, because no authority can issue one.
        site.fetch(&forged, tenant, SELF_SIGNED).await.assert_unauthenticated();
        site.fetch(&pki.client(site.own(tenant)), tenant, SELF_SIGNED).await.assert_status(200);
    }
}

#[tokio::test]
async fn name_constraints_of_an_authority_are_enforced() {
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let pki = Pki::new();
        let mut constrained = parameters("constrained");
        constrained.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        constrained.name_constraints = Some(rcgen::NameConstraints {
            permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName(format!("{tenant}.example.com"))],
            excluded_subtrees: Vec::new(),
        });
        let of_tenant = CertifiedIssuer::self_signed(constrained, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(pki.files.path("ca.pem"), of_tenant.pem()).unwrap();
        let site = pki.start(tenant);
        for (tenant, expected) in [(tenant, 200), (other, 401)] {
            let issued = Pki::signed(&parameters(&name_at(tenant)), &of_tenant);
            let answer = site.fetch(&pki.client(&issued), tenant, ISSUED).await;
            assert_eq!(answer.status, expected, "{tenant}: {answer:?}");
        }
    }
}
