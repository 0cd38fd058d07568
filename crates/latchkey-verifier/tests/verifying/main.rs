//! Tests the verifier as an API uses it.

#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

mod allocations;
mod bound_tokens;
mod canaries;
mod frameworks;
mod introspection;
mod issuer;
mod key_sets;
mod observer;
mod random_input;
mod remembered;
mod revocations;
mod time;
mod vectors;
