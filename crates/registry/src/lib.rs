//! Which client is calling, and how did it authenticate? Registered clients, declared people, and the service that turns presented
//! credentials into an [`AuthenticatedClient`]. In reading order:

mod api_key;
mod certificate_subject;
mod client;
mod client_id;
mod client_keys;
mod client_secret;
mod code_flow;
mod distinguished_name;
mod distinguished_name_text;

mod credential_tag;
mod public_urls;
mod request_object;
mod revocation;
mod revocation_facts;
mod revocation_feed;
mod sender_keys;
mod shared_map;
mod single_use_identifier;
mod store;
mod text_pattern;
mod token_credential;
mod trust_rule;

mod assertion_inspection;
mod certificate_facts;
mod certificate_inspection;
mod client_assertion;
mod client_certificate;
mod federated_assertion;
mod federated_clients;
mod federation_inspection;
mod fetched_keys;
mod key_sets;
mod key_source;
mod live_identifiers;
mod single_use;

mod dpop;
mod dpop_inspection;
mod dpop_nonces;
mod dpop_proof;

mod api_keys;
mod last_used;
mod lookup_latency;
mod verification;
mod verified_secret_cache;

pub mod methods;

mod assertions;
mod authenticator;
mod client_authentication_error;

mod flow_id;
mod secret_rotation;
mod users;

pub use api_key::{ApiKey, ApiKeyId, InvalidApiKeyId};
pub use api_keys::ApiKeys;
pub use assertion_inspection::KnownClient;
pub use assertions::Assertions;
pub use authenticator::{AuthenticatedClient, Authenticator, Proof, Purpose, may_authenticate};
pub use certificate_facts::{AlternativeName, CertificateFacts};
pub use certificate_inspection::CertificateInspection;
pub use certificate_subject::{CertificateSubject, InvalidSubject, SubjectKind};
pub use client::{Client, ClientPurpose, ClientStatus, IntrospectionRight};
pub use client_authentication_error::ClientAuthenticationError;
pub use client_certificate::{CertificateMethod, check_client_certificate, count_certificates};
pub use client_id::{ClientId, InvalidClientId};
pub use client_keys::{ClientKeys, removed_keys};
pub use client_secret::{ClientSecret, SecretId};
pub use code_flow::CodeFlow;
pub use credential_tag::CredentialTag;
pub use distinguished_name::{DistinguishedName, InvalidName};
pub use dpop::DpopProofs;
pub use dpop_inspection::KnownRequest;
pub use dpop_proof::{DpopProof, DpopRequest, UnverifiedProof};
pub use federated_assertion::FederatedProof;
pub use federated_clients::{FederatedClientStore, FederatedClients};
pub use federation_inspection::{JudgedRule, judge_rules};
pub use key_source::{KeyPlace, KeySource, jwks_uri_of};
pub use last_used::{LastUsedApiKeys, LastUsedSecrets, SecretPath, UsedApiKey, UsedSecret};
pub use methods::assertion::AssertionCheck;
pub use methods::certificate::CertificateCheck;
pub use methods::dpop::DpopCheck;
pub use methods::federation::FederationCheck;
pub use public_urls::PublicUrls;
pub use request_object::RequestObjectError;
pub use revocation::{Revocation, RevokedSubject, TokenRevocation};
pub use revocation_facts::{IssuedToken, PersonOfToken, Reading, RevocationFacts, RevokedBy};
pub use revocation_feed::{RevocationFeed, RevokedClient, RevokedPeople};
pub use secret_rotation::SecretRotation;
pub use sender_keys::SenderKeys;
pub use single_use::SingleUseError;
pub use single_use_identifier::SingleUseIdentifier;
pub use store::{ApiKeyStore, ClientStore, FetchedJwks, JwksFetcher, ReplayGuard, RevocationStore};
pub use text_pattern::TextPattern;
pub use token_credential::credential_of_token;
pub use trust_rule::{TrustRule, TrustRules};
pub use users::{DeclaredPassword, DeclaredUser, HashedUsers, SignedInUser, UserSignInError, Users};
pub use verified_secret_cache::VerifiedSecretCache;
