//! The behaviour of every store, one function for each. [`store_contract_tests!`] calls each with a fresh
//! store, so a behaviour that is added here is tested everywhere.
//!
//! [`store_contract_tests!`]: crate::store_contract_tests

#![expect(clippy::unwrap_used, reason = "a store that fails here has failed the test")]

pub mod accounts;
pub mod api_keys;
pub mod applications;
pub mod audit;
pub mod audit_stream;
pub mod bookkeeping;
pub mod client_counts;
pub mod commits;
pub mod concurrent;
pub mod console_sessions;
pub mod deleting;
pub mod devices;
pub mod finding;
pub mod key_commits;
pub mod key_owners;
pub mod key_schedules;
pub mod leaked_credentials;
pub mod leases;
pub mod listing;
pub mod log;
pub mod logos;
pub mod logouts;
pub mod numbering;
mod people;
pub mod policies;
pub mod refresh_families;
pub mod refusals;
pub mod resealing;
pub mod retiring;
pub mod reused_grants;
pub mod revisions;
pub mod revocations;
pub mod secret_rotations;
pub mod secret_usage;
pub mod secrets;
pub mod sign_ins;
pub mod single_use;
pub mod suspending;
pub mod usage_days;
pub mod verifier_fetches;

use std::collections::BTreeSet;
use std::sync::Arc;

use ::accounts::AccountStore;
use administration::{AdministrationStore, Change, ChangeKind, CommitOutcome, Invalidation};
use grants::{
    AuthorizationCode, AuthorizationStore, DeviceCodeStore, LogoutOutbox, OneTimeStore, PushedRequest,
};
use keys::SigningKeyStore;
use registry::{ApiKeyStore, Client, ClientStore, FederatedClientStore, ReplayStore, RevocationStore};
use sessions::SessionStore;
use storage::Database;
use tenancy::{LogoStore, Tenant, TenantId, TenantStore};
use values::{Lifetime, Timestamp};

use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// All traits of a store.
pub trait Store:
    TenantStore
    + LogoStore
    + ClientStore
    + FederatedClientStore
    + ApiKeyStore
    + SigningKeyStore
    + ReplayStore
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
            finding::rows_that_were_never_added_are_not_found,
            finding::a_tenant_is_read_back_field_by_field,
            finding::a_client_is_read_back_field_by_field,
            finding::rules_of_clients_are_found_in_their_tenant,
            finding::a_stranger_s_subject_costs_little_whatever_the_rules_are,
            finding::up_to_100_clients_share_a_beginning,
            finding::a_client_is_found_in_its_tenant_only,
            finding::a_changed_row_is_read_back_changed,
            finding::administration_sees_every_row,
            logos::a_logo_is_found_in_its_tenant_only,
            logos::a_logo_ends_when_its_tenant_shows_it_no_more,
            api_keys::an_api_key_is_read_back_field_by_field_in_its_tenant,
            api_keys::an_api_key_is_changed_on_its_own_revision_only,
            api_keys::a_changed_api_key_is_logged_and_a_revoked_one_ends_its_tokens,
            api_keys::api_keys_of_two_tenants_are_made_at_once,
            api_keys::uses_of_api_keys_are_kept_with_their_addresses,
            api_keys::api_keys_that_ended_long_ago_are_deleted,
            finding::issuers_are_found_with_their_owners,
            finding::issuers_are_found_below_others,
            numbering::keys_are_numbered_from_one_and_no_number_is_given_twice,
            numbering::each_tenant_counts_its_own_keys,
            numbering::a_key_is_found_with_its_public_half_in_its_tenant_only,
            numbering::of_twenty_first_keys_at_once_one_is_added,
            numbering::a_first_key_is_imported_once,
            key_owners::a_key_belongs_to_one_tenant,
            key_owners::a_key_of_a_deleted_tenant_stays_taken,
            key_owners::of_tenants_that_add_one_key_at_once_one_gets_it,
            key_commits::keys_of_a_commit_take_the_next_numbers,
            key_commits::keys_of_a_commit_rest_on_the_revision,
            key_commits::of_a_request_and_a_commit_one_adds_the_next_key,
            key_commits::keys_get_other_times_and_are_destroyed_in_their_tenant_only,
            key_commits::every_key_commit_has_a_change,
            key_schedules::a_key_that_a_request_adds_is_due_when_it_begins,
            key_schedules::an_imported_first_key_is_due_when_it_begins,
            key_schedules::keys_are_found_by_their_due_dates,
            key_schedules::changes_of_policy_make_keys_due,
            key_schedules::keys_stay_for_tokens_that_live_longer,
            policies::keys_are_loaded_with_what_their_lives_depend_on,
            policies::previous_key_sets_are_remembered_while_copies_may_be_cached,
            policies::keys_say_for_how_long_the_policy_of_their_tenant_lets_copies_be_kept,
            key_schedules::a_deleted_tenant_has_no_due_keys,
            leases::a_lease_has_one_holder_until_it_ends,
            leases::of_twenty_processes_one_gets_a_lease,
            verifier_fetches::verifier_fetches_are_merged_and_pruned,
            verifier_fetches::verifier_fetches_of_unknown_tenants_are_ignored,
            sign_ins::a_session_is_found_by_its_cookie_in_its_tenant,
            sign_ins::a_session_takes_the_place_of_the_one_before,
            sign_ins::a_session_that_has_ended_does_not_go_on_with_the_next_sign_in,
            sign_ins::a_code_is_redeemed_once_and_as_it_was_issued,
            sign_ins::of_a_hundred_redemptions_at_once_one_is_the_first,
            sign_ins::a_code_ends_with_its_session_and_its_account,
            refresh_families::a_family_begins_with_its_code_in_its_tenant,
            refresh_families::a_family_begins_with_a_device_code_that_was_allowed,
            refresh_families::a_step_is_taken_once_and_as_the_family_is_bound,
            refresh_families::of_two_steps_at_once_from_a_hundred_tokens_one_is_taken,
            refresh_families::a_family_ends_with_what_it_follows_from,
            refresh_families::a_family_ends_with_an_idle_session_and_by_a_stricter_policy,
            reused_grants::a_grant_that_is_used_again_ends_and_is_recorded_once,
            refresh_families::a_family_follows_its_session_to_another_partition,
            refresh_families::ended_families_are_deleted,
            sign_ins::what_a_person_allowed_is_read_back,
            sign_ins::sessions_of_an_account_are_listed_and_ended,
            sign_ins::consents_of_an_account_are_listed_and_forgotten,
            console_sessions::a_link_to_the_console_becomes_one_session_of_its_tenant,
            console_sessions::a_holder_has_so_many_sessions_of_the_console,
            sign_ins::a_pushed_request_is_found_until_a_code_is_issued_for_it,
            sign_ins::of_a_hundred_codes_for_one_pushed_request_one_is_issued,
            sign_ins::a_client_has_so_many_pushed_requests,
            sign_ins::an_address_has_so_many_pushed_requests_of_a_client,
            sign_ins::a_session_gives_so_many_codes_in_a_minute,
            sign_ins::what_was_used_or_never_opened_is_deleted_early,
            sign_ins::expired_sign_ins_are_deleted,
            devices::a_device_code_is_found_in_its_tenant,
            devices::so_many_device_codes_wait_and_no_more,
            devices::a_device_is_decided_on_once_and_redeemed_once,
            devices::of_a_hundred_redemptions_of_a_device_code_one_is_the_first,
            logouts::the_end_of_a_session_queues_a_notice_for_each_of_its_clients,
            logouts::what_an_administrator_ends_queues_notices,
            logouts::an_attempt_at_a_notice_is_made_once,
            logouts::due_notices_come_by_tenant_in_turn,
            single_use::an_identifier_is_used_once_in_its_tenant,
            single_use::of_a_hundred_uses_at_once_one_is_the_first,
            single_use::expired_identifiers_are_deleted,
            accounts::an_account_is_read_back_field_by_field,
            accounts::one_address_in_two_tenants_is_two_accounts,
            accounts::an_identifier_moves_from_an_account_to_another_in_one_commit,
            accounts::an_identifier_and_an_external_id_belong_to_one_account,
            accounts::a_password_is_set_replaced_and_removed,
            accounts::a_password_is_rewritten_only_where_it_is_the_one_that_was_checked,
            accounts::a_suspended_or_retired_account_is_found_and_its_authentications_end,
            accounts::a_deleted_account_keeps_only_its_id,
            accounts::a_deleted_tenant_keeps_no_account,
            accounts::related_accounts_are_loaded_and_no_others,
            accounts::accounts_are_listed_page_by_page,
            revocations::nothing_is_revoked_at_first,
            revocations::a_token_is_revoked_in_its_tenant_only,
            revocations::a_full_list_of_tokens_becomes_one_revocation_of_their_client,
            revocations::tokens_of_people_are_revoked_in_their_tenant_only,
            revocations::too_many_ended_grants_of_a_person_become_one_revocation_of_that_account,
            revocations::ten_thousand_sign_outs_end_no_token_of_another_person,
            revocations::revoking_all_tokens_of_a_client_writes_one_row,
            revocations::what_ends_is_revoked_until_it_is_resumed,
            revocations::removed_keys_of_a_client_are_revoked,
            revocations::the_last_second_only_moves_forward,
            revocations::revocations_are_deleted_after_the_last_token,
            revocations::revocations_of_tenants_clients_and_credentials_are_kept_for_refresh_tokens,
            revocations::a_deleted_client_leaves_a_revocation_of_its_access_tokens,
            revocations::each_revocation_is_logged,
            resealing::what_is_sealed_is_listed_page_by_page,
            resealing::what_is_sealed_is_replaced_only_while_it_is_there,
            resealing::destroyed_keys_are_not_sealed_anew,
            resealing::deleted_values_are_not_resealed,
            numbering::a_sealed_value_is_put_once,
            numbering::a_key_of_digests_is_kept_until_its_tenant_is_deleted,
            commits::a_commit_is_whole_or_nothing,
            concurrent::a_first_key_and_usage_stay_beside_a_change_of_their_rows,
            concurrent::new_sealed_bytes_stay_beside_a_rotation,
            revisions::a_plan_on_an_older_revision_is_stale,
            revisions::a_change_to_another_client_makes_a_plan_stale_too,
            revisions::every_commit_increases_the_revision_of_each_expected_tenant,
            revisions::a_change_without_an_expected_revision_is_not_decided,
            revisions::rows_hold_when_they_were_created_and_changed,
            revisions::fields_of_a_retired_row_do_not_change,
            commits::of_two_configurations_planned_alike_one_is_applied,
            commits::files_and_api_do_not_change_each_others_rows,
            commits::an_issuer_belongs_to_one_tenant,
            retiring::a_retired_client_does_not_serve_and_is_restored_with_its_secrets,
            retiring::a_retired_tenant_does_not_serve_and_is_restored_with_its_keys,
            retiring::a_retired_resource_server_is_hidden_until_it_is_restored,
            suspending::files_and_api_suspend_and_resume,
            suspending::a_suspended_and_retired_tenant_serves_when_both_are_taken_back,
            deleting::a_tenant_is_deleted_in_two_steps,
            deleting::deletions_are_found_when_they_are_due,
            deleting::a_deleted_tenant_leaves_only_its_names,
            deleting::a_deleted_client_loses_its_secrets_and_keeps_its_id,
            deleting::a_retired_declared_row_is_deleted_by_api,
            secrets::secrets_end_are_revoked_and_come_back,
            secrets::the_api_ends_and_revokes_declared_secrets,
            secrets::the_files_leave_the_secrets_of_the_api_alone,
            secrets::secrets_that_ended_long_ago_are_removed_but_the_newest,
            refusals::the_last_refusals_of_a_tenant_stay,
            leaked_credentials::secrets_are_found_by_their_hint_in_all_tenants,
            secret_rotations::schedules_of_rotations_are_due_in_turn_by_tenant_and_taken_once,
            usage_days::usage_is_added_once_and_summed,
            usage_days::usage_days_are_a_ring,
            secret_usage::usage_of_secrets_is_merged_and_pruned,
            secret_usage::usage_of_unknown_secrets_is_ignored,
            applications::applications_are_kept_in_their_order,
            applications::applications_belong_to_their_tenant,
            bookkeeping::an_idempotent_answer_is_found_until_it_expires,
            bookkeeping::of_two_requests_with_one_idempotency_key_one_is_written,
            bookkeeping::sources_of_the_latest_generations_are_kept,
            bookkeeping::generations_are_listed_the_newest_first,
            bookkeeping::a_generation_remembers_which_tenants_it_left_out,
            bookkeeping::metadata_of_the_api_leaves_the_fingerprint,
            audit::audit_records_are_listed_by_every_filter,
            audit::audit_pages_have_no_gaps,
            audit::each_tenant_numbers_its_own_audit_records,
            audit_stream::lines_of_the_audit_are_made_once_and_in_the_order_of_the_records,
            audit_stream::the_audit_forgets_deleted_people,
            listing::only_related_clients_are_loaded,
            listing::related_clients_do_not_grow_with_the_clients_of_an_audience,
            listing::a_text_with_a_nul_is_found_nowhere,
            listing::tenants_are_listed_page_by_page,
            listing::tenants_are_found_by_the_search_terms_of_id_and_name,
            listing::a_search_goes_on_page_by_page,
            listing::clients_are_listed_page_by_page,
            client_counts::clients_that_are_neither_retired_nor_deleted_are_counted,
            client_counts::of_two_commits_at_once_that_add_a_client_one_counts,
            client_counts::many_clients_of_many_tenants_are_counted_in_one_commit,
            log::changes_are_listed_in_order_since_a_position
        );
    };
    ($fresh:path: $($module:ident::$behaviour:ident),+) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                let (stores, _kept) = $fresh().await;
                $crate::store_contract::$module::$behaviour(stores).await;
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
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.edit.changes);
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
        request.edit.changes.iter().any(of)
    };
    let planned = request.edit.keys.due.iter().map(|(tenant, _)| tenant);
    let touched = request.edit.changes.iter().map(Change::tenant).chain(planned);
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
