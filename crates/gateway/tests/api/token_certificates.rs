//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705): a client authenticates with a certificate, over TLS or through a
//! trusted proxy, and its tokens are bound to the certificate where it asks for that.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
use gateway::{
    CertificateFormat, ClientCertificateHeader, ClientCertificates, ForwardingHeader, Listener, Options,
    ReadFile, Surface, TrustedProxies,
};
use protocol::{ClientAuthenticationMethod as Method, Thumbprint};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, PublicKeyData as _, date_time_ymd};
use registry::{CertificateSubject, Client as RegisteredClient, ClientKeys, SubjectKind};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use rustls::HandshakeKind;
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use testkit::fixtures;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use crate::access_log::line_of;
use crate::administrators::{BOSS, TestEnv};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, options, tenant_path, token_path};
use crate::capture::capture;
use crate::client_fixtures::{AUDITOR, SVC};
use crate::explanations::Explained;
use crate::forge::{Forge, but, claims};
use crate::metrics::{Numbers, authentications, parse};
use crate::tls::{Client, Files, authority, nameless, with_certificate};

/// The client with a certificate of the authority, at both tenants.
pub(crate) const ISSUED: &str = "issued";
/// The client with a certificate of its own, at both tenants.
pub(crate) const SELF_SIGNED: &str = "self-signed";
const RESOURCE: &str = "/api/v1/protected-resource";
const REFUSED: &str = "Client authentication failed";

/// The listeners: with TLS, behind a proxy with each format, behind a proxy that passes nothing on, behind a proxy that is elsewhere.
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

    fn options(&self, tenant: &str) -> Options {
        let plain = Listener::new(([127, 0, 0, 1], 0).into(), Surface { public: true, admin: true });
        let tls = self.files.tls_with(Some("ca.pem"), Some(ClientCertificates::Optional)).unwrap();
        let proxied = |network, name, format| self.proxied(plain.clone(), network, name, format);
        let listeners = vec![
            Listener { tls: Some(tls.clone()), ..plain.clone() },
            proxied("127.0.0.0/8", "Client-Cert", CertificateFormat::Rfc9440),
            proxied("127.0.0.0/8", "X-Client-Cert", CertificateFormat::UrlEncodedPem),
            Listener { tls: Some(tls), trusted_proxies: Some(behind("127.0.0.0/8")), ..plain.clone() },
            proxied("192.0.2.0/24", "Client-Cert", CertificateFormat::Rfc9440),
        ];
        let mtls_url = Some("https://mtls.example.com/".to_owned());
        Options { listeners, mtls_url, ..options(tenant) }
    }

    /// The listener behind proxies of this network, which pass certificates of clients on.
    pub(crate) fn proxied(
        &self,
        listener: Listener,
        network: &str,
        name: &str,
        format: CertificateFormat,
    ) -> Listener {
        let (ca, read): (_, ReadFile) =
            (self.files.path("ca.pem"), |path: &Path| std::fs::read(path).map(Zeroizing::new));
        let name = ClientCertificateHeader::name(name).unwrap();
        let header = ClientCertificateHeader::open(name, format, Some(&ca), read).unwrap();
        Listener {
            trusted_proxies: Some(behind(network)),
            client_certificate_header: Some(header),
            ..listener
        }
    }

    /// A gateway of these listeners with both clients at both tenants, and the certificates of the self-signed ones.
    fn start(&self, tenant: &str) -> (TestApp, [Certificate; 2]) {
        let app = TestApp::start_with(&self.options(tenant));
        let own = [ACME, GLOBEX].map(|tenant| {
            let own = Certificate::self_signed(&name_at(tenant));
            clients_with_certificates(tenant, &own).into_iter().for_each(|client| put(&app, client));
            own
        });
        (app, own)
    }
}

impl Certificate {
    /// Of a key of its own.
    pub(crate) fn self_signed(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { der: parameters(name).self_signed(&key).unwrap().der().clone(), key }
    }

    /// As a proxy passes it on (RFC 9440).
    pub(crate) fn header(&self) -> String {
        format!(":{}:", BASE64.encode(&self.der))
    }

    pub(crate) fn thumbprint(&self) -> Thumbprint {
        thumbprint(&self.der)
    }
}

fn behind(network: &str) -> TrustedProxies {
    TrustedProxies { from: vec![network.parse().unwrap()], header: ForwardingHeader::XForwardedFor }
}

/// Both clients with certificates at this tenant.
pub(crate) fn clients_with_certificates(tenant: &str, own: &Certificate) -> [RegisteredClient; 2] {
    [issued_client(tenant), self_signed_client(tenant, &own.key)]
}

fn put(app: &TestApp, client: RegisteredClient) {
    app.store.put_client(client);
}

fn bound_client(tenant: &str, id: &str) -> RegisteredClient {
    RegisteredClient {
        tls_client_certificate_bound_access_tokens: true,
        secrets: Vec::new(),
        ..fixtures::client(&fixtures::tenant(tenant), id)
    }
}

fn authority_signed_by(issuer: &CertifiedIssuer<'static, KeyPair>) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = parameters("between");
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::signed_by(parameters, KeyPair::generate().unwrap(), issuer).unwrap()
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

fn own<'a>(certificates: &'a [Certificate; 2], tenant: &str) -> &'a Certificate {
    &certificates[usize::from(tenant != ACME)]
}

fn post(path: &str, form: &[(&str, &str)]) -> String {
    let body = form.iter().fold(String::new(), |mut body, (name, value)| {
        let _ = write!(body, "{}{name}={value}", if body.is_empty() { "" } else { "&" });
        body
    });
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
}

async fn send(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::next_of(stream).await
}

async fn over_tls(app: &TestApp, client: &Client, request: &str) -> Answer {
    send(&mut client.connect(app.addresses[TLS]).await, request).await
}

fn token_request(tenant: &str, client: &str) -> String {
    post(&token_path(tenant), &[("grant_type", "client_credentials"), ("client_id", client)])
}

fn token_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&BASE64URL.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn thumbprint(der: &[u8]) -> Thumbprint {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    Thumbprint::new(digest.as_ref().try_into().unwrap())
}

#[tokio::test]
async fn a_certificate_gets_a_token_that_is_bound_to_it() {
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (app, certificates) = pki.start(tenant);
        let issued = pki.issued(&name_at(tenant));
        for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, own(&certificates, tenant))] {
            let client = pki.client(certificate);
            let token = token_of(&over_tls(&app, &client, &token_request(tenant, id)).await);
            let cnf = json!({ "x5t#S256": thumbprint(&certificate.der) });
            assert_eq!(claims_of(&token)["cnf"], cnf);

            let introspection =
                post(&tenant_path(tenant, "/oauth/introspect"), &[("client_id", id), ("token", &token)]);
            let introspected = over_tls(&app, &client, &introspection).await.json();
            assert_eq!((&introspected["active"], &introspected["cnf"]), (&json!(true), &cnf));

            // Introspection and revocation take the certificate, too; the resource takes the token with its certificate alone.
            assert_eq!(over_tls(&app, &client, &get(RESOURCE, &token)).await.status, 200);
            let others = pki.client(&pki.issued(&name_at(tenant)));
            for client in [&nameless(&pki.server), &others] {
                let answer = over_tls(&app, client, &get(RESOURCE, &token)).await;
                answer.assert_refused(
                    401,
                    "invalid_token",
                    "Token is not bound to the client certificate of the request",
                );
            }
            let revocation =
                post(&tenant_path(tenant, "/oauth/revoke"), &[("client_id", id), ("token", &token)]);
            let stranger = pki.client(&pki.issued("example.com"));
            let refused = over_tls(&app, &stranger, &revocation).await;
            refused.assert_refused(401, "invalid_client", REFUSED);
            assert_eq!(over_tls(&app, &client, &revocation).await.status, 200);
            assert_eq!(over_tls(&app, &client, &introspection).await.json(), json!({ "active": false }));
            // The other tenant has a client of this id, which has another certificate.
            let answer = over_tls(&app, &client, &token_request(other, id)).await;
            answer.assert_refused(401, "invalid_client", REFUSED);
        }
    }
}

#[tokio::test]
async fn certificates_are_counted_under_the_method_of_their_client() {
    let pki = Pki::new();
    let (app, certificates) = pki.start(ACME);
    for tenant in [ACME, GLOBEX] {
        let (issued, mine) = (pki.issued(&name_at(tenant)), own(&certificates, tenant));
        for (certificate, id, status) in [
            (&issued, ISSUED, 200),
            (mine, SELF_SIGNED, 200),
            (mine, SELF_SIGNED, 200),
            // The client decides what is checked, whatever its certificate looks like.
            (mine, ISSUED, 401),
            (&issued, SELF_SIGNED, 401),
            // A client that the tenant does not have: as the certificate looks.
            (&issued, "nobody", 401),
        ] {
            let answer = over_tls(&app, &pki.client(certificate), &token_request(tenant, id)).await;
            assert_eq!(answer.status, status, "{tenant} {id}: {answer:?}");
        }
    }
    let expected = [
        ("tls_client_auth", "accepted", 2.0),
        ("self_signed_tls_client_auth", "accepted", 4.0),
        ("tls_client_auth", "refused", 4.0),
        ("self_signed_tls_client_auth", "refused", 2.0),
        ("none", "refused", 0.0),
    ];
    let mut numbers = Numbers::new();
    // A request is counted after its answer.
    for _ in 0..1_000 {
        let answer = over_tls(&app, &nameless(&pki.server), &get("/metrics", "")).await;
        numbers = parse(&answer.body);
        let all: f64 = expected
            .iter()
            .filter_map(|(method, outcome, _)| numbers.get(&authentications(method, outcome)))
            .sum();
        if all >= 12.0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for (method, outcome, expected) in expected {
        let series = authentications(method, outcome);
        assert_eq!(numbers.get(&series), Some(&expected), "{series}");
    }
    assert!(numbers.keys().all(|series| !series.contains("client_certificate")));
}

#[tokio::test]
async fn a_connection_keeps_its_certificate_and_so_does_a_resumed_session() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let (app, certificates) = pki.start(tenant);
        let (mine, issued) = (own(&certificates, tenant), pki.issued(&name_at(tenant)));
        for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, mine)] {
            let client = pki.client(certificate);
            let mut stream = client.connect(app.addresses[TLS]).await;
            for _ in 0..2 {
                token_of(&send(&mut stream, &token_request(tenant, id)).await);
            }
            // The client begins another connection with the session of the first one.
            let mut resumed = client.connect(app.addresses[TLS]).await;
            let token = token_of(&send(&mut resumed, &token_request(tenant, id)).await);
            assert_eq!(resumed.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
            assert_eq!(claims_of(&token)["cnf"]["x5t#S256"], thumbprint(&certificate.der).to_string());
            assert_eq!(send(&mut resumed, &get(RESOURCE, &token)).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_certificate_that_ends_during_a_connection_authenticates_no_more() {
    let pki = Pki::new();
    let mut until_2027 = parameters(&name_at(ACME));
    (until_2027.not_before, until_2027.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2027, 1, 1));
    let certificate = Pki::signed(&until_2027, &pki.authority);
    let (app, _) = pki.start(ACME);
    let mut stream = pki.client(&certificate).connect(app.addresses[TLS]).await;
    token_of(&send(&mut stream, &token_request(ACME, ISSUED)).await);
    app.pass(366 * 86_400);
    let answer = send(&mut stream, &token_request(ACME, ISSUED)).await;
    answer.assert_refused(401, "invalid_client", REFUSED);
}

#[tokio::test]
async fn a_refused_certificate_names_its_reason_to_the_log_alone() {
    capture();
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (app, certificates) = pki.start(tenant);
        let named = parameters(&name_at(tenant));
        let within = |from, until| {
            let mut parameters = named.clone();
            (parameters.not_before, parameters.not_after) =
                (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 2));
            parameters
        };
        let mut for_servers = named.clone();
        for_servers.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let signed = |parameters: &CertificateParams| pki.client(&Pki::signed(parameters, &pki.authority));
        let mine = own(&certificates, tenant);
        let renewed = |from, until| {
            let der = within(from, until).self_signed(&mine.key).unwrap().der().clone();
            with_certificate(&pki.server, der, &mine.key)
        };
        for (id, client, reason, claimed) in [
            (ISSUED, nameless(&pki.server), "credential_missing", ""),
            (ISSUED, pki.client(&Pki::signed(&named, &pki.other)), "certificate_not_trusted", ISSUED),
            (ISSUED, pki.client(mine), "certificate_not_trusted", ISSUED),
            (ISSUED, pki.client(&pki.issued(&name_at(other))), "certificate_of_another_subject", ISSUED),
            (ISSUED, pki.client(&pki.issued("example.com")), "certificate_of_another_subject", ISSUED),
            (ISSUED, signed(&within(2020, 2025)), "certificate_expired", ISSUED),
            (ISSUED, signed(&within(2027, 2028)), "certificate_not_yet_valid", ISSUED),
            (ISSUED, signed(&for_servers), "certificate_not_trusted", ISSUED),
            (SELF_SIGNED, nameless(&pki.server), "credential_missing", ""),
            (SELF_SIGNED, pki.client(own(&certificates, other)), "certificate_not_registered", SELF_SIGNED),
            (SELF_SIGNED, signed(&named), "certificate_not_registered", SELF_SIGNED),
            (SELF_SIGNED, renewed(2020, 2025), "certificate_expired", SELF_SIGNED),
            (SELF_SIGNED, renewed(2027, 2028), "certificate_not_yet_valid", SELF_SIGNED),
            ("no-such-client", signed(&named), "unknown_client", ""),
            ("mal%07formed", signed(&named), "malformed_credentials", ""),
        ] {
            let answer = over_tls(&app, &client, &token_request(tenant, id)).await;
            let line = line_of(&answer).await;
            let found = ["error", "reason", "claimed_client_id"].map(|name| line.get(name));
            assert_eq!(found, ["invalid_client", reason, claimed]);
            answer.assert_refused(401, "invalid_client", REFUSED);
        }
        // A certificate beside a secret authenticates nobody, and is no second method.
        let secret = app.secrets(tenant).of(SVC);
        let form = [("grant_type", "client_credentials"), ("client_id", SVC), ("client_secret", secret)];
        let with_secret = over_tls(&app, &pki.client(mine), &post(&token_path(tenant), &form)).await;
        assert_eq!(claims_of(&token_of(&with_secret)).get("cnf"), None);
        let form =
            [("grant_type", "client_credentials"), ("client_id", SELF_SIGNED), ("client_secret", secret)];
        let answer = over_tls(&app, &pki.client(mine), &post(&token_path(tenant), &form)).await;
        answer.assert_refused(401, "invalid_client", REFUSED);
        // A request without client_id names no client (RFC 8705 section 2).
        let answer = over_tls(
            &app,
            &pki.client(mine),
            &post(&token_path(tenant), &[("grant_type", "client_credentials")]),
        )
        .await;
        answer.assert_refused(401, "invalid_client", "Missing client_id parameter");
    }
}

/// The header of each format.
fn forwarded(listener: usize, certificate: &Certificate) -> (&'static str, String) {
    if listener == PEM {
        let encoded =
            BASE64.encode(&certificate.der).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let pem = format!("-----BEGIN%20CERTIFICATE-----%0A{encoded}%0A-----END%20CERTIFICATE-----%0A");
        ("x-client-cert", pem)
    } else {
        ("client-cert", format!(":{}:", BASE64.encode(&certificate.der)))
    }
}

async fn through(
    app: &TestApp,
    listener: usize,
    tenant: &str,
    id: &str,
    headers: &[(&'static str, String)],
) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let request = app.request_at(listener, reqwest::Method::POST, &token_path(tenant)).headers(map);
    Answer::to(request.form(&[("grant_type", "client_credentials"), ("client_id", id)])).await
}

#[tokio::test]
async fn a_trusted_proxy_passes_the_certificate_on_and_no_other_peer_does() {
    let pki = Pki::new();
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let (app, certificates) = pki.start(tenant);
        let issued = pki.issued(&name_at(tenant));
        for listener in [RFC_9440, PEM] {
            for (id, certificate) in [(ISSUED, &issued), (SELF_SIGNED, own(&certificates, tenant))] {
                let header = forwarded(listener, certificate);
                let answer = through(&app, listener, tenant, id, std::slice::from_ref(&header)).await;
                let token = token_of(&answer);
                assert_eq!(claims_of(&token)["cnf"]["x5t#S256"], thumbprint(&certificate.der).to_string());
                let request = |name, value: &str| {
                    let request = app.request_at(listener, reqwest::Method::GET, RESOURCE);
                    request.header(AUTHORIZATION, format!("Bearer {token}")).header(name, value)
                };
                assert_eq!(Answer::to(request(header.0, &header.1)).await.status, 200);
                let words = "Token is not bound to the client certificate of the request";
                Answer::to(request("x-other", &header.1)).await.assert_refused(401, "invalid_token", words);

                let answer = through(&app, listener, other, id, std::slice::from_ref(&header)).await;
                answer.assert_refused(401, "invalid_client", REFUSED);
                // Two headers: one may be the caller's.
                let words = "The header with the client certificate was sent more than once";
                let twice = [header.clone(), header.clone()];
                through(&app, listener, tenant, id, &twice).await.assert_refused(
                    400,
                    "invalid_request",
                    words,
                );
                let with_empty = [(header.0, String::new()), header.clone()];
                through(&app, listener, tenant, id, &with_empty).await.assert_refused(
                    400,
                    "invalid_request",
                    words,
                );
                // An empty one is how a proxy says that there is none.
                let answer = through(&app, listener, tenant, id, &[(header.0, String::new())]).await;
                answer.assert_refused(401, "invalid_client", REFUSED);
                // Of a peer that is no trusted proxy, or by another name, it has no effect.
                let headers = [forwarded(RFC_9440, certificate), forwarded(PEM, certificate)];
                let answer = through(&app, ELSEWHERE, tenant, id, &headers).await;
                answer.assert_refused(401, "invalid_client", REFUSED);
                let wrong = if listener == PEM { RFC_9440 } else { PEM };
                let answer = through(&app, listener, tenant, id, &[forwarded(wrong, certificate)]).await;
                answer.assert_refused(401, "invalid_client", REFUSED);
            }
        }
        // The certificate of a proxy's own connection is not the client's.
        let client = pki.client(&issued);
        let mut stream = client.connect(app.addresses[TLS_OF_PROXY]).await;
        send(&mut stream, &token_request(tenant, ISSUED)).await.assert_refused(
            401,
            "invalid_client",
            REFUSED,
        );
    }
}

#[tokio::test]
async fn the_chain_comes_in_a_header_of_its_own() {
    let pki = Pki::new();
    let mut between = CertificateParams::new(Vec::new()).unwrap();
    between.distinguished_name.push(rcgen::DnType::CommonName, "between");
    between.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let between = CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), &pki.authority).unwrap();
    for tenant in [ACME, GLOBEX] {
        let (app, _) = pki.start(tenant);
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
            let answer = through(&app, RFC_9440, tenant, ISSUED, &headers).await;
            assert_eq!(answer.status, status, "{lines:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn malformed_headers_are_refused() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let (app, _) = pki.start(tenant);
        let der = pki.issued(&name_at(tenant)).der;
        let encoded = BASE64.encode(&der);
        let pem =
            |body: &str| format!("-----BEGIN%20CERTIFICATE-----%0A{body}%0A-----END%20CERTIFICATE-----");
        let mut rows: Vec<(usize, String)> = Vec::new();
        for text in [
            ":",
            "::",
            ":::",
            ":a",
            "a:",
            ":*:",
            ":aaaaa:",
            ":AAAA:;",
            ":AAAA",
            ":AAAA:;a=1",
            ":AAAA: x",
            "(:AAAA:)",
            "\"AAAA\"",
            "?1",
            "1",
            "AAAA",
            ":AA AA:",
            ":AAAA:, :AAAA:",
            ":AAA-:",
            ":AAA_:",
            ":=AAA:",
            ":A===:",
            "@1",
            "null",
            "none",
            "-----BEGIN CERTIFICATE-----",
            "%3AAAAA%3A",
        ] {
            rows.push((RFC_9440, text.to_owned()));
        }
        rows.push((RFC_9440, encoded.clone()));
        rows.push((RFC_9440, format!(":{encoded}")));
        rows.push((RFC_9440, format!("{encoded}:")));
        rows.push((RFC_9440, format!(":{encoded}:;chain")));
        rows.push((RFC_9440, format!(":{}:", BASE64.encode(vec![0x30; 17_000]))));
        rows.push((RFC_9440, pem(&encoded)));
        for text in [
            "x",
            "%",
            "%0",
            "%zz",
            "%00",
            "%FF%FE",
            "+",
            "-----BEGIN%20CERTIFICATE-----",
            "-----END%20CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----",
            "%2D",
            "null",
            "(null)",
            "none",
        ] {
            rows.push((PEM, text.to_owned()));
        }
        rows.push((PEM, encoded.clone()));
        rows.push((PEM, format!(":{encoded}:")));
        rows.push((PEM, pem("")));
        rows.push((PEM, pem("*")));
        rows.push((PEM, pem("AAAAA")));
        rows.push((PEM, pem(&encoded).replace("CERTIFICATE", "PRIVATE%20KEY")));
        rows.push((PEM, pem(&encoded).replace("-----END", "-----ENDE")));
        rows.push((PEM, pem(&encoded).replace("BEGIN%20", "BEGIN")));
        rows.push((PEM, pem(&encoded).replace("%0A", "")));
        rows.push((PEM, format!("{}%0A{}", pem(&encoded), pem("*"))));
        rows.push((PEM, vec![pem("AAAA"); 9].join("%0A")));
        // Bytes that are no certificate fail like any other certificate.
        let mut refused: Vec<(usize, String)> = Vec::new();
        for bytes in [&der[..1], &der[..64], &der[1..], &[0x30, 0][..], &[0; 32], b"x"] {
            refused.push((RFC_9440, format!(":{}:", BASE64.encode(bytes))));
            refused.push((PEM, pem(&BASE64.encode(bytes).replace('+', "%2B"))));
        }
        assert!(rows.len() + refused.len() >= 60, "{}", rows.len() + refused.len());
        for (listener, value) in rows {
            let name = if listener == PEM { "x-client-cert" } else { "client-cert" };
            let answer = through(&app, listener, tenant, ISSUED, &[(name, value.clone())]).await;
            assert_eq!(answer.status, 400, "{listener} {value}: {answer:?}");
            answer.assert_refused(
                400,
                "invalid_request",
                "The header with the client certificate cannot be read",
            );
        }
        for (listener, value) in refused {
            let name = if listener == PEM { "x-client-cert" } else { "client-cert" };
            for id in [ISSUED, SELF_SIGNED] {
                let answer = through(&app, listener, tenant, id, &[(name, value.clone())]).await;
                assert_eq!(answer.status, 401, "{listener} {value}: {answer:?}");
                answer.assert_refused(401, "invalid_client", REFUSED);
            }
        }
    }
}

#[tokio::test]
async fn metadata_names_the_methods_and_the_endpoints_for_certificates() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let (app, _) = pki.start(tenant);
        let path = tenant_path(tenant, "/.well-known/oauth-authorization-server");
        let document = Answer::to(app.request_at(RFC_9440, reqwest::Method::GET, &path)).await.json();
        let base = format!("https://mtls.example.com/api/v1/tenant/{tenant}/oauth");
        let aliases = json!({
            "token_endpoint": format!("{base}/token"),
            "introspection_endpoint": format!("{base}/introspect"),
            "revocation_endpoint": format!("{base}/revoke"),
        });
        assert_eq!(document["mtls_endpoint_aliases"], aliases);
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
        assert_eq!(document["token_endpoint_auth_methods_supported"], json!(Method::SERVED));
        app.change_tenant(tenant, |tenant| tenant.strategies.oidc = true);
        let with_people = Answer::to(app.request_at(RFC_9440, reqwest::Method::GET, &path)).await.json();
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

#[tokio::test]
async fn the_admin_api_takes_a_bound_token_with_its_certificate_alone() {
    let pki = Pki::new();
    let mine = pki.issued("boss.example.com");
    let test_env = TestEnv::over(TestApp::start_with(&pki.options(ACME)));
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let cnf = json!({ "x5t#S256": thumbprint(&mine.der) });
        let audience = format!("urn:latchkey:tenant:{tenant}");
        let claims = but(
            claims(tenant),
            json!({ "aud": audience, "client_id": BOSS, "sub": BOSS, "scope": "latchkey:clients", "cnf": cnf }),
        );
        let token = Forge::of(tenant).token(&claims);
        let path = tenant_path(tenant, "/clients");
        let answer = over_tls(&test_env.app, &pki.client(&mine), &get(&path, &token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        for client in [nameless(&pki.server), pki.client(&pki.issued("boss.example.com"))] {
            assert_eq!(over_tls(&test_env.app, &client, &get(&path, &token)).await.status, 401);
        }
        let answer =
            over_tls(&test_env.app, &pki.client(&mine), &get(&tenant_path(other, "/clients"), &token)).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

#[tokio::test]
async fn a_client_with_a_secret_binds_its_tokens_where_the_tenant_requires_it() {
    let pki = Pki::new();
    for tenant in [ACME, GLOBEX] {
        let (app, certificates) = pki.start(tenant);
        app.change_tenant(tenant, |tenant| tenant.access_token.require_sender_constraint = true);
        let secret = app.secrets(tenant).of(AUDITOR);
        let form = [("grant_type", "client_credentials"), ("client_id", AUDITOR), ("client_secret", secret)];
        let mine = own(&certificates, tenant);
        let answer = over_tls(&app, &pki.client(mine), &post(&token_path(tenant), &form)).await;
        assert_eq!(claims_of(&token_of(&answer))["cnf"]["x5t#S256"], thumbprint(&mine.der).to_string());
        let answer = over_tls(&app, &nameless(&pki.server), &post(&token_path(tenant), &form)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_explained_to_administrators_but_for_its_chain() {
    let pki = Pki::new();
    let test_env = TestEnv::over(TestApp::start_with(&Options {
        listeners: options(ACME).listeners,
        ..pki.options(ACME)
    }));
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let key = KeyPair::generate().unwrap();
        put(&test_env.app, issued_client(tenant));
        put(&test_env.app, self_signed_client(tenant, &key));
        let boss = test_env.token(tenant, BOSS).await;
        let pem = |parameters: CertificateParams| parameters.self_signed(&key).unwrap().pem();
        let mut expired = parameters(&name_at(tenant));
        (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        let foreign = parameters(&name_at(tenant)).self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        for (id, certificate, result, reason) in [
            (ISSUED, None, "not_checked", ""),
            (SELF_SIGNED, None, "not_checked", ""),
            (ISSUED, Some(pem(parameters(&name_at(tenant)))), "passed", ""),
            (SELF_SIGNED, Some(pem(parameters(&name_at(tenant)))), "passed", ""),
            (ISSUED, Some(pem(parameters(&name_at(other)))), "refused", "certificate_of_another_subject"),
            (ISSUED, Some(pem(expired.clone())), "refused", "certificate_expired"),
            (ISSUED, Some("x".to_owned()), "refused", "certificate_malformed"),
            (SELF_SIGNED, Some(pem(expired)), "refused", "certificate_expired"),
            (SELF_SIGNED, Some(foreign), "refused", "certificate_not_registered"),
        ] {
            let method = if id == ISSUED { Method::TlsClientAuth } else { Method::SelfSignedTlsClientAuth };
            let body =
                json!({ "token_endpoint_auth_method": method.as_str(), "client_certificate": certificate });
            let explained = Explained::fetch(&test_env, &boss, (tenant, id), body).await;
            explained.assert_check("certificate", result);
            let check = explained.check("certificate");
            assert_eq!(check["reason"].as_str().unwrap_or_default(), reason, "{id}: {check}");
            assert_eq!(check["fix"].is_string(), result == "refused", "{check}");
            explained.assert_result(if result == "refused" { 401 } else { 200 }, reason);
        }
        let path = tenant_path(tenant, &format!("/clients/{ISSUED}/explain"));
        let body = json!({ "client_certificate": "x" });
        let answer = test_env.post(&boss, &path, body).await;
        answer.assert_problem(400, "invalid-request");
        assert_eq!(answer.pointers(), ["/client_certificate"]);
    }
}

/// The chain is judged as the listeners judge it, and the subject is compared whether or not there is one.
#[tokio::test]
async fn the_chain_of_a_certificate_is_explained_with_the_authorities_of_the_listeners() {
    let pki = Pki::new();
    let test_env = TestEnv::over(TestApp::start_with(&Options {
        listeners: [options(ACME).listeners, pki.options(ACME).listeners].concat(),
        ..pki.options(ACME)
    }));
    let between = authority_signed_by(&pki.authority);
    for (tenant, other) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        put(&test_env.app, issued_client(tenant));
        let boss = test_env.token(tenant, BOSS).await;
        let key = KeyPair::generate().unwrap();
        let signed = |parameters: CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>| {
            parameters.signed_by(&key, issuer).unwrap().pem()
        };
        let own = || parameters(&name_at(tenant));
        let mut expired = own();
        (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        let mut for_servers = own();
        for_servers.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let of_other_tenant = parameters(&name_at(other));
        let chained = signed(own(), &between);
        for (certificate, chain, subject, check, reason) in [
            (signed(own(), &pki.authority), "passed", "passed", "", ""),
            (format!("{chained}{}", between.pem()), "passed", "passed", "", ""),
            (chained, "refused", "passed", "chain", "certificate_not_trusted"),
            (signed(own(), &pki.other), "refused", "passed", "chain", "certificate_not_trusted"),
            (signed(expired, &pki.authority), "refused", "passed", "chain", "certificate_expired"),
            (signed(for_servers, &pki.authority), "refused", "passed", "chain", "certificate_not_trusted"),
            (
                signed(of_other_tenant.clone(), &pki.authority),
                "passed",
                "refused",
                "certificate",
                "certificate_of_another_subject",
            ),
            (signed(of_other_tenant, &pki.other), "refused", "refused", "chain", "certificate_not_trusted"),
        ] {
            let body =
                json!({ "token_endpoint_auth_method": "tls_client_auth", "client_certificate": certificate });
            let explained = Explained::fetch(&test_env, &boss, (tenant, ISSUED), body).await;
            explained.assert_check("chain", chain);
            explained.assert_check("certificate", subject);
            explained.assert_result(if check.is_empty() { 200 } else { 401 }, reason);
            assert_eq!(explained["result"]["check"].as_str().unwrap_or_default(), check);
            let detail = explained.check("chain")["detail"].as_str().unwrap();
            for source in ["`server.listeners[1].tls`", "`server.listeners[2].trusted_proxies`"] {
                assert!(detail.contains(source), "{detail}");
            }
            if subject == "refused" {
                let detail = explained.check("certificate")["detail"].as_str().unwrap();
                let [own, others] = [tenant, other].map(name_at);
                assert!(detail.contains(&format!("`{own}`; the certificate has {others}.")), "{detail}");
            }
        }
    }
}

/// What holds between tenants where a listener has the authorities of two of them: `client_ca` is a listener's, and each listener serves all
/// tenants. docs/client-certificates.md says so.
#[tokio::test]
async fn an_authority_of_a_listener_is_trusted_for_the_subjects_of_all_tenants_and_for_no_registered_key() {
    for tenant in [ACME, GLOBEX] {
        let pki = Pki::new();
        let both = format!("{}{}", pki.authority.pem(), pki.other.pem());
        let (app, certificates) = pki.start(tenant);
        let forged = Pki::signed(&parameters(&name_at(tenant)), &pki.other);
        // The authority of nobody here issues the subject of the client.
        let refused = over_tls(&app, &pki.client(&forged), &token_request(tenant, ISSUED)).await;
        refused.assert_refused(401, "invalid_client", REFUSED);
        drop(app);
        // Once it is in the file for the sake of another tenant, it is accepted for this one, too.
        std::fs::write(pki.files.path("ca.pem"), both).unwrap();
        let (app, _) = pki.start(tenant);
        put(&app, self_signed_client(tenant, &own(&certificates, tenant).key));
        let accepted = over_tls(&app, &pki.client(&forged), &token_request(tenant, ISSUED)).await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        // A registered key or certificate is the tenant's own: no authority can issue it.
        let refused = over_tls(&app, &pki.client(&forged), &token_request(tenant, SELF_SIGNED)).await;
        refused.assert_refused(401, "invalid_client", REFUSED);
        let mine = pki.client(own(&certificates, tenant));
        assert_eq!(over_tls(&app, &mine, &token_request(tenant, SELF_SIGNED)).await.status, 200);
    }
}

#[tokio::test]
async fn an_authority_with_name_constraints_issues_no_names_of_another_domain() {
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
        let (app, _) = pki.start(tenant);
        for (tenant, expected) in [(tenant, 200), (other, 401)] {
            let issued = Pki::signed(&parameters(&name_at(tenant)), &of_tenant);
            let answer = over_tls(&app, &pki.client(&issued), &token_request(tenant, ISSUED)).await;
            assert_eq!(answer.status, expected, "{tenant}: {answer:?}");
        }
    }
}
