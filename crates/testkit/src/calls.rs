//! How often each method of a store was called.

/// Calls since the store was made, failed ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Of `find_tenant`.
    pub find_tenant: u64,
    /// Of `find_logo`.
    pub find_logo: u64,
    /// Of `find_client`.
    pub find_client: u64,
    /// Of the rules of a tenant's clients.
    pub find_federated_clients: u64,
    /// Of `find_api_key`.
    pub find_api_key: u64,
    /// Of `find_keys`.
    pub find_keys: u64,
    /// Of `find_key`.
    pub find_key: u64,
    /// Of `add_key`.
    pub add_key: u64,
    /// Of `record_use`.
    pub record_use: u64,
    /// Of `is_used`.
    pub is_used: u64,
    /// Of `find_revocations`.
    pub find_revocations: u64,
    /// Of `revoke_token`.
    pub revoke_token: u64,
    /// Of `find_by_identifier`.
    pub find_by_identifier: u64,
    /// Of `replace_password`.
    pub replace_password: u64,
    /// Of `find_account`.
    pub find_account: u64,
    /// Of sessions, codes and consents.
    pub sign_ins: u64,
    /// Of everything that only administration asks.
    pub administration: u64,
    /// Times that it was told of revocations by another store; no calls of their own.
    pub noticed_revocations: u64,
    /// Clients in the answers of `load_with_related_clients`; no calls of their own.
    pub clients_loaded: u64,
}

impl Calls {
    /// All calls.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.find_tenant
            + self.find_logo
            + self.find_client
            + self.find_api_key
            + self.find_keys
            + self.find_key
            + self.add_key
            + self.record_use
            + self.is_used
            + self.find_revocations
            + self.revoke_token
            + self.find_by_identifier
            + self.replace_password
            + self.find_account
            + self.sign_ins
            + self.administration
    }
}
