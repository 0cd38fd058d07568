//! What every store does, one function a behaviour, each called with a fresh store by [`store_contract_tests!`]: a behaviour that
//! is added here is tested everywhere.
//!
//! [`store_contract_tests!`]: crate::store_contract_tests

#![expect(clippy::unwrap_used, reason = "a store that fails here has failed the test")]

mod applications;
mod audit;
mod books;
mod commits;
mod deleting;
mod finding;
mod key_commits;
mod key_schedules;
mod key_sightings;
mod leases;
mod listing;
mod log;
mod numbering;
mod policies;
mod resealing;
mod retiring;
mod revisions;
mod secret_uses;
mod secrets;
mod suspending;

use std::collections::BTreeSet;
use std::sync::Arc;

use administration::{AdministrationStore, Change, ChangeKind, CommitOutcome, CommitRequest};
use keys::SigningKeyStore;
use registry::{Client, ClientStore};
use tenancy::{Tenant, TenantId, TenantStore};

use crate::requests;

pub use applications::*;
pub use audit::*;
pub use books::*;
pub use commits::*;
pub use deleting::*;
pub use finding::*;
pub use key_commits::*;
pub use key_schedules::*;
pub use key_sightings::*;
pub use leases::*;
pub use listing::*;
pub use log::*;
pub use numbering::*;
pub use policies::*;
pub use resealing::*;
pub use retiring::*;
pub use revisions::*;
pub use secret_uses::*;
pub use secrets::*;
pub use suspending::*;

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
            keys_of_a_commit_take_the_next_numbers,
            keys_of_a_commit_rest_on_the_revision,
            of_a_request_and_a_commit_one_adds_the_next_key,
            keys_get_other_times_and_are_destroyed_in_their_tenant_only,
            what_happens_to_keys_is_told_by_a_change,
            a_key_that_a_request_adds_is_due_when_it_begins,
            an_imported_first_key_is_due_when_it_begins,
            keys_are_found_by_their_due_dates,
            changes_of_policy_make_keys_due,
            keys_stay_for_tokens_that_live_longer,
            keys_are_loaded_with_what_their_lives_depend_on,
            earlier_key_sets_are_remembered_while_copies_may_be_about,
            a_deleted_tenant_has_no_keys_to_look_at,
            a_lease_has_one_holder_until_it_ends,
            of_twenty_processes_one_gets_a_lease,
            sightings_of_keys_are_merged_and_pruned,
            sightings_of_unknown_tenants_are_passed_over,
            what_is_sealed_is_listed_page_by_page,
            what_is_sealed_is_replaced_only_while_it_is_there,
            destroyed_keys_are_not_sealed_anew,
            what_is_no_longer_kept_is_not_sealed_anew,
            a_sealed_value_is_put_once,
            a_commit_is_whole_or_nothing,
            what_was_planned_on_an_older_revision_is_superseded,
            a_change_to_another_client_supersedes_too,
            every_commit_counts_each_tenant_that_it_rests_on,
            a_change_without_its_revision_is_a_fault,
            rows_tell_when_they_were_made_and_changed,
            fields_of_a_retired_row_do_not_change,
            of_two_configurations_planned_alike_one_is_applied,
            no_door_changes_the_rows_of_another,
            an_issuer_belongs_to_one_tenant,
            a_retired_client_does_not_serve_and_is_restored_with_its_secrets,
            a_retired_tenant_does_not_serve_and_is_restored_with_its_keys,
            a_retired_resource_server_is_hidden_until_it_is_restored,
            any_door_suspends_and_resumes,
            a_suspended_and_retired_tenant_serves_when_both_are_taken_back,
            a_tenant_is_deleted_in_two_steps,
            deletions_are_found_when_they_are_due,
            a_deleted_tenant_leaves_only_its_names,
            a_deleted_client_loses_its_secrets_and_keeps_its_id,
            a_declared_row_is_deleted_by_another_door_once_it_is_retired,
            secrets_end_are_revoked_and_come_back,
            the_api_ends_and_revokes_declared_secrets,
            the_files_leave_the_secrets_of_the_api_alone,
            secrets_that_ended_long_ago_are_removed_but_the_newest,
            uses_of_secrets_are_merged_and_pruned,
            uses_of_unknown_secrets_are_passed_over,
            applications_are_kept_in_their_order,
            applications_belong_to_their_tenant,
            an_idempotent_answer_is_found_until_it_expires,
            of_two_requests_with_one_idempotency_key_one_is_written,
            sources_of_the_latest_generations_are_kept,
            generations_are_listed_the_newest_first,
            a_generation_remembers_which_tenants_it_left_out,
            a_mark_of_the_api_leaves_the_fingerprint,
            audit_records_are_listed_by_every_filter,
            audit_pages_have_no_gaps,
            only_neighbours_are_loaded_around_a_client,
            neighbours_do_not_grow_with_the_clients_of_an_audience,
            a_text_with_a_nul_is_found_nowhere,
            tenants_are_listed_page_by_page,
            tenants_are_searched_by_the_words_of_id_and_name,
            a_search_goes_on_page_by_page,
            clients_are_listed_page_by_page,
            live_clients_are_counted_up_to_a_limit,
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
    let outcome = commit_now(stores, request).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.changes);
}

/// Commits what was planned a moment ago.
async fn commit_now(stores: &Stores, request: &CommitRequest) -> CommitOutcome {
    let request = resting_on_today(stores, request).await;
    stores.administration.commit(&request).await.unwrap()
}

/// The request, resting on the revisions of today.
async fn resting_on_today(stores: &Stores, request: &CommitRequest) -> CommitRequest {
    let mut request = request.clone();
    let is_added = |id: &TenantId| {
        let of = |change: &Change| matches!(change, Change::Tenant(row) if row.kind == ChangeKind::Added && row.after.id == *id);
        request.changes.iter().any(of)
    };
    let planned = request.keys.due.iter().map(|(tenant, _)| tenant);
    let touched = request.changes.iter().map(Change::tenant).chain(planned);
    let touched: BTreeSet<_> = touched.filter(|id| !is_added(id)).cloned().collect();
    for tenant in touched {
        let revision = revision(stores, &tenant).await;
        request.rests_on.push((tenant, revision));
    }
    request
}

/// Of a tenant; 1 of one that is not there.
async fn revision(stores: &Stores, tenant: &TenantId) -> u64 {
    let state = stores.administration.load_state(tenant).await.unwrap();
    state.map_or(1, |state| state.revision)
}
