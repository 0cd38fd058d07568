//! Changes the platform's rows, and records the actor of each change. A declaration is compared with the
//! store, which yields a plan. The store commits a plan whole or not at all. In reading order:

#![cfg_attr(
    not(feature = "schemas"),
    expect(dead_code, unused_imports, reason = "what only schemas name; lints judge it with the feature")
)]

// What is declared, and who may change it.
mod application;
mod authority;
mod declaration;
mod state;

pub use application::{
    Application, ApplicationContext, ApplicationDraft, ApplicationError, ApplicationId, ApplicationState,
    PutApplication, Translate,
};
pub use authority::{Actor, Authority};
pub use declaration::{Declaration, DeclaredClient, DeclaredSecret, StoredSource, UnreadSecret};
pub use state::{ConsentState, ManagedBy, RowLifecycle, SecretState, TenantSummary};

// Changes of rows, by the kind of row, and the plan that they make.
mod change;
mod fields;
mod kinds;
mod plan;
mod plan_view;
mod render;

pub use change::{
    ChangeKind, FirstKey, KeyChange, KeyChangeKind, PasswordChange, RowChange, SecretChange,
    SecretChangeKind, SecretForm,
};
pub use fields::FieldChange;
pub use kinds::{
    AccountQuery, AccountState, Accounts, ApiKeyQuery, ApiKeyRows, ApiKeyState, ApiKeyUsage, Change,
    ClientState, DeclaredAccount, DeclaredTenant, Invalidation, Kind, LISTED_SESSIONS, Permission,
    RelatedAccounts, RequestRows, ResourceServerState, TenantRow, TenantState, check_account, check_api_key,
    password_context, rows_of,
};
pub use plan::{Conflict, ConflictKind, Conflicts, Effect, Plan, Retirements, RowName, Subject};

// A declaration beside the store: what differs, and what was published before.
mod compare;
mod fingerprint;
mod new_names;
mod previous_jwks;
mod previous_typs;

pub use compare::{Deviation, Drift, check_declared_first_keys, initial_plan, unread_secrets};
pub use fingerprint::{ContentHash, Fingerprint};

// What a commit has beside its rows.
mod audit;
mod audit_stream;
mod console_session;
mod limits;
mod revocations;
mod rotation_progress;
mod secret_writer;
mod sign_ins;

pub use audit::AuditRecord;
pub use audit_stream::{AuditChain, AuditFault, AuditHead, AuditSalt, AuditVerification, VerifiedAudit};
pub use console_session::{ClientToken, ConsoleHolder, ConsoleSession};
pub use limits::{API_KEY_BYTES, CLIENT_BYTES, LIST_ENTRIES, beyond_limits};
pub use revocations::{RevocationChange, RevocationEffect};
pub use rotation_progress::RotationProgress;
pub use secret_writer::{NoSecretStores, NotAPlace, SecretPlace, SecretWriter, WriteFailure};
pub use sign_ins::SignIn;

// Documents as they are read and shown, the rules over them, and what a request changes by them.
mod documents;
mod edit;
mod edit_error;
mod query;
mod rules;

pub use documents::*;
pub use edit::{
    AccountStep, ApiKeyStep, ClientStep, Edit, KeyCommand, LiveCredentials, NewSecret, SecretStep, SignInEnd,
    TenantStep,
};
pub use edit_error::{EditError, FieldError};
pub use query::{
    AuditCursor, AuditQuery, ClientQuery, RelatedClients, TenantCursor, TenantQuery, search_terms,
};
pub use rules::{
    FieldErrors, Interface, IssuerOwners, LONGEST_ID, LONGEST_URI, Offer, PROGRAM_PATHS, TakenNames,
    TenantContext, UrlRule, check_client, check_introspection_clients, check_issuer_owners, check_tenant,
    overlapping_subjects, tenant_effects, undiscoverable, unfit,
};

// The services for files and for all other interfaces, and what they need of others.
mod administrator;
mod advice;
mod hashing;
mod judged_rows;
mod leaks;
mod outcome;
mod reconcile;
mod refusals;
mod store;
mod usage;

pub use administrator::{
    AccountFilter, AccountImport, AccountSignInsView, Administrator, ApplicationReading, Caller, Created,
    CredentialsReading, EditPolicy, IMPORT_BYTES, IMPORT_LINES, IMPORT_PASSWORDS, Idempotency,
    LeakedCredential, Publish, ReadClock, Resource, ScheduledRotation, TenantReading, ThrottledNow,
    UsageQuery,
};
pub use advice::ClientCount;
pub use judged_rows::{Misfit, judge_rows};
pub use leaks::{LeakPlace, LeakReport, LeakReports, ReportSignature};
pub use outcome::{Along, Outcome, Progress, ReconcileError, ReconcileOptions};
pub use reconcile::Reconciler;
pub use refusals::{KEPT_REFUSALS, Refusal, RefusalBuffer};
pub use store::{
    AdministrationStore, Applications, AuditLog, AuditStream, ChangeLog, ClientCounts, Commit, CommitOutcome,
    ConsoleSessions, DeletedRows, ENDED_SECRETS_STAY, EndedSecrets, Generation, Generations,
    IdempotentAnswer, IdempotentAnswers, KEPT_ADDRESSES, KEPT_ENDED_SECRETS, KEPT_SOURCES, KEPT_VERIFIERS,
    KeyCommit, KeySchedule, LeakedCredentials, Listed, NewGeneration, NewPassword, RefusalCursor, RefusalLog,
    RefusalQuery, Rows, SealedItems, SealedPlace, SecretRotations, SecretUsage, TENANT_KEY, TenantKeys,
    TenantList, TenantMetadata, TenantRows, UnreadableRows, UsageDays, UsageLog, UsageOf, VerifierFetch,
    readable, tenant_key_name,
};
pub use usage::{Counter, DAYS_OF_CLIENT, DAYS_OF_TENANT, DayCounts, UsageBatch, UsageCounts, UsageDay};

// Rows for the store.
pub mod rows;
