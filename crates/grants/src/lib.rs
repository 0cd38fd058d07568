//! May this client have this token? Each grant is one file with its request, its rule `decide`, its refusals and its tests. The
//! [`Engine`] loads the facts for the rule and signs the token that it grants. In reading order:

mod access_token;
mod sender_constraint;
mod token_request;

mod client_credentials;
mod explanation;

mod introspection;
mod resource_access;
mod revocation;
mod revocation_feeds;

mod engine;

mod admin_assertion;
mod administration_access;

#[cfg(test)]
mod test_fixtures;

pub use access_token::{AccessTokenClaims, Grantee};
pub use admin_assertion::AdminAssertion;
pub use client_credentials::ClientCredentialsRequest;
pub use engine::{Engine, ExplainedToken, GrantError, Signed};
pub use explanation::{AudienceSource, Explanation, GrantChecks, ScopeOutcome};
pub use resource_access::{BearerError, ProtectedResource};
pub use revocation_feeds::SignedFeed;
pub use sender_constraint::{SenderError, SenderKeys, UnconfirmedToken};
pub use token_request::TokenRequest;
