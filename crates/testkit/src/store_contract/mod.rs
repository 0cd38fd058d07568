//! What every store does, one function a behaviour, each called with a fresh store by [`store_contract_tests!`]: a behaviour that
//! is added here is tested everywhere.
//!
//! [`store_contract_tests!`]: crate::store_contract_tests

#![expect(clippy::unwrap_used, reason = "a store that fails here has failed the test")]

mod commits;
mod finding;
mod log;
mod numbering;
mod retiring;
mod secrets;

use std::sync::Arc;

use administration::{AdministrationStore, CommitOutcome, CommitRequest};
use keys::SigningKeyStore;
use registry::{Client, ClientStore};
use tenancy::{Tenant, TenantId, TenantStore};

use crate::requests;

pub use commits::*;
pub use finding::*;
pub use log::*;
pub use numbering::*;
pub use retiring::*;
pub use secrets::*;

/// One store under all its names.
#[derive(Clone)]
pub struct Stores {
    /// As tenancy knows it.
    pub tenants: Arc<dyn TenantStore>,
    /// As the registry knows it.
    pub clients: Arc<dyn ClientStore>,
    /// As key management knows it.
    pub signing_keys: Arc<dyn SigningKeyStore>,
    /// As administration knows it.
    pub administration: Arc<dyn AdministrationStore>,
}

impl Stores {
    /// Of one type that is all of them.
    pub fn of<S>(store: S) -> Self
    where
        S: TenantStore + ClientStore + SigningKeyStore + AdministrationStore + 'static,
    {
        let store = Arc::new(store);
        Self {
            tenants: Arc::clone(&store) as _,
            clients: Arc::clone(&store) as _,
            signing_keys: Arc::clone(&store) as _,
            administration: store,
        }
    }
}

/// Makes a test of every behaviour. `$fresh` is an async function without arguments that returns [`Stores`] over an empty store,
/// and something that is kept until the test has ended.
///
/// [`Stores`]: crate::store_contract::Stores
#[macro_export]
macro_rules! store_contract_tests {
    ($fresh:path) => {
        $crate::store_contract_tests!(
            $fresh:
            what_nobody_added_is_not_found,
            a_tenant_is_read_back_field_by_field,
            a_client_is_read_back_field_by_field,
            a_client_is_found_in_its_tenant_only,
            a_changed_row_is_read_back_changed,
            administration_sees_every_row,
            issuers_are_found_with_their_owners,
            keys_are_numbered_from_one_and_no_number_is_given_twice,
            each_tenant_counts_its_own_keys,
            of_twenty_first_keys_at_once_one_is_added,
            a_first_key_is_imported_once,
            a_sealed_value_is_put_once,
            a_commit_is_whole_or_nothing,
            what_was_planned_for_other_fields_is_superseded,
            of_two_configurations_planned_alike_one_is_applied,
            no_door_changes_the_rows_of_another,
            an_issuer_belongs_to_one_tenant,
            a_retired_client_does_not_serve_and_is_restored_with_its_secrets,
            a_retired_tenant_does_not_serve_and_is_restored_with_its_keys,
            a_retired_resource_server_is_hidden_until_it_is_restored,
            secrets_end_are_revoked_and_come_back,
            changes_are_told_in_their_order_since_a_position
        );
    };
    ($fresh:path: $($behaviour:ident),+) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                let (stores, _kept) = $fresh().await;
                $crate::store_contract::$behaviour(stores).await;
            }
        )+
    };
}

/// Adds a tenant and clients of it, which nothing may stand against.
async fn add(stores: &Stores, tenant: &Tenant, clients: &[&Client]) -> TenantId {
    commit(stores, &requests::added(tenant, clients)).await;
    tenant.id.clone()
}

/// Commits what nothing may stand against.
async fn commit(stores: &Stores, request: &CommitRequest) {
    let outcome = stores.administration.commit(request).await.unwrap();
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.changes);
}
