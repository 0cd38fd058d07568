//! The verifiers that are compared. Each finds the key in a key set, verifies the signature, checks `iss`,
//! `aud` and `exp` as far as it can, and reads the same claims. What a library does asynchronously is ready
//! at the first poll, so no runtime is measured.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use axum_jwt_auth::{JwtDecoder as _, RemoteJwksDecoder};
use http::{Request, Response};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use jwks_client_rs::source::JwksSource;
use jwks_client_rs::{JsonWebKeySet, JwksClient, JwksClientError};
use jwt_authorizer::JwtAuthorizer;
use latchkey_verifier::{Caller, KeySet, Trusted, Verifier};
use serde::Deserialize;
use tower::{Layer as _, Service as _, service_fn};
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

use crate::signers::{AUDIENCE, ISSUER, KID, Signed};
use crate::{Result, key_set_server};

/// The contender that verifies the signature of the token once, and is not compared with signatures.
pub(crate) const REMEMBERING: &str = "latchkey-verifier: a remembered token";

/// Verifies a token.
pub(crate) type Verify = Box<dyn Fn(&str) -> Result<()>>;

/// The claims that an API usually reads.
#[derive(Clone, Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    jti: String,
    scope: String,
    exp: u64,
    iat: u64,
}

/// Returns the names of the contenders, and their verification. All accept the token and refuse the forged
/// one.
pub(crate) fn of(signed: &Signed) -> Result<Vec<(&'static str, Verify)>> {
    let contenders = vec![
        ("latchkey-verifier", latchkey_verifier(signed, 0)?),
        (REMEMBERING, latchkey_verifier(signed, 100)?),
        ("jsonwebtoken", jsonwebtoken(signed)?),
        ("jwks_client_rs", jwks_client_rs(signed)?),
        ("jwt-authorizer", jwt_authorizer(signed)?),
        ("tower-oauth2-resource-server", tower_oauth2_resource_server(signed)?),
        ("axum-jwt-auth", axum_jwt_auth(signed)?),
    ];
    for (name, verify) in &contenders {
        verify(&signed.token).map_err(|error| format!("{name} refuses the token: {error}"))?;
        if verify(&signed.forged).is_ok() {
            return Err(format!("{name} accepts another signature").into());
        }
    }
    Ok(contenders)
}

fn latchkey_verifier(signed: &Signed, remembered: usize) -> Result<Verify> {
    let keys = KeySet::read(&signed.key_set.to_string())?;
    let issuer = Trusted::issuer(ISSUER).key_set(keys);
    let verifier = Verifier::builder().issuer(issuer).audience(AUDIENCE).remember(remembered).build()?;
    Ok(Box::new(move |token| {
        let caller: Caller<Claims> = verifier.verify_now(token)?;
        black_box(caller);
        Ok(())
    }))
}

fn jsonwebtoken(signed: &Signed) -> Result<Verify> {
    let keys: JwkSet = serde_json::from_value(signed.key_set.clone())?;
    let key = DecodingKey::from_jwk(keys.find(KID).ok_or("the key set has no such key")?)?;
    let mut validation = Validation::new(signed.algorithm.to_string().parse()?);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(Box::new(move |token| {
        let header = decode_header(token)?;
        black_box((header, decode::<Claims>(token, &key, &validation)?));
        Ok(())
    }))
}

struct Held(JsonWebKeySet);

#[async_trait]
impl JwksSource for Held {
    async fn fetch_keys(&self) -> std::result::Result<JsonWebKeySet, JwksClientError> {
        Ok(self.0.clone())
    }
}

/// It checks no `iss`.
fn jwks_client_rs(signed: &Signed) -> Result<Verify> {
    let client = JwksClient::builder().build(Held(serde_json::from_value(signed.key_set.clone())?));
    Ok(Box::new(move |token| {
        black_box(ready(client.decode::<Claims>(token, &[AUDIENCE]))??);
        Ok(())
    }))
}

fn jwt_authorizer(signed: &Signed) -> Result<Verify> {
    let validation = jwt_authorizer::Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).nbf(true);
    let builder = JwtAuthorizer::<Claims>::from_jwks_text(&signed.key_set.to_string());
    let authorizer = ready(builder.validation(validation).build())??;
    Ok(Box::new(move |token| {
        black_box(ready(authorizer.check_auth(token))??);
        Ok(())
    }))
}

/// The library verifies requests only, so a request is made for each token.
fn tower_oauth2_resource_server(signed: &Signed) -> Result<Verify> {
    let checks = ClaimsValidationSpec::recommended(ISSUER, &vec![AUDIENCE.to_owned()]);
    let tenant = TenantConfiguration::static_builder(signed.key_set.to_string()).claims_validation(checks);
    let server = OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant.build()?);
    let layer = ready(server.build())??.into_layer::<()>();
    let accepted = service_fn(async |_: Request<()>| Ok::<_, std::convert::Infallible>(Response::new(())));
    let service = layer.layer(accepted);
    Ok(Box::new(move |token| {
        let request = Request::get("/orders").header("authorization", format!("Bearer {token}")).body(())?;
        let response = ready(service.clone().call(request))??;
        if response.status().is_success() { Ok(()) } else { Err("the request is refused".into()) }
    }))
}

fn axum_jwt_auth(signed: &Signed) -> Result<Verify> {
    let mut validation = of_axum_jwt_auth::Validation::new(signed.algorithm.to_string().parse()?);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let url = key_set_server::publish(signed.key_set.to_string())?;
    let decoder = RemoteJwksDecoder::builder().jwks_url(url).validation(validation).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(decoder.initialize())?;
    Ok(Box::new(move |token| {
        let decoded: of_axum_jwt_auth::TokenData<Claims> = ready(decoder.decode(token))??;
        black_box(decoded);
        Ok(())
    }))
}

/// The result of a future that need not wait.
fn ready<F: Future>(future: F) -> Result<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("the verification waits".into()),
    }
}
