//! Counts the calls of each method of a store.

/// The calls since the store was created, with failed ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Calls of `find_tenant`.
    pub find_tenant: u64,
    /// Calls of `find_logo`.
    pub find_logo: u64,
    /// Calls of `find_client`.
    pub find_client: u64,
    /// Calls for the rules of a tenant's clients.
    pub find_federated_clients: u64,
    /// Calls of `find_api_key`.
    pub find_api_key: u64,
    /// Calls of `find_keys`.
    pub find_keys: u64,
    /// Calls of `find_key`.
    pub find_key: u64,
    /// Calls of `add_key`.
    pub add_key: u64,
    /// Calls of `record_use`.
    pub record_use: u64,
    /// Calls of `is_used`.
    pub is_used: u64,
    /// Calls of `find_revocations`.
    pub find_revocations: u64,
    /// Calls of `revoke_token`.
    pub revoke_token: u64,
    /// Calls of `find_by_identifier`.
    pub find_by_identifier: u64,
    /// Calls of `replace_password`.
    pub replace_password: u64,
    /// Calls of `find_account`.
    pub find_account: u64,
    /// Calls for sessions, codes and consents.
    pub sign_ins: u64,
    /// Calls of all methods that only administration uses.
    pub administration: u64,
    /// Notifications about revocations by another store. They are no calls.
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
            + self.find_federated_clients
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
