//! Counts the calls of each method of a store.

macro_rules! calls {
    ($($(#[$text:meta])* $name:ident),+) => {
        /// The calls since the store was created, including failed calls.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Calls {
            $($(#[$text])* pub $name: u64,)+
            /// Notifications about revocations by another store. They do not count as calls.
            pub noticed_revocations: u64,
            /// Clients in the answers of `load_with_related_clients`. They do not count as calls.
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
    find_tenant,
    find_logo,
    find_client,
    /// Calls for the trust rules of a tenant's clients.
    find_federated_clients,
    find_api_key,
    find_keys,
    find_key,
    add_key,
    record_use,
    is_used,
    find_revocations,
    revoke_token,
    find_by_identifier,
    replace_password,
    find_account,
    /// Calls for sessions, codes and consents.
    sign_ins,
    /// Calls of all methods that only administration uses.
    administration
}
