//! May this client have this token? Each grant has one file with its request, its rule `decide`,
//! its refusals and its tests. The [`Engine`] loads the facts for the rule and signs the token. In
//! reading order:

// Records that can be used once: codes of the authorization endpoint, device codes, pushed
// requests.
mod one_time;

mod authorization;
mod device;
mod logout;

pub use authorization::{
    AddressError, AuthorizationCode, AuthorizationStore, Authorizations, CodeNotIssued, CodeProof, CodeWrite,
    Consent, ConsentedResources, Granted, MostWaiting, NamedAccount, Next, NextContext, PushError,
    PushedRequest, PushedUse, RefreshFamilyStore, RequestedCode, check_address, check_client, check_request,
    next,
};
pub use device::{DeviceAuthorizations, DeviceCode, DeviceCodeStore, TypedCode};
pub use logout::{LogoutAddress, LogoutOutbox, LogoutTurn, QueuedLogout};
pub use one_time::{Allowed, OneTime, OneTimeContent, OneTimeKey, OneTimeStore, OneTimeUse};

// Shared by all grants.
mod access_token;
mod api_key_token;
mod grant_check;
mod named_scope;
mod sender_constraint;
mod token_request;

pub use access_token::{AccessTokenClaims, Grantee};
pub use named_scope::named_scope;
pub use sender_constraint::{ConstraintError, UnconfirmedToken};
pub use token_request::TokenRequest;

// The grants: one file with one `decide` each.
mod authorization_code;
mod client_credentials;
mod device_code;
mod explanation;
mod refresh_family;
mod refresh_token;
mod refresh_token_text;

pub use authorization_code::AuthorizationCodeRequest;
pub use client_credentials::ClientCredentialsRequest;
pub use device_code::{DeviceAuthorizationRequest, DeviceAuthorizationResponse, DeviceCodeRequest};
pub use explanation::{AudienceSource, Explanation, GrantChecks, ScopeOutcome};
pub use refresh_family::{FamilyKey, FamilyStep, FoundFamily, NewFamily, RefreshFamily};
pub use refresh_token::RefreshTokenRequest;

// Contents of tokens, introspection and revocation.
mod grant_id;
mod groups;
mod id_token;
mod id_token_hint;
mod introspection;
mod person_grant;
mod redemption;
mod refreshing;
mod resource_access;
mod reused_grant;
mod reused_tokens;
mod revocation;
mod revocation_feeds;
mod subject;
mod userinfo;

pub use grant_id::{GrantId, InvalidGrantId};
pub use groups::{GrantedGroups, GroupsLeftOut};
pub use id_token_hint::IdTokenHint;
pub use resource_access::{BearerError, ResourceRequirement, confirm_forwarded};
pub use reused_grant::{Reused, ReusedGrant, ReusedGrants};
pub use reused_tokens::ReusedTokens;
pub use revocation_feeds::SignedFeed;
pub use subject::{NamedPerson, Subjects};
pub use userinfo::{claims_supported, userinfo};

// The service around the grants.
mod engine;

pub use engine::{Engine, GrantError, InspectedToken, Signed};

// Tokens for administration.
mod admin_assertion;
mod administration_access;

pub use admin_assertion::AdminAssertion;

#[cfg(test)]
mod test_fixtures;
