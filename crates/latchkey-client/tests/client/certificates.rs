//! Tests client certificates: which connections present them, and what happens when they are renewed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use latchkey_client::{
    AuthorizeLayer, Builder, ClientCertificate, Request, Secret, SendError, SendWith as _, TokenError,
    TokenSource,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tower_layer::Layer as _;
use tower_service::Service as _;

use crate::builder;
use crate::stub::{Received, Reply, Stub};
use crate::tower::Api;

/// An authority, and a folder in which the client has its certificate and key.
pub(crate) struct TestEnv {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate in PEM and DER, and its key.
pub(crate) struct Issued {
    pem: String,
    der: Vec<u8>,
    pub(crate) key: KeyPair,
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        Self { authority, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn issue(&self, name: &str) -> Issued {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.authority).unwrap();
        Issued { pem: certificate.pem(), der: certificate.der().to_vec(), key }
    }

    pub(crate) fn write(&self, issued: &Issued) {
        std::fs::write(self.path("client.pem"), &issued.pem).unwrap();
        std::fs::write(self.path("client.key"), issued.key.serialize_pem()).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    /// Starts a server that accepts certificates of the authority, and connections without one.
    pub(crate) async fn server(&self, handler: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Stub {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
        let own = self.issue("127.0.0.1");
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![own.der.into()], own.key.serialize_der().try_into().unwrap())
            .unwrap();
        Stub::tls(tls, handler).await
    }

    pub(crate) fn trusting(&self, builder: Builder) -> Builder {
        let trusted = reqwest::Certificate::from_der(self.authority.der()).unwrap();
        builder.http(move |http| http.no_proxy().tls_certs_only([trusted.clone()]))
    }

    pub(crate) fn certificate(&self) -> ClientCertificate {
        ClientCertificate::files(self.path("client.pem"), self.path("client.key"))
    }

    fn source(&self, endpoint: &Stub) -> TokenSource {
        self.trusting(builder(endpoint)).credential(self.certificate()).build().unwrap()
    }
}

/// A client with the first of two certificates.
fn renewable() -> (TestEnv, Issued, Issued) {
    let env = TestEnv::new();
    let (first, second) = (env.issue("billing.example"), env.issue("billing.example"));
    env.write(&first);
    (env, first, second)
}

/// A token server, and the requests that it received.
async fn issuing(env: &TestEnv) -> (Stub, Arc<Mutex<Vec<(Option<Vec<u8>>, String, String)>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let stub = env.server(move |received| {
        let header = received.header("authorization").unwrap_or_default().to_owned();
        noted.lock().unwrap().push((received.certificate.clone(), header, received.body.clone()));
        Reply::token(&format!("t{}", received.number))
    });
    (stub.await, seen)
}

/// An API that accepts each token only with the certificate of that token.
async fn api(env: &TestEnv, certificates: [&Issued; 2]) -> Stub {
    let known = certificates.map(|issued| Some(issued.der.clone()));
    env.server(move |received| {
        let bound = match received.header("authorization") {
            Some("Bearer t0") => &known[0],
            Some("Bearer t1") => &known[1],
            other => panic!("{other:?}"),
        };
        Reply::json(if received.certificate == *bound { 200 } else { 401 }, "")
    })
    .await
}

#[tokio::test]
async fn client_sends_its_id_and_presents_its_certificate() {
    let env = TestEnv::new();
    let own = env.issue("billing.example");
    env.write(&own);
    let (endpoint, seen) = issuing(&env).await;
    let api = api(&env, [&own, &own]).await;
    let tokens = env.source(&endpoint);
    // The client that made the request knows neither the certificate nor the authority of the API.
    let answer = reqwest::Client::new().get(api.url("/")).send_with(&tokens).await.unwrap();
    assert_eq!(answer.status(), 200);
    let form = "grant_type=client_credentials&client_id=billing";
    assert_eq!(*seen.lock().unwrap(), [(Some(own.der.clone()), String::new(), form.to_owned())]);
    let token = tokens.token().await.unwrap();
    let http = token.http_client().expect("the client of the certificate");
    let answer = http.get(api.url("/")).header("authorization", token.authorization()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn renewed_certificate_is_used_only_for_new_tokens() {
    let (env, first, second) = renewable();
    let (endpoint, seen) = issuing(&env).await;
    let api = api(&env, [&first, &second]).await;
    let tokens = env.source(&endpoint);
    let status =
        async || reqwest::Client::new().get(api.url("/")).send_with(&tokens).await.unwrap().status().as_u16();
    assert_eq!(status().await, 200);
    env.write(&second);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    // The cached token belongs to the previous certificate.
    assert_eq!((status().await, endpoint.requests()), (200, 1));
    assert!(tokens.invalidate(&tokens.cached().unwrap()));
    assert_eq!((status().await, endpoint.requests()), (200, 2));
    let seen = seen.lock().unwrap();
    let presented = seen.iter().map(|(certificate, ..)| certificate.clone());
    assert_eq!(presented.collect::<Vec<_>>(), [Some(first.der), Some(second.der)]);
    assert_eq!(api.requests(), 3, "no request was repeated");
}

#[tokio::test]
async fn token_of_a_refused_certificate_is_replaced() {
    let (env, _, second) = renewable();
    let (endpoint, _) = issuing(&env).await;
    // The API accepts tokens only with a certificate that the client does not have yet.
    let api = api(&env, [&second, &second]).await;
    let tokens = env.source(&endpoint);
    tokens.token().await.unwrap();
    env.write(&second);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let answer = reqwest::Client::new().get(api.url("/")).send_with(&tokens).await.unwrap();
    assert_eq!((answer.status().as_u16(), endpoint.requests(), api.requests()), (200, 2, 2));
}

#[tokio::test]
async fn certificate_without_matching_key_is_not_used() {
    let (env, first, second) = renewable();
    let (endpoint, seen) = issuing(&env).await;
    let tokens = env.source(&endpoint);
    // Each set of scopes has its own token.
    let renew = async || {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        let request = Request::new().scope(format!("s{}", endpoint.requests()));
        tokens.with(request).unwrap().token().await.unwrap();
        seen.lock().unwrap().last().unwrap().0.clone()
    };
    assert_eq!(renew().await, Some(first.der.clone()));
    std::fs::write(env.path("client.pem"), &second.pem).unwrap();
    assert_eq!(renew().await, Some(first.der.clone()));
    std::fs::write(env.path("client.key"), "").unwrap();
    assert_eq!(renew().await, Some(first.der));
    env.write(&second);
    assert_eq!(renew().await, Some(second.der));
}

#[tokio::test]
async fn a_certificate_is_read_again_after_a_refusal() {
    let (env, first, second) = renewable();
    let accepted = Arc::new(Mutex::new(Some(first.der.clone())));
    let known = Arc::clone(&accepted);
    let endpoint = env.server(move |received| match received.certificate == *known.lock().unwrap() {
        true => Reply::token("good"),
        false => Reply::rejected(401, "invalid_client"),
    });
    let endpoint = endpoint.await;
    let tokens = env.source(&endpoint);
    let old = tokens.token().await.unwrap();
    env.write(&second);
    *accepted.lock().unwrap() = Some(second.der);
    // The refusal comes before the next regular read of the files.
    tokens.invalidate(&old);
    assert_eq!(tokens.token().await.unwrap().expose(), "good");
    assert_eq!(endpoint.requests(), 3);
}

#[tokio::test]
async fn certificate_beside_a_secret_only_binds_tokens() {
    let env = TestEnv::new();
    let own = env.issue("billing.example");
    let both = own.pem.clone() + &own.key.serialize_pem();
    let (endpoint, seen) = issuing(&env).await;
    let certificate = ClientCertificate::from_text(Secret::value(both)).beside(Secret::value("hunter2"));
    let tokens = env.trusting(builder(&endpoint)).credential(certificate).build().unwrap();
    assert!(tokens.token().await.unwrap().http_client().is_some());
    let basic = "Basic YmlsbGluZzpodW50ZXIy".to_owned();
    assert_eq!(*seen.lock().unwrap(), [(Some(own.der), basic, "grant_type=client_credentials".to_owned())]);
}

#[tokio::test]
async fn certificate_bound_token_is_not_sent_without_certificate() {
    let env = TestEnv::new();
    env.write(&env.issue("billing.example"));
    let (endpoint, _) = issuing(&env).await;
    let api = Stub::start(|_| Reply::json(200, "")).await;
    let tokens = env.source(&endpoint);
    let sent = reqwest::Client::new().get(api.url("/")).send_with(&tokens).await;
    assert!(matches!(sent, Err(SendError::Certificate(_))), "plain http presents no certificate");
    let service = Api::default();
    let request = http::Request::get("https://api.example/").body("").unwrap();
    let sent = AuthorizeLayer::new(tokens).layer(service.clone()).call(request).await;
    assert!(matches!(sent, Err(SendError::Certificate(_))), "the layer's client may present another one");
    assert_eq!((api.requests(), service.seen.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn unusable_certificate_is_reported_without_a_request() {
    let env = TestEnv::new();
    let (own, other) = (env.issue("billing.example"), env.issue("billing.example"));
    let (endpoint, seen) = issuing(&env).await;
    let plain = Stub::start(|_| Reply::token("t")).await;
    let key = own.key.serialize_pem();
    for (stub, text) in [
        (&endpoint, format!("{}{}", other.pem, key)),
        (&endpoint, own.pem.clone()),
        (&endpoint, key.clone()),
        (&endpoint, "hunter2".to_owned()),
        (&plain, format!("{}{}", own.pem, key)),
    ] {
        let certificate = ClientCertificate::from_text(Secret::value(text));
        let shown = format!("{certificate:?}");
        let tokens = env.trusting(builder(stub)).credential(certificate).build().unwrap();
        let error = tokens.token().await.unwrap_err();
        assert!(matches!(error, TokenError::Credential { .. }), "{error:?}");
        for line in key.lines().chain(["hunter2"]) {
            assert!(!format!("{error:?} {error} {shown}").contains(line), "{error:?}");
        }
    }
    assert_eq!((seen.lock().unwrap().len(), plain.requests()), (0, 0));
}
