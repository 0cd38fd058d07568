//! The upper bound that the server is measured against: bare actix handlers that do only the
//! unavoidable work of a token, a JWKS and an introspection, without any code of the platform.
//!
//! `bare_handler ADDRESS ALGORITHM FILE [TLS_ADDRESS CERTIFICATE KEY]` serves `POST /oauth/token`
//! with one worker. With RS256 it also serves `GET /jwks`, `POST /introspect`, `GET /userinfo` and
//! the steps of a sign-in, with ES256 `GET /resource`. It keeps its signing key in FILE.

mod assertion;
mod client;
mod introspection;
mod jwks;
mod people;
mod proof;
mod resource;
mod signer;
mod tls;
mod token;

use std::error::Error;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
};
use futures_util::future::try_join;

use assertion::AssertionKey;
use client::Secret;
use signer::Signer;

const KEY_ID: &str = "oauth2-key-1";

struct State {
    signer: Signer,
    /// The JOSE header of each token.
    header: String,
    secret: Secret,
    assertion_key: AssertionKey,
    /// Only with RS256.
    jwks: Option<jwks::Document>,
    /// Only with RS256 and ES256.
    public: Option<ParsedPublicKey>,
    password: [u8; 32],
}

impl State {
    fn new(algorithm: &str, key: &Path) -> Result<Self, Box<dyn Error>> {
        let header = format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{KEY_ID}"}}"#);
        let signer = Signer::open(algorithm, key)?;
        let (mut jwks, mut public) = (None, None);
        match &signer {
            Signer::Rs256(pair) => {
                jwks = jwks::Document::from_pair(pair);
                public = Some(ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?);
            }
            Signer::Es256(pair) => {
                public = Some(ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())?);
            }
            Signer::EdDsa(_) => {}
        }
        let password = people::hash("bench-account-password").ok_or("no memory for argon2id")?;
        let assertion_key = AssertionKey::new()?;
        Ok(Self { signer, header, secret: Secret::new(), assertion_key, jwks, public, password })
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
fn unix_time() -> Option<u64> {
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn app(
    state: Data<State>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    App::new()
        .app_data(state)
        .route("/oauth/token", web::post().to(token::token))
        .route("/jwks", web::get().to(jwks::jwks))
        .route("/introspect", web::post().to(introspection::introspect))
        .route("/resource", web::get().to(resource::resource))
        .route("/authorize", web::get().to(people::authorize))
        .route("/sign-in", web::post().to(people::sign_in))
        .route("/userinfo", web::get().to(people::userinfo))
        .route("/health", web::get().to(HttpResponse::Ok))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (address, algorithm, file, tls) = match arguments[..] {
        [address, algorithm, file] => (address, algorithm, file, None),
        [address, algorithm, file, tls, certificate, key] => {
            (address, algorithm, file, Some((tls, certificate, key)))
        }
        _ => return Err("usage: bare_handler ADDRESS ALGORITHM FILE [TLS_ADDRESS CERTIFICATE KEY]".into()),
    };
    let state = Data::new(State::new(algorithm, Path::new(file))?);
    let over_tls = tls.map(|(address, certificate, key)| {
        tls::serve(address, Path::new(certificate), Path::new(key), state.clone())
    });
    let over_tls = over_tls.transpose()?;
    let plain = HttpServer::new(move || app(state.clone())).workers(1).bind(address)?.run();
    match over_tls {
        Some(over_tls) => drop(try_join(plain, over_tls).await?),
        None => plain.await?,
    }
    Ok(())
}
