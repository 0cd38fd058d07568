//! Counts the calls of each method of a store.

macro_rules! calls {
    ($($(#[$text:meta])* $name:ident),+) => {
        /// The calls since the store was created, with failed ones.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Calls {
            $($(#[$text])* pub $name: u64,)+
            /// Notifications about revocations by another store. They are no calls.
            pub noticed_revocations: u64,
            /// Clients in the answers of `load_with_related_clients`; no calls of their own.
            pub clients_loaded: u64,
        }

        impl Calls {
            #[must_use]
            pub fn total(&self) -> u64 {
                [$(self.$name),+].iter().sum()
            }
        }
    };
}

calls! {
    /// Calls of `find_tenant`.
    find_tenant,
    /// Calls of `find_logo`.
    find_logo,
    /// Calls of `find_client`.
    find_client,
    /// Calls for the rules of a tenant's clients.
    find_federated_clients,
    /// Calls of `find_api_key`.
    find_api_key,
    /// Calls of `find_keys`.
    find_keys,
    /// Calls of `find_key`.
    find_key,
    /// Calls of `add_key`.
    add_key,
    /// Calls of `record_use`.
    record_use,
    /// Calls of `is_used`.
    is_used,
    /// Calls of `find_revocations`.
    find_revocations,
    /// Calls of `revoke_token`.
    revoke_token,
    /// Calls of `find_by_identifier`.
    find_by_identifier,
    /// Calls of `replace_password`.
    replace_password,
    /// Calls of `find_account`.
    find_account,
    /// Calls for sessions, codes and consents.
    sign_ins,
    /// Calls of all methods that only administration uses.
    administration
}
