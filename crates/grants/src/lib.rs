//! May this client have this token? Each grant is one file with its request, its `decide` and its refusals; the [`Engine`] loads
//! what they need, signs what they grant and writes what they ask for. In reading order:

mod access_token;

mod client_credentials;
mod introspection;
mod resource_access;

mod engine;

mod admin_assertion;
mod administration_access;

#[cfg(test)]
mod test_fixtures;

pub use access_token::{AccessTokenClaims, Grantee, JwtId};
pub use admin_assertion::AdminAssertion;
pub use engine::{Engine, GrantError, Signed};
pub use resource_access::{BearerError, ProtectedResource};
