//! The ceiling that token requests are measured against: a bare actix handler that reads the form, compares one digest, signs and
//! answers, with nothing of the platform. `bare_handler ADDRESS ALGORITHM` serves `POST /oauth/token` with one worker.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL};
use actix_web::web::{self, Data, Form};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

const ISSUER: &str = "http://127.0.0.1:3000/api/v1/tenant/bench";
const LIFETIME: u64 = 3600;

enum Signer {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

struct State {
    signer: Signer,
    header: String,
    secret: Digest,
}

#[derive(Deserialize)]
struct Request {
    grant_type: String,
    scope: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: [&'a str; 1],
    client_id: &'a str,
    scope: &'a str,
    jti: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
}

#[derive(Serialize)]
struct Token<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_in: u64,
    scope: &'a str,
}

impl Signer {
    fn new(algorithm: &str) -> Result<Self, Box<dyn Error>> {
        Ok(match algorithm {
            "RS256" => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048)?),
            "ES256" => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            "EdDSA" => Self::EdDsa(Ed25519KeyPair::generate()?),
            other => return Err(format!("no signer for {other}").into()),
        })
    }

    fn sign(&self, input: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input, &mut signature).ok()?;
                Some(signature)
            }
            Self::Es256(pair) => Some(pair.sign(&random, input).ok()?.as_ref().to_vec()),
            Self::EdDsa(pair) => Some(pair.sign(input).as_ref().to_vec()),
        }
    }
}

impl State {
    fn new(algorithm: &str) -> Result<Self, Box<dyn Error>> {
        let header = format!(r#"{{"typ":"at+jwt","alg":"{algorithm}","kid":"oauth2-key-1"}}"#);
        Ok(Self { signer: Signer::new(algorithm)?, header, secret: digest(&SHA256, b"bench-client-secret") })
    }

    /// The client's id, if its secret is right.
    fn authenticate(&self, request: &HttpRequest) -> Option<String> {
        let credentials = request.headers().get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        let credentials = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        let (client, secret) = credentials.split_once(':')?;
        let presented = digest(&SHA256, secret.as_bytes());
        verify_slices_are_equal(presented.as_ref(), self.secret.as_ref()).ok()?;
        Some(client.to_owned())
    }

    fn access_token(&self, client: &str, scope: &str) -> Option<String> {
        #[expect(clippy::disallowed_methods, reason = "a program of its own, without the platform's clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let mut jti = [0; 16];
        aws_lc_rs::rand::fill(&mut jti).ok()?;
        let jti = URL_SAFE_NO_PAD.encode(jti);
        let claims = Claims {
            iss: ISSUER,
            sub: client,
            aud: ["bench-api"],
            client_id: client,
            scope,
            jti: &jti,
            iat: now,
            nbf: now,
            exp: now + LIFETIME,
        };
        let mut token = String::with_capacity(1024);
        URL_SAFE_NO_PAD.encode_string(&self.header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims).ok()?, &mut token);
        let signature = self.signer.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }
}

async fn token(request: HttpRequest, form: Form<Request>, state: Data<State>) -> HttpResponse {
    if form.grant_type != "client_credentials" {
        return HttpResponse::BadRequest().finish();
    }
    let Some(client) = state.authenticate(&request) else {
        return HttpResponse::Unauthorized().finish();
    };
    let Some(access_token) = state.access_token(&client, &form.scope) else {
        return HttpResponse::InternalServerError().finish();
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Token {
        access_token: &access_token,
        token_type: "Bearer",
        expires_in: LIFETIME,
        scope: &form.scope,
    })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(algorithm)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bare_handler ADDRESS ALGORITHM".into());
    };
    let state = Data::new(State::new(&algorithm)?);
    let app = move || App::new().app_data(state.clone()).route("/oauth/token", web::post().to(token));
    HttpServer::new(app).workers(1).bind(address)?.run().await?;
    Ok(())
}
