//! Implements the traits of a store with the database. Counts each call first.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use accounts::{Account, AccountId, AccountPassword, AccountStore, Identifier};
use administration::administrator::console_session::ConsoleSession;
use administration::administrator::rotation_progress::RotationProgress;
use administration::audit::AuditRecord;
use administration::audit::audit_stream::{AuditChain, AuditSalt};
use administration::audit::refusals::Refusal;
use administration::audit::usage::{DayCounts, UsageBatch};
use administration::declaration::fingerprint::Fingerprint;
use administration::documents::application::{Application, ApplicationId};
use administration::kinds;
use administration::kinds::state::{ConsentState, TenantSummary};
use administration::kinds::{Accounts, ApiKeyRows, Invalidation, TenantState};
use administration::mail::{MailLane, MailMessage, MailOutbox, MailOutcome, QueuedMail};
use administration::store::query::{AuditQuery, ClientQuery, RelatedClients, TenantCursor, TenantQuery};
use administration::store::{
    AdministrationStore, Applications, AuditLog, AuditStream, ChangeLog, Commit, CommitOutcome,
    ConsoleSessions, EndedSecrets, Generation, Generations, IdempotentAnswer, IdempotentAnswers, KeySchedule,
    LeakedCredentials, Listed, RefusalLog, RefusalQuery, SealedItems, SealedPlace, SecretRotations,
    SecretUsage, TenantKeys, TenantList, TenantRows, UnreadableRow, UnreadableRows, UsageDays, UsageLog,
    UsageOf, UseOfTenant, VerifierFetch,
};
use async_trait::async_trait;
use grants::{
    AuthorizationStore, CodeNotIssued, CodeWrite, Consent, DeviceCode, DeviceCodeStore, FamilyKey,
    FamilyStep, FoundFamily, LogoutAddress, LogoutOutbox, LogoutTurn, OneTime, OneTimeContent, OneTimeKey,
    OneTimeStore, OneTimeUse, QueuedLogout, RefreshFamily, RefreshFamilyStore, ReusedGrant,
};
use keys::{KeyRecord, KeyRecords, Kid, SigningKeyStore};
use registry::{
    ApiKey, ApiKeyId, ApiKeyStore, Client, ClientId, ClientSecret, ClientStore, FederatedClientStore,
    FederatedClients, ForeignSubject, ReplayStore, RevocationFacts, RevocationStore, RevokedSubject,
    SecretPath, SingleUseIdentifier, TokenRevocation, TrustRules,
};
use sessions::{FoundSession, SessionId, SessionStore, SessionWrite};
use storage::Database;
use tenancy::{Issuer, LogoStore, SessionPolicy, Stored, Tenant, TenantId, TenantStore};
use values::Timestamp;

use super::TestStore;
use super::blocking::block_on;

/// Implements a trait, which may have an argument. Each method is written after its counter. Methods that are
/// not only forwarded follow at the end.
macro_rules! counted {
    ($store:ident $(<$of:ident: $bound:ident>)? { $($counter:ident: $method:ident($($name:ident: $type:ty),*) -> $output:ty;)* } $($more:tt)*) => {
        #[async_trait]
        impl$(<$of: $bound>)? $store$(<$of>)? for TestStore
        $(where Database: $store<$of>,)?
        {
            $(
                async fn $method(&self, $($name: $type),*) -> Stored<$output> {
                    // A call uses the server that is current when the call arrives.
                    let work = async { $store::$method(&*self.database(), $($name),*).await };
                    self.answer(stringify!($method), |calls| &mut calls.$counter, work).await
                }
            )*
            $($more)*
        }
    };
}

counted! { TenantStore {
    find_tenant: find_tenant(tenant: &TenantId) -> Option<Arc<Tenant>>;
}}

counted! { LogoStore {
    find_logo: find_logo(tenant: &TenantId, hash: &str) -> Option<Arc<Vec<u8>>>;
}}

counted! { ClientStore {
    find_client: find_client(tenant: &TenantId, client: &ClientId) -> Option<Arc<Client>>;
}}

counted! { FederatedClientStore {
    find_federated_clients: find_federated_clients(
        tenant: &TenantId, subject: &ForeignSubject) -> Option<Arc<FederatedClients>>;
}}

counted! { ApiKeyStore {
    find_api_key: find_api_key(tenant: &TenantId, key: &ApiKeyId) -> Option<Arc<ApiKey>>;
}}

counted! { SigningKeyStore {
    find_keys: find_keys(tenant: &TenantId) -> Arc<KeyRecords>;
    find_key: find_key(tenant: &TenantId, kid: Kid) -> Option<KeyRecord>;
    add_key: add_key(tenant: &TenantId, key: &KeyRecord) -> bool;
}}

counted! { ReplayStore {
    record_use: record_use(tenant: &TenantId, identifier: &SingleUseIdentifier) -> bool;
    is_used: is_used(tenant: &TenantId, identifier: &SingleUseIdentifier) -> bool;
    administration: delete_expired_identifiers(now: Timestamp) -> u64;
}}

counted! { RevocationStore {
    find_revocations: find_revocations(tenant: &TenantId) -> Arc<RevocationFacts>;
    find_revocations: find_later_revocations(
        tenant: &TenantId, known: &Arc<RevocationFacts>) -> Arc<RevocationFacts>;
    revoke_token: revoke_token(tenant: &TenantId, token: &TokenRevocation, now: Timestamp) -> ();
    revoke_token: revoke_people(
        tenant: &TenantId, subject: &RevokedSubject, account: Option<&str>, now: Timestamp) -> ();
    administration: delete_ended_revocations(now: Timestamp) -> u64;
} fn notice_revocations(&self, _: &TenantId) {
    self.counters().noticed_revocations += 1;
} fn fresh_revocations(&self, tenant: &TenantId) -> Option<Arc<RevocationFacts>> {
    let facts = || block_on(self.database().find_revocations(tenant)).ok();
    self.has_fresh_revocations.load(Ordering::Relaxed).then(facts)?
}}

counted! { AccountStore {
    find_by_identifier: find_by_identifier(
        tenant: &TenantId, identifier: &Identifier) -> Option<(Arc<Account>, Option<AccountPassword>)>;
    replace_password: replace_password(
        tenant: &TenantId, account: &AccountId, before: &AccountPassword, after: &AccountPassword) -> bool;
    find_account: find_account(tenant: &TenantId, account: &AccountId) -> Option<Arc<Account>>;
}}

counted! { SessionStore {
    sign_ins: find_session(tenant: &TenantId, slot: u32, id: &SessionId) -> Option<FoundSession>;
    sign_ins: write_session(tenant: &TenantId, write: &SessionWrite) -> bool;
    sign_ins: touch_session(tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> ();
    sign_ins: end_session(tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> ();
    administration: delete_expired_sign_ins(now: Timestamp) -> u64;
}}

counted! { OneTimeStore<T: OneTimeContent> {
    sign_ins: add(tenant: &TenantId, record: &OneTime<T>, limit: T::Limit, now: Timestamp) -> bool;
    sign_ins: find(tenant: &TenantId, key: &OneTimeKey) -> Option<OneTime<T>>;
    sign_ins: note(tenant: &TenantId, key: &OneTimeKey, note: &T::Note, now: Timestamp) -> bool;
    sign_ins: use_up(tenant: &TenantId, used: &OneTimeUse<T>, now: Timestamp) -> Option<OneTime<T>>;
}}

counted! { RefreshFamilyStore {
    sign_ins: step_family(
        tenant: &TenantId, step: &FamilyStep<'_>, now: Timestamp) -> Option<RefreshFamily>;
    sign_ins: find_family(
        tenant: &TenantId, key: &FamilyKey, policy: SessionPolicy, now: Timestamp) -> Option<FoundFamily>;
    sign_ins: note_use_of_family(tenant: &TenantId, key: &FamilyKey, idle_until: Timestamp) -> ();
}}

counted! { AuthorizationStore {
    sign_ins: find_consent(tenant: &TenantId, account: &AccountId, client: &ClientId) -> Option<Consent>;
    sign_ins: write_code(tenant: &TenantId, write: &CodeWrite<'_>) -> Result<(), CodeNotIssued>;
    sign_ins: discard_code(tenant: &TenantId, key: OneTimeKey, grant: &str, now: Timestamp) -> ();
    sign_ins: end_reused_grant(tenant: &TenantId, reused: &ReusedGrant<'_>, now: Timestamp) -> bool;
}}

counted! { DeviceCodeStore {
    sign_ins: find_device_by_user_code(
        tenant: &TenantId, user_digest: &[u8; 32], now: Timestamp) -> Option<OneTime<DeviceCode>>;
}}

counted! { LogoutOutbox {
    administration: due_logouts(now: Timestamp, most: u32, turn: &LogoutTurn) -> Vec<QueuedLogout>;
    administration: delete_ended_logouts(address: &LogoutAddress, now: Timestamp) -> ();
    administration: claim_logout(queued: &QueuedLogout, next: Timestamp) -> bool;
    administration: return_logout(queued: &QueuedLogout, next: Timestamp) -> ();
    administration: delete_logout(queued: &QueuedLogout) -> ();
}}

impl AdministrationStore for TestStore {}

counted! { TenantRows {
    administration: list_tenant_summaries(declared: &[TenantId]) -> Vec<TenantSummary>;
    administration: load_state(tenant: &TenantId) -> Option<TenantState>;
    administration: list_clients(tenant: &TenantId, query: &ClientQuery) -> Vec<Listed<kinds::client::State>>;
    administration: list_trust_rules(tenant: &TenantId, limit: u32) -> Vec<(ClientId, TrustRules)>;
    administration: find_issuer_owners(issuers: &[Issuer]) -> Vec<(Issuer, TenantId)>;
    administration: find_issuers_below(issuers: &[Issuer]) -> Vec<(Issuer, TenantId)>;
    administration: find_key_owners(thumbprints: &[&str]) -> Vec<(String, TenantId)>;
    administration: find_due_deletions(now: Timestamp, limit: u32) -> Vec<TenantId>;
    administration: commit(commit: &Commit) -> CommitOutcome;
} async fn load_with_related_clients(
    &self,
    tenant: &TenantId,
    related: RelatedClients<'_>,
) -> Stored<Option<TenantState>> {
    let work = async { self.database().load_with_related_clients(tenant, related).await };
    let state = self.answer("load", |calls| &mut calls.administration, work).await?;
    self.counters().clients_loaded += state.as_ref().map_or(0, |state| state.clients.len() as u64);
    Ok(state)
}}

counted! { TenantList {
    administration: list_tenants(query: &TenantQuery) -> Vec<(TenantCursor, TenantState)>;
}}

counted! { UnreadableRows {
    administration: add_unreadable_row(state: &mut TenantState, row: &UnreadableRow) -> ();
    administration: find_unreadable_application(
        tenant: &TenantId, application: &ApplicationId) -> Option<Application>;
}}

counted! { EndedSecrets {
    administration: prune_ended_secrets(now: Timestamp, limit: u32) -> u64;
}}

counted! { Applications {
    administration: find_application(
        tenant: &TenantId, application: &ApplicationId) -> Option<Application>;
    administration: find_application_named(tenant: &TenantId, name: &str) -> Option<ApplicationId>;
    administration: list_applications(
        tenant: &TenantId, offset: u32, limit: u32) -> (u64, Vec<Application>);
}}

counted! { Accounts {
    administration: find_accounts(tenant: &TenantId, related: kinds::account::Related<'_>) -> Vec<kinds::account::State>;
    administration: list_accounts(tenant: &TenantId, query: &kinds::account::Query) -> Vec<Listed<kinds::account::State>>;
    administration: list_sessions(tenant: &TenantId, account: &AccountId) -> Vec<FoundSession>;
    administration: list_consents(tenant: &TenantId, account: &AccountId) -> Vec<ConsentState>;
}}

counted! { ApiKeyRows {
    administration: find_api_keys(tenant: &TenantId, client: &ClientId, keys: &[ApiKeyId]) -> Vec<kinds::api_key::State>;
    administration: find_api_keys_named(key: &ApiKeyId) -> Vec<ApiKey>;
    administration: count_live_api_keys(tenant: &TenantId, client: &ClientId, now: Timestamp) -> u64;
    administration: list_api_keys(tenant: &TenantId, query: &kinds::api_key::Query) -> Vec<Listed<kinds::api_key::State>>;
    administration: record_api_key_usage(usage: &[kinds::api_key::Used]) -> ();
}}

counted! { Generations {
    administration: latest_generation() -> Option<Generation>;
    administration: is_known_generation(content: &Fingerprint) -> bool;
    administration: list_generations(limit: u32) -> Vec<Generation>;
    administration: find_generation_sources(number: u64) -> Option<Vec<u8>>;
}}

counted! { KeySchedule {
    administration: load_keys(tenant: &TenantId) -> Option<TenantKeys>;
    administration: next_key_steps(tenant: Option<&TenantId>, limit: u32) -> Vec<(TenantId, Timestamp)>;
    administration: find_due_keys(now: Timestamp, limit: u32) -> Vec<TenantId>;
    administration: try_lease(name: &str, holder: &str, now: Timestamp, until: Timestamp) -> bool;
}}

counted! { SealedItems {
    administration: list_sealed(
        after: Option<&SealedPlace>, limit: u32, now: Timestamp) -> Vec<(SealedPlace, Vec<u8>)>;
    administration: replace_sealed(place: &SealedPlace, old: &[u8], new: &[u8]) -> bool;
    administration: find_sealed(name: &str) -> Option<Vec<u8>>;
    administration: put_sealed_if_absent(name: &str, sealed: &[u8], now: Timestamp) -> bool;
    administration: tenant_keys() -> Vec<(TenantId, Vec<u8>)>;
    administration: holds_sealed_rows() -> bool;
}}

counted! { SecretRotations {
    administration: find_due_rotations(now: Timestamp, limit: u32) -> Vec<(TenantId, ClientId)>;
    administration: take_rotation(
        tenant: &TenantId, client: &ClientId, now: Timestamp, until: Timestamp) -> bool;
    administration: record_rotation(tenant: &TenantId, client: &ClientId, progress: &RotationProgress) -> ();
    administration: count_failing_rotations() -> u64;
}}

counted! { UsageLog {
    administration: secret_usage(tenant: &TenantId, client: &ClientId) -> Vec<SecretUsage>;
    administration: secret_usage_of_clients(
        tenant: &TenantId, clients: &RangeInclusive<ClientId>) -> Vec<SecretUsage>;
    administration: record_secret_usage(usage: &[SecretUsage]) -> ();
    administration: verifier_fetches(tenant: &TenantId) -> Vec<VerifierFetch>;
    administration: record_verifier_fetches(fetches: &[VerifierFetch]) -> ();
}}

counted! { UsageDays {
    administration: add_usage(batch: &UsageBatch) -> ();
    administration: usage(of: UsageOf<'_>, days: &RangeInclusive<u64>) -> Vec<DayCounts>;
    administration: client_counts(
        tenant: &TenantId, clients: &RangeInclusive<ClientId>, days: &RangeInclusive<u64>) -> UseOfTenant;
    administration: list_replicas(limit: u32) -> Vec<(String, Timestamp)>;
    administration: busiest(
        tenant: Option<&TenantId>, days: &RangeInclusive<u64>, limit: u32) -> Vec<(String, u64)>;
}}

counted! { LeakedCredentials {
    administration: find_secrets_by_hint(
        hint: &str, after: Option<&SecretPath>, limit: u32) -> Vec<(TenantId, ClientId, ClientSecret)>;
}}

counted! { ConsoleSessions {
    sign_ins: add_console_session(tenant: &TenantId, session: &ConsoleSession, now: Timestamp) -> ();
    sign_ins: find_console_session(
        tenant: &TenantId, id: &SessionId, now: Timestamp) -> Option<ConsoleSession>;
    sign_ins: begin_console_session(tenant: &TenantId, session: &ConsoleSession) -> bool;
    sign_ins: touch_console_session(tenant: &TenantId, id: &SessionId, now: Timestamp) -> ();
    sign_ins: end_console_session(tenant: &TenantId, id: &SessionId) -> ();
}}

counted! { MailOutbox {
    administration: queue_mail(mail: &QueuedMail, audit: &AuditRecord, most: u32, since: Timestamp) -> bool;
    administration: due_mail(
        now: Timestamp, most: (u32, u32), lane: &MailLane, after: Option<&TenantId>) -> Vec<QueuedMail>;
    administration: claim_mail(queued: &QueuedMail, next: Timestamp) -> bool;
    administration: note_mail(
        queued: &QueuedMail, answer: &str, ended: Option<(MailOutcome, AuditRecord)>, now: Timestamp) -> ();
    administration: list_mail(tenant: &TenantId, account: &AccountId, most: u32) -> Vec<MailMessage>;
}}

counted! { RefusalLog {
    administration: record_refusals(refusals: &[Refusal]) -> ();
    administration: list_refusals(tenant: &TenantId, query: &RefusalQuery) -> Vec<Refusal>;
}}

counted! { AuditLog {
    administration: list_audit(query: &AuditQuery) -> Vec<(i64, AuditRecord)>;
}}

counted! { AuditStream {
    administration: find_unwritten_audit(after: Option<&TenantId>, limit: u32) -> Vec<TenantId>;
    administration: find_audit_chain(tenant: &TenantId) -> Option<AuditChain>;
    administration: list_audit_after(
        tenant: &TenantId, position: i64, limit: u32) -> Vec<(i64, AuditRecord)>;
    administration: add_audit_lines(
        tenant: &TenantId, chain: &AuditChain, after: (&str, u64), salts: &[(i64, AuditSalt)]) -> bool;
    administration: note_written_audit(tenant: &TenantId, chain: &AuditChain) -> ();
    administration: erase_deleted_people() -> u64;
}}

counted! { IdempotentAnswers {
    administration: find_idempotent_answer(
        tenant: &TenantId, key: &[u8; 32], now: Timestamp) -> Option<IdempotentAnswer>;
}}

counted! { ChangeLog {
    administration: position() -> i64;
    administration: changes_since(position: i64) -> Vec<(i64, Invalidation)>;
}}
