//! OAuth vocabulary as types. Requests are parsed once, where they arrive; all later code works on values.
//!
//! The crate is pure and at the bottom of the crate graph: no tenant, no client, no clock, no HTTP library. In reading order:

mod causes;
mod cropped;
mod invisible_characters;
mod lifetime;
mod rate;
mod secret;
mod timestamp;

mod algorithm;
mod audience;
mod confirmation;
mod grant_type;
mod resource;
mod revocation;
mod scope;
mod thumbprint;

mod error;
mod form;
mod refusal_reason;
mod urlencoded;

pub mod steps;

mod basic;
mod client_authentication;
mod client_certificate;
mod presented_token;

mod introspection;
mod metadata;
mod token_response;

pub use algorithm::SigningAlgorithm;
pub use audience::Audience;
pub use causes::{causes, distinct_causes};
pub use client_authentication::{
    ClientAuthentication, ClientAuthenticationMethod, IdAndSecret, JWT_BEARER, PresentedAssertion,
    PresentedMethod,
};
pub use client_certificate::{ChainError, ClientCertificate, Validity};
pub use confirmation::Confirmation;
pub use cropped::cropped;
pub use error::{ErrorCode, ErrorResponse};
pub use form::Form;
pub use grant_type::GrantType;
pub use introspection::{ActiveToken, IntrospectionRequest, IntrospectionResponse};
pub use invisible_characters::{bidi_control_in_name, invisible_in_id};
pub use lifetime::{Lifetime, LifetimeError};
pub use metadata::{AuthorizationServerMetadata, EndpointAliases};
pub use presented_token::PresentedToken;
pub use rate::{InvalidRate, Rate, RateUnit};
pub use refusal_reason::RefusalReason;
pub use resource::{InvalidResource, ResourceIndicator};
pub use revocation::RevocationRequest;
pub use scope::{InvalidScope, Scope, ScopeToken};
pub use secret::Secret;
pub use thumbprint::Thumbprint;
pub use timestamp::Timestamp;
pub use token_response::{TokenResponse, TokenType};
