//! The only crate that knows HTTP. It carries a request to the domain crates and their answer back; the rules are theirs.
//! In reading order:

mod options;
mod server;
mod services;
mod vitals;

mod body;
mod connection;
mod incoming;
mod respond;
mod routes;

mod admission;
mod documents;

mod access_log;
mod metrics;
mod readiness;

mod openapi;

pub use connection::{Tls, TlsError, TlsFiles};
pub use openapi::document as openapi_document;
pub use options::{Listener, Options, Surface};
pub use server::{BindError, Gateway, GatewayHandle};
pub use services::Services;
pub use vitals::{Check, Kind, Sample, State, Vitals};
