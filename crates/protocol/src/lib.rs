//! OAuth vocabulary as types. The server parses each request once, when it arrives; all later code
//! works on values.
//!
//! The crate does no I/O and depends on no other crate with rules: it knows no tenant, no client,
//! no clock and no HTTP library. In reading order:

// Values in requests and tokens.
mod algorithm;
mod audience;
mod confirmation;
mod grant_type;
mod resource;
mod revocation;
mod scope;
mod static_claims;
mod thumbprint;

pub use algorithm::SigningAlgorithm;
pub use audience::Audience;
pub use confirmation::Confirmation;
pub use grant_type::GrantType;
pub use resource::{CanonicalResource, InvalidResource, ResourceIndicator, find_resource};
pub use revocation::RevocationRequest;
pub use scope::{InvalidScope, OFFLINE_ACCESS, Scope, ScopeToken};
pub use static_claims::StaticClaims;
pub use thumbprint::Thumbprint;

// Forms and errors.
mod error;
mod form;
mod refusal_reason;
mod scope_and_resources;
mod urlencoded;

pub use error::{ErrorCode, ErrorResponse};
pub use form::Form;
pub use refusal_reason::{CredentialReason, RefusalReason};

// Counts the work of parsers.
pub mod steps;

// Client credentials.
mod api_key;
mod basic;
mod client_authentication;
mod client_certificate;
mod presented_token;

pub use api_key::{LONGEST_BRAND, api_key_name, api_key_parts, is_api_key_brand};
pub use basic::IdAndSecret;
pub use client_authentication::{
    AssertionKind, ClientAuthentication, ClientAuthenticationMethod, Credential, JWT_BEARER, JWT_SPIFFE,
    PresentedAssertion, PresentedMethod,
};
pub use client_certificate::{ChainError, ClientCertificate, Validity};
pub use presented_token::PresentedToken;

// Requests of browsers and devices, and the responses.
mod authorization_request;
mod authorization_response;
mod claims_request;
mod code_challenge;
mod prompt;
mod redirect_uri;
mod sent_request;
mod subject_type;
mod user_code;

pub use authorization_request::{AnswerForm, AuthorizationAddress, AuthorizationRequest};
pub use authorization_response::{
    AuthorizationError, AuthorizationErrorCode, AuthorizationResponse, ResponseMode,
};
pub use claims_request::{ClaimsRequest, RequestedClaim};
pub use code_challenge::{CodeChallenge, is_code_verifier};
pub use prompt::Prompt;
pub use redirect_uri::{
    InvalidRedirectUri, check_redirect_uri, is_registered_redirect_uri, leads_to_an_app, redirect_host,
    uri_host,
};
pub use sent_request::{PushedResponse, RequestSource, SentRequest};
pub use subject_type::SubjectType;
pub use user_code::UserCode;

// Responses of endpoints, and metadata.
mod introspection;
mod metadata;
mod openid_metadata;
mod token_response;

pub use introspection::{ActiveToken, IntrospectedRefreshToken, IntrospectionRequest, IntrospectionResponse};
pub use metadata::{AuthorizationServerMetadata, EndpointAliases};
pub use openid_metadata::{OpenIdAliases, OpenIdMetadata};
pub use token_response::{TokenResponse, TokenType};
