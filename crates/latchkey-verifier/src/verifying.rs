//! The verifier of an API: its issuers, its memory, and its responses.

mod cache_control;
mod cached;
mod clock;
mod http;
mod issuer;
mod issuers;
mod metadata;
mod named_key;
mod observer;
mod schedule;
mod service_url;

mod answers;
mod api_key;
mod feed;
mod introspection;
mod opaque_tokens;
mod revocations;

mod remembered;

mod confirmation;
mod dpop_proof;
mod kind_claims;
mod replay;
mod sender;

mod builder;
mod caller;
mod refusal;
mod request;
mod requests;
mod verifier;

mod bearer;

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "axum", feature = "tower"))]
mod http_request;
#[cfg(feature = "tower")]
mod tower;

pub use bearer::{Bearer, ClientCertificate};
pub use builder::{Builder, ConfigError, Trusted};
pub use caller::Caller;
pub use clock::{Clock, Moment};
pub use introspection::Introspection;
pub use issuer::Revocations;
pub use observer::{Accepted, Document, Fetched, Observer};
pub use refusal::Refusal;
pub use replay::{FirstUse, GuardUnavailable, ReplayGuard};
pub use request::RequestFacts;
#[cfg(feature = "tower")]
pub use tower::{Verified, VerifyLayer};
pub use verifier::Verifier;
