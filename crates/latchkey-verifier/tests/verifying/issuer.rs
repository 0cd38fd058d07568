//! A test issuer. It signs tokens, and serves the documents that a test publishes on 127.0.0.1 over plain
//! sockets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{Builder, KeySet, Reason, Refusal, Verifier};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::time::TestClock;

pub(crate) const ISSUER: &str = "https://id.example.com/api/v1/tenant/acme";
pub(crate) const AUDIENCE: &str = "orders-api";

/// A builder with this clock, which trusts no issuer yet.
pub(crate) fn builder(clock: &TestClock) -> Builder {
    Verifier::builder().audience(AUDIENCE).clock(Arc::new(clock.clone()))
}

/// The result without the caller.
pub(crate) fn outcome<T>(verified: Result<T, Refusal>) -> Result<(), Reason> {
    verified.map(|_| ()).map_err(|refusal| refusal.reason().clone())
}

pub(crate) struct Key {
    pub(crate) kid: String,
    pair: Ed25519KeyPair,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        Self { kid: kid.to_owned(), pair: Ed25519KeyPair::generate().unwrap() }
    }

    pub(crate) fn jwk(&self) -> Value {
        let x = BASE64URL.encode(self.pair.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "alg": "EdDSA", "use": "sig" })
    }

    /// Signs header and claims as they are.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64URL.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = BASE64URL.encode(self.pair.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.kid })
    }

    /// Returns an access token that is valid for a day from this second on.
    pub(crate) fn token(&self, issuer: &str, now: u64) -> String {
        self.sign(&self.header(), &claims(issuer, now))
    }

    /// Returns the token with another value of one claim.
    pub(crate) fn token_with(&self, issuer: &str, now: u64, name: &str, value: Value) -> String {
        let mut claims = claims(issuer, now);
        claims[name] = value;
        self.sign(&self.header(), &claims)
    }

    /// Signs claims of this type.
    pub(crate) fn sign_as(&self, typ: &str, claims: &Value) -> String {
        self.sign(&json!({ "alg": "EdDSA", "typ": typ, "kid": self.kid }), claims)
    }
}

pub(crate) fn claims(issuer: &str, now: u64) -> Value {
    json!({
        "iss": issuer, "sub": "shipping", "client_id": "shipping", "aud": AUDIENCE, "jti": "1", "scope": "orders:read",
        "iat": now, "nbf": now, "exp": now + 24 * 60 * 60,
    })
}

pub(crate) fn key_set(keys: &[&Key]) -> String {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string()
}

pub(crate) fn keys_of(key: &Key) -> KeySet {
    KeySet::read(&key_set(&[key])).unwrap()
}

/// The answer at a path.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// The headers, each with its line end.
    pub(crate) headers: String,
    pub(crate) body: String,
    pub(crate) delay: Duration,
    /// Closes the connection in the middle of the body.
    pub(crate) is_torn: bool,
}

impl Page {
    pub(crate) fn ok(cache_control: &str, body: impl Into<String>) -> Self {
        let headers = format!("cache-control: {cache_control}\r\n");
        Self { status: 200, headers, body: body.into(), delay: Duration::ZERO, is_torn: false }
    }
}

/// The HTTP server of the issuer. If a path has no page, it closes the connection, like a server that is
/// down.
pub(crate) struct Server {
    pub(crate) origin: String,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    requests: Arc<AtomicUsize>,
    /// The heads of all requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { origin, pages: Arc::default(), requests: Arc::default(), heads: Arc::default() };
        let (pages, requests, heads) =
            (Arc::clone(&server.pages), Arc::clone(&server.requests), Arc::clone(&server.heads));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&pages), Arc::clone(&requests), Arc::clone(&heads)));
            }
        });
        server
    }

    pub(crate) fn publish(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.pages.lock().unwrap().remove(path);
    }

    /// Number of requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn last_head(&self) -> String {
        self.heads.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

async fn answer(
    mut stream: TcpStream,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    requests: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    heads.lock().unwrap().push(head.clone());
    requests.fetch_add(1, Ordering::SeqCst);
    let Some(page) = pages.lock().unwrap().get(&path).cloned() else { return };
    tokio::time::sleep(page.delay).await;
    let known = head.lines().find_map(|line| line.strip_prefix("if-none-match: "));
    let tag = page.headers.lines().find_map(|line| line.strip_prefix("etag: "));
    let (status, body) =
        if known.is_some() && known == tag { (304, String::new()) } else { (page.status, page.body) };
    let length = if page.is_torn { body.len() + 10 } else { body.len() };
    let length = if status == 304 { String::new() } else { format!("content-length: {length}\r\n") };
    let text = format!("HTTP/1.1 {status} X\r\n{length}{}connection: close\r\n\r\n{body}", page.headers);
    let _ = stream.write_all(text.as_bytes()).await;
}
