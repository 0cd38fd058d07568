//! The ceiling that requests are measured against: bare actix handlers that do what a token, a JWKS and an introspection cannot do without,
//! with nothing of the platform. `bare_handler ADDRESS ALGORITHM` serves `POST /oauth/token` with one worker, and with RS256 `GET /jwks` and
//! `POST /introspect`.

mod client;
mod introspection;
mod jwks;
mod signer;
mod token;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};

use client::Secret;
use signer::Signer;

const KEY_ID: &str = "oauth2-key-1";

struct State {
    signer: Signer,
    /// The JOSE header of each token.
    header: String,
    secret: Secret,
    /// With RS256 only, as is the public key.
    jwks: Option<jwks::Document>,
    public: Option<ParsedPublicKey>,
}

impl State {
    fn new(algorithm: &str) -> Result<Self, Box<dyn Error>> {
        let header = format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"{KEY_ID}"}}"#);
        let signer = Signer::new(algorithm)?;
        let (mut jwks, mut public) = (None, None);
        if let Signer::Rs256(pair) = &signer {
            jwks = jwks::Document::of(pair);
            public = Some(ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?);
        }
        Ok(Self { signer, header, secret: Secret::new(), jwks, public })
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
fn unix_time() -> Option<u64> {
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(algorithm)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bare_handler ADDRESS ALGORITHM".into());
    };
    let state = Data::new(State::new(&algorithm)?);
    let app = move || {
        App::new()
            .app_data(state.clone())
            .route("/oauth/token", web::post().to(token::token))
            .route("/jwks", web::get().to(jwks::jwks))
            .route("/introspect", web::post().to(introspection::introspect))
    };
    HttpServer::new(app).workers(1).bind(address)?.run().await?;
    Ok(())
}
