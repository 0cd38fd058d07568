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
pub mod mail;
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
use administration::kinds::change::ChangeKind;
use administration::kinds::{Change, Invalidation};
use administration::store::{AdministrationStore, CommitOutcome};
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

/// Creates a test for every behaviour. `$fresh` is an async function without arguments that returns
/// [`Stores`] for an empty store, and a value to keep until the end of the test.
///
/// [`Stores`]: crate::store_contract::Stores
#[macro_export]
macro_rules! store_contract_tests {
    ($fresh:path) => {
        $crate::store_contract_tests!(
            $fresh:
            finding::missing_rows_are_not_found,
            finding::tenant_round_trips_field_by_field,
            finding::client_round_trips_field_by_field,
            finding::trust_rules_are_found_only_in_their_tenant,
            finding::cost_of_unverified_subject_is_bounded,
            finding::up_to_100_clients_may_share_a_prefix,
            finding::client_is_found_only_in_its_tenant,
            finding::changed_row_is_read_back,
            finding::administration_reads_every_row,
            logos::logo_is_found_only_in_its_tenant,
            logos::unused_logo_is_deleted,
            api_keys::api_key_round_trips_in_its_tenant,
            api_keys::api_key_change_requires_its_own_revision,
            api_keys::api_key_changes_are_logged_and_revocation_ends_tokens,
            api_keys::api_keys_of_two_tenants_are_created_concurrently,
            api_keys::concurrent_api_keys_do_not_exceed_the_limit,
            api_keys::api_key_uses_are_stored_with_addresses,
            api_keys::invalid_api_keys_are_deleted_after_a_month,
            finding::issuers_are_found_with_their_owners,
            finding::issuers_below_a_path_are_found,
            numbering::key_numbers_start_at_one_and_are_unique,
            numbering::each_tenant_counts_its_own_keys,
            numbering::public_key_is_found_only_in_its_tenant,
            numbering::concurrent_first_keys_add_only_one,
            numbering::a_first_key_is_imported_once,
            key_owners::a_key_belongs_to_one_tenant,
            key_owners::key_of_deleted_tenant_stays_reserved,
            key_owners::concurrently_added_key_gets_one_owner,
            key_commits::committed_keys_get_the_next_numbers,
            key_commits::committing_keys_requires_the_current_revision,
            key_commits::request_and_commit_cannot_add_the_same_key,
            key_commits::commits_reschedule_and_destroy_only_own_keys,
            key_commits::key_commit_without_a_change_is_refused,
            key_schedules::requested_key_is_due_when_activated,
            key_schedules::imported_first_key_is_due_when_activated,
            key_schedules::keys_are_found_by_their_due_dates,
            key_schedules::policy_changes_make_keys_due,
            key_schedules::keys_are_kept_for_longer_token_lifetimes,
            policies::keys_are_loaded_with_the_longest_token_lifetime,
            policies::previous_key_sets_are_remembered_while_cacheable,
            policies::keys_include_the_cache_lifetime_of_copies,
            key_schedules::a_deleted_tenant_has_no_due_keys,
            leases::lease_has_one_owner_until_expiry,
            leases::only_one_process_gets_a_lease,
            verifier_fetches::verifier_fetches_are_merged_and_pruned,
            verifier_fetches::verifier_fetches_of_unknown_tenants_are_ignored,
            sign_ins::session_is_found_by_its_cookie_and_tenant,
            sign_ins::new_session_replaces_the_previous_session,
            sign_ins::ended_session_is_not_resumed_by_next_sign_in,
            sign_ins::code_is_redeemed_once_with_matching_values,
            sign_ins::concurrent_code_redemptions_succeed_once,
            sign_ins::code_ends_with_its_session_or_account,
            refresh_families::redeemed_code_begins_a_family_in_its_tenant,
            refresh_families::allowed_device_code_begins_a_family,
            refresh_families::family_step_succeeds_once_with_matching_binding,
            refresh_families::concurrent_family_steps_succeed_once,
            refresh_families::family_ends_with_its_grant_consent_or_account,
            refresh_families::family_ends_with_idle_session_or_stricter_policy,
            reused_grants::reused_grant_is_revoked_and_recorded_once,
            refresh_families::a_family_follows_its_session_to_another_partition,
            refresh_families::expired_families_are_deleted,
            sign_ins::consent_round_trips,
            sign_ins::sessions_of_an_account_are_listed_and_ended,
            sign_ins::consents_of_an_account_are_listed_and_deleted,
            console_sessions::console_link_becomes_one_session_in_its_tenant,
            console_sessions::console_sessions_of_one_owner_are_limited,
            sign_ins::pushed_request_is_found_until_used,
            sign_ins::pushed_request_gives_only_one_code,
            sign_ins::pushed_requests_of_a_client_are_limited,
            sign_ins::pushed_requests_of_an_address_are_limited,
            sign_ins::codes_of_a_session_are_limited_per_minute,
            sign_ins::used_and_unopened_rows_are_deleted_early,
            sign_ins::expired_sign_ins_are_deleted,
            devices::a_device_code_is_found_in_its_tenant,
            devices::waiting_device_codes_are_limited,
            devices::device_code_is_decided_and_redeemed_once,
            devices::concurrent_device_code_redemptions_succeed_once,
            logouts::ended_session_queues_one_notice_per_client,
            logouts::administrator_sign_out_queues_notices,
            logouts::each_notice_attempt_is_claimed_once,
            logouts::due_notices_alternate_between_tenants,
            mail::messages_of_an_account_are_limited_by_kind,
            mail::each_message_attempt_is_claimed_once,
            mail::message_ends_once_with_an_audit_record,
            mail::due_messages_alternate_between_tenants_of_a_lane,
            mail::committed_messages_are_deleted_with_their_account,
            mail::expired_messages_are_deleted,
            single_use::an_identifier_is_used_once_in_its_tenant,
            single_use::concurrent_identifier_uses_succeed_once,
            single_use::expired_identifiers_are_deleted,
            accounts::account_round_trips_field_by_field,
            accounts::one_address_in_two_tenants_is_two_accounts,
            accounts::identifiers_can_be_swapped_in_one_commit,
            accounts::identifiers_and_external_ids_are_unique,
            accounts::a_password_is_set_replaced_and_removed,
            accounts::only_the_checked_password_is_rewritten,
            accounts::suspended_and_retired_accounts_are_signed_out,
            accounts::a_deleted_account_keeps_only_its_id,
            accounts::a_deleted_tenant_keeps_no_account,
            accounts::only_related_accounts_are_loaded,
            accounts::accounts_are_listed_page_by_page,
            accounts::accounts_are_searched,
            revocations::new_tenant_has_no_revocations,
            revocations::token_is_revoked_only_in_its_tenant,
            revocations::full_token_list_becomes_one_client_revocation,
            revocations::person_tokens_are_revoked_only_in_their_tenant,
            revocations::many_grant_revocations_become_one_account_revocation,
            revocations::many_sign_outs_revoke_no_tokens_of_others,
            revocations::revoking_all_client_tokens_writes_one_row,
            revocations::suspended_rows_are_revoked_until_resumed,
            revocations::removed_keys_of_a_client_are_revoked,
            revocations::revocation_time_never_moves_back,
            revocations::revocations_are_deleted_after_last_token_expires,
            revocations::tenant_client_and_credential_revocations_outlive_refresh_tokens,
            revocations::deleted_client_leaves_an_access_token_revocation,
            revocations::each_revocation_is_logged,
            resealing::sealed_values_are_listed_page_by_page,
            resealing::sealed_value_is_replaced_only_if_unchanged,
            resealing::destroyed_keys_are_not_resealed,
            resealing::deleted_values_are_not_resealed,
            numbering::sealed_value_is_written_once,
            numbering::digest_key_is_deleted_with_its_tenant,
            commits::commit_is_all_or_nothing,
            concurrent::commit_keeps_concurrent_first_key_and_usage,
            concurrent::rotation_keeps_concurrently_resealed_bytes,
            revisions::a_plan_on_an_older_revision_is_stale,
            revisions::change_of_another_client_makes_plan_stale,
            revisions::commit_increments_revision_of_each_expected_tenant,
            revisions::change_without_expected_revision_is_refused,
            revisions::rows_store_creation_and_change_times,
            revisions::fields_of_a_retired_row_do_not_change,
            commits::only_one_of_two_equal_plans_is_applied,
            commits::files_and_api_change_only_own_rows,
            commits::an_issuer_belongs_to_one_tenant,
            retiring::retired_client_is_inactive_until_restored_with_secrets,
            retiring::retired_tenant_is_inactive_until_restored_with_keys,
            retiring::retired_resource_server_is_hidden_until_restored,
            suspending::files_and_api_can_suspend_any_row,
            suspending::tenant_serves_after_resuming_and_restoring,
            deleting::a_tenant_is_deleted_in_two_steps,
            deleting::due_deletions_are_found,
            deleting::deleted_tenant_keeps_only_its_names,
            deleting::deleted_client_keeps_only_its_id,
            deleting::api_deletes_declared_rows_only_after_retirement,
            secrets::secrets_can_expire_be_revoked_and_restored,
            secrets::api_may_expire_and_revoke_declared_secrets,
            secrets::files_do_not_change_api_secrets,
            secrets::long_expired_secrets_are_deleted_except_the_newest,
            refusals::latest_refusals_of_each_tenant_are_kept,
            leaked_credentials::secrets_are_found_by_hint_in_all_tenants,
            secret_rotations::due_rotations_alternate_between_tenants,
            usage_days::usage_is_added_once_and_summed,
            usage_days::newer_usage_days_replace_expired_days,
            secret_usage::usage_of_secrets_is_merged_and_pruned,
            secret_usage::usage_of_unknown_secrets_is_ignored,
            applications::applications_are_listed_in_creation_order,
            applications::applications_belong_to_their_tenant,
            bookkeeping::an_idempotent_answer_is_found_until_it_expires,
            bookkeeping::idempotency_key_admits_only_one_request,
            bookkeeping::sources_of_the_latest_generations_are_kept,
            bookkeeping::generations_are_listed_newest_first,
            bookkeeping::generation_records_the_tenants_left_out,
            bookkeeping::api_metadata_keeps_the_fingerprint,
            audit::audit_records_are_listed_by_every_filter,
            audit::audit_pages_have_no_gaps,
            audit::each_tenant_numbers_its_own_audit_records,
            audit_stream::audit_lines_are_created_once_in_record_order,
            audit_stream::the_audit_forgets_deleted_people,
            listing::only_related_clients_are_loaded,
            listing::related_clients_stay_few_for_a_large_audience,
            listing::text_with_nul_is_never_found,
            listing::tenants_are_listed_page_by_page,
            listing::tenants_are_found_by_terms_of_id_and_name,
            listing::search_continues_page_by_page,
            listing::clients_are_listed_page_by_page,
            client_counts::only_live_clients_are_counted,
            client_counts::only_one_concurrent_client_commit_succeeds,
            client_counts::one_commit_counts_clients_of_many_tenants,
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

/// Commits the request on the current revisions. The commit must succeed.
async fn commit(stores: &Stores, request: &CommitRequest) {
    let outcome = commit_now(stores, request).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{:?}", request.edit.changes);
}

/// Commits on the revisions in the request.
async fn planned_commit(stores: &Stores, request: &CommitRequest) -> CommitOutcome {
    requests::commit(&**stores, request).await.unwrap()
}

/// Commits on the current revisions.
async fn commit_now(stores: &Stores, request: &CommitRequest) -> CommitOutcome {
    let request = resting_on_today(stores, request).await;
    planned_commit(stores, &request).await
}

/// The request with the current revisions.
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

/// The log of changes after a position.
async fn published(stores: &Stores, position: i64) -> Vec<Invalidation> {
    let published = stores.changes_since(position).await.unwrap();
    published.into_iter().map(|(_, published)| published).collect()
}

/// The revision of a tenant. 1 if the tenant does not exist.
async fn revision(stores: &Stores, tenant: &TenantId) -> u64 {
    let state = stores.load_state(tenant).await.unwrap();
    state.map_or(1, |state| state.revision)
}
