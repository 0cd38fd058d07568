//! The only crate that knows HTTP. It passes requests to the domain crates, which contain the
//! rules, and returns their answers. In reading order:

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

// The server: its services and addresses.
mod caught_mail;
mod composition;
mod health_report;
mod listen_addresses;
mod listener_service;
mod operator_api;
mod options;
mod server;
mod services;
mod shared;

pub use caught_mail::CaughtMail;
pub use composition::{Composition, PlatformStore, forget_failures};
pub use health_report::{HealthCheck, HealthReport, HealthState, MetricKind, Sample};
pub use listen_addresses::{BindError, ListenAddresses};
pub use operator_api::{OperatorAnswer, OperatorApi};
pub use options::{ConnectionLimits, ListenerOptions, ListenerSurface, Options, TenantConsole};
pub use server::{Gateway, GatewayHandle, serve_connection};
pub use services::{DeclaredAt, Services, TokenServices};

pub use pages::{CaughtLetter, Language, RenderedMail};

// From connection to handler: head, body, authentication, response.
mod authentication;
mod connection;
mod request;
mod respond;

pub use authentication::{
    CertificateFormat, CertificateHeader, CertificateSources, PresentedCertificates,
    PresentedCertificatesError,
};
pub use connection::{CertificateRequests, CurrentTls, ReadTlsFile, TlsError, TlsFiles, TlsReaders};
pub use request::{ForwardingHeader, TrustedPeers};

// Pages for browsers, and mail.
mod mail;
mod page;

pub use mail::render_mail;

// Routes.
mod routes;
mod thunder;

pub use routes::admin::{ReportStatement, SignatureReading};

// Shared by handlers.
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

// Log and metrics.
mod access_log;
mod metrics;
mod readiness;

// The OpenAPI document.
mod openapi;

#[cfg(feature = "schemas")]
pub use documents::shapes;
#[cfg(feature = "schemas")]
pub use openapi::openapi_of_types;
pub use openapi::{openapi_document, settings_schema};
