//! A service behind a gateway, in axum: each route needs a scope.

use axum::Router;
use axum::routing::{get, post};
use latchkey_verifier::{Bearer, ConfigError, Refusal, Trusted, Verifier};

async fn list(caller: Bearer) -> Result<String, Refusal> {
    caller.require("orders:read")?;
    // `sub` of a service is the service itself, and else a person's.
    let who = if caller.is_machine() { "the service" } else { "a person at" };
    Ok(format!("the orders, for {who} {}", caller.client_id()))
}

async fn add(caller: Bearer) -> Result<String, Refusal> {
    caller.require("orders:write")?;
    Ok(format!("an order of {}", caller.client_id()))
}

pub fn router(issuer: &str) -> Result<Router, ConfigError> {
    let verifier = Verifier::builder().issuer(Trusted::issuer(issuer)).audience("orders-api").build()?;
    Ok(Router::new().route("/orders", get(list)).route("/orders", post(add)).with_state(verifier))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:4001").await?;
    axum::serve(listener, router("http://localhost:3000/api/v1/tenant/globex")?).await?;
    Ok(())
}
