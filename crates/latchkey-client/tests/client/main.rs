//! Tests the token source against stub servers that give the answers of each test.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod about_tokens;
mod canaries;
mod certificates;
mod discovery;
mod dpop;
mod failures;
mod metrics;
mod middleware;
mod observer;
mod one_request;
mod proofs;
mod refused_tokens;
mod rotation;
mod stub;
mod tower;

use latchkey_client::{Builder, Secret, TokenSource};

use crate::stub::Stub;

/// A source whose token endpoint is the stub.
fn builder(stub: &Stub) -> Builder {
    TokenSource::builder()
        .token_endpoint(stub.url("/token"))
        .client_id("billing")
        .credential(Secret::value("hunter2"))
}

fn source(stub: &Stub) -> TokenSource {
    builder(stub).build().expect("a whole configuration")
}
