//! How often each method of a store was called.

use std::sync::atomic::{AtomicU64, Ordering};

/// Calls since the store was made, failed ones included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Of `find_tenant`.
    pub find_tenant: u64,
    /// Of `find_logo`.
    pub find_logo: u64,
    /// Of `find_client`.
    pub find_client: u64,
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

#[derive(Default)]
pub(crate) struct CallCounters {
    pub(crate) find_tenant: AtomicU64,
    pub(crate) find_logo: AtomicU64,
    pub(crate) find_client: AtomicU64,
    pub(crate) find_keys: AtomicU64,
    pub(crate) find_key: AtomicU64,
    pub(crate) add_key: AtomicU64,
    pub(crate) record_use: AtomicU64,
    pub(crate) is_used: AtomicU64,
    pub(crate) find_revocations: AtomicU64,
    pub(crate) revoke_token: AtomicU64,
    pub(crate) find_by_identifier: AtomicU64,
    pub(crate) replace_password: AtomicU64,
    pub(crate) find_account: AtomicU64,
    pub(crate) sign_ins: AtomicU64,
    pub(crate) administration: AtomicU64,
    pub(crate) noticed_revocations: AtomicU64,
    pub(crate) clients_loaded: AtomicU64,
}

impl CallCounters {
    pub(crate) fn read(&self) -> Calls {
        let of = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Calls {
            find_tenant: of(&self.find_tenant),
            find_logo: of(&self.find_logo),
            find_client: of(&self.find_client),
            find_keys: of(&self.find_keys),
            find_key: of(&self.find_key),
            add_key: of(&self.add_key),
            record_use: of(&self.record_use),
            is_used: of(&self.is_used),
            find_revocations: of(&self.find_revocations),
            revoke_token: of(&self.revoke_token),
            find_by_identifier: of(&self.find_by_identifier),
            replace_password: of(&self.replace_password),
            find_account: of(&self.find_account),
            sign_ins: of(&self.sign_ins),
            administration: of(&self.administration),
            noticed_revocations: of(&self.noticed_revocations),
            clients_loaded: of(&self.clients_loaded),
        }
    }
}
