//! Assertions of other issuers, and the rules by which clients trust them.

pub(crate) mod federated_assertion;
mod federated_clients;
mod federation_inspection;
mod text_pattern;
mod trust_rule;

pub use federated_assertion::FederatedProof;
pub use federated_clients::{FederatedClientStore, FederatedClients};
pub use federation_inspection::{JudgedRule, judge_rules};
pub use text_pattern::TextPattern;
pub use trust_rule::{TrustRule, TrustRules};
