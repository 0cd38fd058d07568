//! The only crate that knows HTTP. It carries a request to the domain crates and their answer back; the rules are theirs.
//! In reading order:

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

mod composition;
mod health_report;
mod listen_addresses;
mod operator_api;
mod options;
mod server;
mod services;

mod body;
mod certificate_sources;
mod client_authentication;
mod client_certificate_header;
mod connection;
mod failure;
mod forwarded;
mod hosts;
mod methods;
mod presented_certificates;
mod proof_outcome;
mod raw_request;
mod refused;
mod respond;
mod route;
mod sender;
mod tenant_request;

mod cookies;
mod cross_origin;
mod fetch_metadata;
mod page;
mod page_error;

mod routes;
mod thunder;

mod authorization;
mod documents;
mod explain;
pub mod snippets;
mod token_page;
mod write_budget;

mod access_log;
mod metrics;
mod readiness;

mod openapi;

pub use certificate_sources::CertificateSources;
pub use client_certificate_header::{CertificateFormat, ClientCertificateHeader};
pub use composition::{Composition, Store, forget_failures};
pub use connection::{ClientCertificates, ReadFile, Tls, TlsError, TlsFiles, TlsReaders};
#[cfg(feature = "schemas")]
pub use documents::shapes;
pub use forwarded::{ForwardingHeader, TrustedProxies};
pub use health_report::{Check, HealthReport, Kind, Sample, State};
pub use listen_addresses::{BindError, ListenAddresses};
#[cfg(feature = "schemas")]
pub use openapi::openapi_of_types;
pub use openapi::{openapi_document, settings_schema};
pub use operator_api::{OperatorAnswer, OperatorApi};
pub use options::{ConnectionLimits, Listener, Options, Surface, TenantConsole};
pub use presented_certificates::{PresentedCertificates, PresentedCertificatesError};
pub use routes::ReportBudget;
pub use server::{Gateway, GatewayHandle, serve_connection};
pub use services::{DeclaredAt, Services, TokenServices};
pub use token_page::{ExplainToken, TokenExplanation, serve_token_page};
pub use write_budget::WriteBudget;
