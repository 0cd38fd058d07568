//! The behaviour of every store, one function for each. [`store_contract_tests!`] calls each with a fresh
//! store, so a behaviour that is added here is tested everywhere.
//!
//! [`store_contract_tests!`]: crate::store_contract_tests

#![expect(clippy::unwrap_used, reason = "a store that fails here has failed the test")]

mod accounts;
mod api_keys;
mod applications;
mod audit;
mod audit_stream;
mod bookkeeping;
mod client_counts;
mod commits;
mod concurrent;
mod console_sessions;
mod deleting;
mod devices;
mod finding;
mod key_commits;
mod key_owners;
mod key_schedules;
mod leaked_credentials;
mod leases;
mod listing;
mod log;
mod logos;
mod logouts;
mod numbering;
mod people;
mod policies;
mod refresh_families;
mod refusals;
mod resealing;
mod retiring;
mod reused_grants;
mod revisions;
mod revocations;
mod secret_rotations;
mod secret_usage;
mod secrets;
mod sign_ins;
mod single_use;
mod suspending;
mod usage_days;
mod verifier_fetches;

use std::collections::BTreeSet;
use std::sync::Arc;

use ::accounts::AccountStore;
use administration::{AdministrationStore, Change, ChangeKind, CommitOutcome, Invalidation};
use grants::{
    AuthorizationCode, AuthorizationStore, DeviceCodeStore, LogoutOutbox, OneTimeStore, PushedRequest,
};
use keys::SigningKeyStore;
use registry::{ApiKeyStore, Client, ClientStore, FederatedClientStore, ReplayGuard, RevocationStore};
use sessions::SessionStore;
use storage::Database;
use tenancy::{LogoStore, Tenant, TenantId, TenantStore};
use values::{Lifetime, Timestamp};

use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

pub use self::accounts::*;
pub use self::api_keys::*;
pub use applications::*;
pub use audit::*;
pub use audit_stream::*;
pub use bookkeeping::*;
pub use client_counts::*;
pub use commits::*;
pub use concurrent::*;
pub use console_sessions::*;
pub use deleting::*;
pub use devices::*;
pub use finding::*;
pub use key_commits::*;
pub use key_owners::*;
pub use key_schedules::*;
pub use leaked_credentials::*;
pub use leases::*;
pub use listing::*;
pub use log::*;
pub use logos::*;
pub use logouts::*;
pub use numbering::*;
pub use policies::*;
pub use refresh_families::*;
pub use refusals::*;
pub use resealing::*;
pub use retiring::*;
pub use reused_grants::*;
pub use revisions::*;
pub use revocations::*;
pub use secret_rotations::*;
pub use secret_usage::*;
pub use secrets::*;
pub use sign_ins::*;
pub use single_use::*;
pub use suspending::*;
pub use usage_days::*;
pub use verifier_fetches::*;

/// All traits of a store.
pub trait Store:
    TenantStore
    + LogoStore
    + ClientStore
    + FederatedClientStore
    + ApiKeyStore
    + SigningKeyStore
    + ReplayGuard
    + RevocationStore
    + AccountStore
    + SessionStore
    + AuthorizationStore
    + LogoutOutbox
    + AdministrationStore
{
}

impl Store for Database {}

/// One store with all its traits.
pub type Stores = Arc<dyn Store>;

fn codes(stores: &Stores) -> Arc<dyn OneTimeStore<AuthorizationCode>> {
    stores.clone()
}

fn pushed(stores: &Stores) -> Arc<dyn OneTimeStore<PushedRequest>> {
    stores.clone()
}

fn devices(stores: &Stores) -> Arc<dyn DeviceCodeStore> {
    stores.clone()
}

/// Makes a test of every behaviour. `$fresh` is an async function without arguments that returns [`Stores`]
/// over an empty store, and a value that is kept until the test has ended.
///
/// [`Stores`]: crate::store_contract::Stores
#[macro_export]
macro_rules! store_contract_tests {
    ($fresh:path) => {
        $crate::store_contract_tests!(
            $fresh:
            rows_that_were_never_added_are_not_found,
            a_tenant_is_read_back_field_by_field,
            a_client_is_read_back_field_by_field,
            rules_of_clients_are_found_in_their_tenant,
            a_stranger_s_subject_costs_little_whatever_the_rules_are,
            up_to_100_clients_share_a_beginning,
            a_client_is_found_in_its_tenant_only,
            a_changed_row_is_read_back_changed,
            administration_sees_every_row,
            a_logo_is_found_in_its_tenant_only,
            a_logo_ends_when_its_tenant_shows_it_no_more,
            an_api_key_is_read_back_field_by_field_in_its_tenant,
            an_api_key_is_changed_on_its_own_revision_only,
            a_changed_api_key_is_logged_and_a_revoked_one_ends_its_tokens,
            api_keys_of_two_tenants_are_made_at_once,
            uses_of_api_keys_are_kept_with_their_addresses,
            api_keys_that_ended_long_ago_are_deleted,
            issuers_are_found_with_their_owners,
            issuers_are_found_below_others,
            keys_are_numbered_from_one_and_no_number_is_given_twice,
            each_tenant_counts_its_own_keys,
            a_key_is_found_with_its_public_half_in_its_tenant_only,
            of_twenty_first_keys_at_once_one_is_added,
            a_first_key_is_imported_once,
            a_key_belongs_to_one_tenant,
            a_key_of_a_deleted_tenant_stays_taken,
            of_tenants_that_add_one_key_at_once_one_gets_it,
            keys_of_a_commit_take_the_next_numbers,
            keys_of_a_commit_rest_on_the_revision,
            of_a_request_and_a_commit_one_adds_the_next_key,
            keys_get_other_times_and_are_destroyed_in_their_tenant_only,
            every_key_commit_has_a_change,
            a_key_that_a_request_adds_is_due_when_it_begins,
            an_imported_first_key_is_due_when_it_begins,
            keys_are_found_by_their_due_dates,
            changes_of_policy_make_keys_due,
            keys_stay_for_tokens_that_live_longer,
            keys_are_loaded_with_what_their_lives_depend_on,
            previous_key_sets_are_remembered_while_copies_may_be_cached,
            keys_say_for_how_long_the_policy_of_their_tenant_lets_copies_be_kept,
            a_deleted_tenant_has_no_due_keys,
            a_lease_has_one_holder_until_it_ends,
            of_twenty_processes_one_gets_a_lease,
            verifier_fetches_are_merged_and_pruned,
            verifier_fetches_of_unknown_tenants_are_ignored,
            a_session_is_found_by_its_cookie_in_its_tenant,
            a_session_takes_the_place_of_the_one_before,
            a_session_that_has_ended_does_not_go_on_with_the_next_sign_in,
            a_code_is_redeemed_once_and_as_it_was_issued,
            of_a_hundred_redemptions_at_once_one_is_the_first,
            a_code_ends_with_its_session_and_its_account,
            a_family_begins_with_its_code_in_its_tenant,
            a_family_begins_with_a_device_code_that_was_allowed,
            a_step_is_taken_once_and_as_the_family_is_bound,
            of_two_steps_at_once_from_a_hundred_tokens_one_is_taken,
            a_family_ends_with_what_it_follows_from,
            a_family_ends_with_an_idle_session_and_by_a_stricter_policy,
            a_grant_that_is_used_again_ends_and_is_recorded_once,
            a_family_follows_its_session_to_another_partition,
            ended_families_are_deleted,
            what_a_person_allowed_is_read_back,
            sessions_of_an_account_are_listed_and_ended,
            consents_of_an_account_are_listed_and_forgotten,
            a_link_to_the_console_becomes_one_session_of_its_tenant,
            a_holder_has_so_many_sessions_of_the_console,
            a_pushed_request_is_found_until_a_code_is_issued_for_it,
            of_a_hundred_codes_for_one_pushed_request_one_is_issued,
            a_client_has_so_many_pushed_requests,
            an_address_has_so_many_pushed_requests_of_a_client,
            a_session_gives_so_many_codes_in_a_minute,
            what_was_used_or_never_opened_is_deleted_early,
            expired_sign_ins_are_deleted,
            a_device_code_is_found_in_its_tenant,
            so_many_device_codes_wait_and_no_more,
            a_device_is_decided_on_once_and_redeemed_once,
            of_a_hundred_redemptions_of_a_device_code_one_is_the_first,
            the_end_of_a_session_queues_a_notice_for_each_of_its_clients,
            what_an_administrator_ends_queues_notices,
            an_attempt_at_a_notice_is_made_once,
            due_notices_come_by_tenant_in_turn,
            an_identifier_is_used_once_in_its_tenant,
            of_a_hundred_uses_at_once_one_is_the_first,
            expired_identifiers_are_deleted,
            an_account_is_read_back_field_by_field,
            one_address_in_two_tenants_is_two_accounts,
            an_identifier_moves_from_an_account_to_another_in_one_commit,
            an_identifier_and_an_external_id_belong_to_one_account,
            a_password_is_set_replaced_and_removed,
            a_password_is_rewritten_only_where_it_is_the_one_that_was_checked,
            a_suspended_or_retired_account_is_found_and_its_authentications_end,
            a_deleted_account_keeps_only_its_id,
            a_deleted_tenant_keeps_no_account,
            related_accounts_are_loaded_and_no_others,
            accounts_are_listed_page_by_page,
            nothing_is_revoked_at_first,
            a_token_is_revoked_in_its_tenant_only,
            a_full_list_of_tokens_becomes_one_revocation_of_their_client,
            tokens_of_people_are_revoked_in_their_tenant_only,
            too_many_ended_grants_of_a_person_become_one_revocation_of_that_account,
            ten_thousand_sign_outs_end_no_token_of_another_person,
            revoking_all_tokens_of_a_client_writes_one_row,
            what_ends_is_revoked_until_it_is_resumed,
            removed_keys_of_a_client_are_revoked,
            the_last_second_only_moves_forward,
            revocations_are_deleted_after_the_last_token,
            revocations_of_tenants_clients_and_credentials_are_kept_for_refresh_tokens,
            a_deleted_client_leaves_a_revocation_of_its_access_tokens,
            each_revocation_is_logged,
            what_is_sealed_is_listed_page_by_page,
            what_is_sealed_is_replaced_only_while_it_is_there,
            destroyed_keys_are_not_sealed_anew,
            deleted_values_are_not_resealed,
            a_sealed_value_is_put_once,
            a_key_of_digests_is_kept_until_its_tenant_is_deleted,
            a_commit_is_whole_or_nothing,
            a_first_key_and_usage_stay_beside_a_change_of_their_rows,
            new_sealed_bytes_stay_beside_a_rotation,
            a_plan_on_an_older_revision_is_stale,
            a_change_to_another_client_makes_a_plan_stale_too,
            every_commit_increases_the_revision_of_each_expected_tenant,
            a_change_without_an_expected_revision_is_not_decided,
            rows_hold_when_they_were_created_and_changed,
            fields_of_a_retired_row_do_not_change,
            of_two_configurations_planned_alike_one_is_applied,
            files_and_api_do_not_change_each_others_rows,
            an_issuer_belongs_to_one_tenant,
            a_retired_client_does_not_serve_and_is_restored_with_its_secrets,
            a_retired_tenant_does_not_serve_and_is_restored_with_its_keys,
            a_retired_resource_server_is_hidden_until_it_is_restored,
            files_and_api_suspend_and_resume,
            a_suspended_and_retired_tenant_serves_when_both_are_taken_back,
            a_tenant_is_deleted_in_two_steps,
            deletions_are_found_when_they_are_due,
            a_deleted_tenant_leaves_only_its_names,
            a_deleted_client_loses_its_secrets_and_keeps_its_id,
            a_retired_declared_row_is_deleted_by_api,
            secrets_end_are_revoked_and_come_back,
            the_api_ends_and_revokes_declared_secrets,
            the_files_leave_the_secrets_of_the_api_alone,
            secrets_that_ended_long_ago_are_removed_but_the_newest,
            the_last_refusals_of_a_tenant_stay,
            secrets_are_found_by_their_hint_in_all_tenants,
            schedules_of_rotations_are_due_in_turn_by_tenant_and_taken_once,
            usage_is_added_once_and_summed,
            usage_days_are_a_ring,
            usage_of_secrets_is_merged_and_pruned,
            usage_of_unknown_secrets_is_ignored,
            applications_are_kept_in_their_order,
            applications_belong_to_their_tenant,
            an_idempotent_answer_is_found_until_it_expires,
            of_two_requests_with_one_idempotency_key_one_is_written,
            sources_of_the_latest_generations_are_kept,
            generations_are_listed_the_newest_first,
            a_generation_remembers_which_tenants_it_left_out,
            metadata_of_the_api_leaves_the_fingerprint,
            audit_records_are_listed_by_every_filter,
            audit_pages_have_no_gaps,
            each_tenant_numbers_its_own_audit_records,
            lines_of_the_audit_are_made_once_and_in_the_order_of_the_records,
            the_audit_forgets_deleted_people,
            only_related_clients_are_loaded,
            related_clients_do_not_grow_with_the_clients_of_an_audience,
            a_text_with_a_nul_is_found_nowhere,
            tenants_are_listed_page_by_page,
            tenants_are_found_by_the_search_terms_of_id_and_name,
            a_search_goes_on_page_by_page,
            clients_are_listed_page_by_page,
            clients_that_are_neither_retired_nor_deleted_are_counted,
            of_two_commits_at_once_that_add_a_client_one_counts,
            many_clients_of_many_tenants_are_counted_in_one_commit,
            changes_are_listed_in_order_since_a_position
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

/// Adds a tenant and its clients. The commit must succeed.
async fn add(stores: &Stores, tenant: &Tenant, clients: &[&Client]) -> TenantId {
    commit(stores, &requests::added(tenant, clients)).await;
    tenant.id.clone()
}

/// The tenants acme and globex, each with clients of these ids.
async fn two_tenants(stores: &Stores, clients: &[&str]) -> [Tenant; 2] {
    let tenants = ["acme", "globex"].map(fixtures::tenant);
    for tenant in &tenants {
        let clients: Vec<_> = clients.iter().map(|id| fixtures::client(tenant, id)).collect();
        add(stores, tenant, &clients.iter().collect::<Vec<_>>()).await;
    }
    tenants
}

fn at(seconds: u64) -> Timestamp {
    NOW + Lifetime::from_seconds(seconds)
}

/// Commits one change of the files. The commit must succeed.
async fn apply(stores: &Stores, change: Change) {
    commit(stores, &requests::declared(vec![change])).await;
}

/// Commits. The commit must succeed.
async fn commit(stores: &Stores, request: &CommitRequest) {
    let outcome = commit_now(stores, request).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.changes);
}

/// Commits on the revisions of the request.
async fn planned_commit(stores: &Stores, request: &CommitRequest) -> CommitOutcome {
    requests::commit(&**stores, request).await.unwrap()
}

/// Commits what was planned a moment ago.
async fn commit_now(stores: &Stores, request: &CommitRequest) -> CommitOutcome {
    let request = resting_on_today(stores, request).await;
    planned_commit(stores, &request).await
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
        let state = stores.load_state(&tenant).await.unwrap();
        request.expected_revisions.push((tenant, state.as_ref().map_or(1, |state| state.revision)));
        request.before.extend(state);
    }
    request
}

/// What the log lists since a position.
async fn published(stores: &Stores, position: i64) -> Vec<Invalidation> {
    let published = stores.changes_since(position).await.unwrap();
    published.into_iter().map(|(_, published)| published).collect()
}

/// The revision of a tenant; 1 for an absent one.
async fn revision(stores: &Stores, tenant: &TenantId) -> u64 {
    let state = stores.load_state(tenant).await.unwrap();
    state.map_or(1, |state| state.revision)
}
