//! The gateway from the outside: a file for each endpoint, each of its tests with both tenants.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which lints do not take for tests"
)]

mod answer;
mod app;
mod capture;
mod forge;
mod people;
mod vitals;

mod bad_tokens;
mod introspect;
mod jwks;
mod metadata;
mod protected_resource;
mod strategies;
mod token;
mod token_bodies;
mod token_credentials;
mod token_errors;

mod access_log;
mod deadlines;
mod documents;
mod faults;
mod health;
mod isolation;
mod metrics;
mod routes;
mod stopping;
mod tenant_names;
