//! Assertions of other issuers, and the rules by which clients trust them.

mod claim_rule;
pub(crate) mod federated_assertion;
pub(crate) mod federated_clients;
mod federation_inspection;
mod text_pattern;
mod trust_rule;

pub use claim_rule::ClaimRule;
pub use federated_assertion::FederatedProof;
pub use federated_clients::{CandidateRules, FederatedClientStore, FederatedClients, ForeignSubject};
pub use federation_inspection::{JudgedRule, judge_rules};
pub use text_pattern::TextPattern;
pub use trust_rule::{TrustRule, TrustRules};
