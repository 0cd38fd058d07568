//! The ceiling that requests are measured against: bare actix handlers that do what a token, a JWKS, an
//! introspection and forward authentication cannot do without, with nothing of the platform.
//! `bare_handler ADDRESS ALGORITHM FILE` serves tokens with one worker, and with RS256 all of them, at the
//! platform's paths for a tenant `bench`. It keeps its signing key in FILE. With a fourth argument `static`
//! it signs one token at the start, and answers all token requests with it.

mod client;
mod introspection;
mod jwks;
mod signer;
mod token;

use std::error::Error;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpResponse, HttpServer};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};

use client::Secret;
use signer::Signer;

const KEY_ID: &str = "oauth2-key-1";

struct State {
    signer: Signer,
    /// The JOSE header of each token.
    header: String,
    secret: Secret,
    /// Present with RS256 only.
    jwks: Option<jwks::Document>,
    /// Present with RS256 only.
    public: Option<ParsedPublicKey>,
    /// The only answer to token requests, if there is one.
    answer: Option<Bytes>,
}

impl State {
    fn new(algorithm: &str, key: &Path) -> Result<Self, Box<dyn Error>> {
        let header = format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{KEY_ID}"}}"#);
        let signer = Signer::open(algorithm, key)?;
        let (mut jwks, mut public) = (None, None);
        if let Signer::Rs256(pair) = &signer {
            jwks = jwks::Document::from_pair(pair);
            public = Some(ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?);
        }
        Ok(Self { signer, header, secret: Secret::new(), jwks, public, answer: None })
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
fn unix_time() -> Option<u64> {
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, algorithm, file, rest @ ..] = &arguments[..] else {
        return Err("usage: bare_handler ADDRESS ALGORITHM FILE [static]".into());
    };
    let mut state = State::new(algorithm, Path::new(file))?;
    if rest == ["static"] {
        state.answer = token::fixed_answer(&state);
    }
    let state = Data::new(state);
    let app = move || {
        let token = match state.answer {
            Some(_) => web::post().to(token::fixed),
            None => web::post().to(token::token),
        };
        let tenant = web::scope("/api/v1/tenant/bench")
            .route("/oauth/token", token)
            .route("/oauth/introspect", web::post().to(introspection::introspect))
            .route("/oauth/forward-auth", web::get().to(introspection::forward_auth))
            .route("/.well-known/jwks.json", web::get().to(jwks::jwks));
        App::new()
            .app_data(state.clone())
            .service(tenant)
            .route("/health/live", web::get().to(HttpResponse::Ok))
    };
    Ok(HttpServer::new(app).workers(1).bind(address)?.run().await?)
}
