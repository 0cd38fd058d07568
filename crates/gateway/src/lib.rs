//! The only crate that knows HTTP. It passes a request to the domain crates and returns their answer; the
//! rules are theirs. In reading order:

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

// The server: what it is made of, and where it listens.
mod composition;
mod health_report;
mod listen_addresses;
mod listener_service;
mod operator_api;
mod options;
mod server;
mod services;
mod shared;

pub use composition::{Composition, PlatformStore, forget_failures};
pub use health_report::{HealthCheck, HealthReport, HealthState, MetricKind, Sample};
pub use listen_addresses::{BindError, ListenAddresses};
pub use operator_api::{OperatorAnswer, OperatorApi};
pub use options::{ConnectionLimits, ListenerOptions, ListenerSurface, Options, TenantConsole};
pub use server::{Gateway, GatewayHandle, serve_connection};
pub use services::{DeclaredAt, Services, TokenServices};

// A request until its handler: connection, head, body, caller and answer.
mod authentication;
mod connection;
mod request;
mod respond;

pub use authentication::{
    CertificateFormat, CertificateHeader, CertificateSources, PresentedCertificates,
    PresentedCertificatesError,
};
pub use connection::{ClientCertificates, CurrentTls, ReadTlsFile, TlsError, TlsFiles, TlsReaders};
pub use request::{ForwardingHeader, TrustedPeers};

// What is only for browsers.
mod page;

// What is served where.
mod routes;
mod thunder;

pub use routes::admin::{ReportStatement, SignatureReading};

// What handlers work with.
mod documents;
mod explain;
mod report_budget;
pub mod snippets;
mod token_page;
mod write_budget;

pub use report_budget::ReportBudget;
pub use respond::take_unserved;
pub use token_page::{ExplainToken, TokenExplanation, serve_token_page};
pub use write_budget::WriteBudget;

// What is known of requests afterwards.
mod access_log;
mod metrics;
mod readiness;

// The description of the whole API.
mod openapi;

#[cfg(feature = "schemas")]
pub use documents::shapes;
#[cfg(feature = "schemas")]
pub use openapi::openapi_of_types;
pub use openapi::{openapi_document, settings_schema};
