//! What changes in the platform's rows, and who changed it? A declaration is compared with the store, which yields a plan; the
//! store commits a plan whole or not at all. In reading order:

mod application;
mod applications;
mod authority;
mod declaration;
mod state;

mod change;
mod fields;
mod plan;
mod plan_view;
mod render;

mod compare;
mod fingerprint;
mod former_jwks;
mod former_typs;
mod new_names;

mod audit;
mod invalidation;
mod limits;
mod sign_ins;

mod documents;
mod edit;
mod edit_error;
mod query;

mod administrator;
mod hashing;
mod outcome;
mod reconcile;
mod store;

pub mod rows;

pub use administrator::{Administrator, Announce, Clock, Created, EditPolicy, Idempotency, KeyStep};
pub use application::{Application, ApplicationId};
pub use applications::{
    ApplicationCode, ApplicationError, ApplicationRefusal, ApplicationRequest, Shape, Spelling,
};
pub use audit::AuditRecord;
pub use authority::{Actor, Authority, Permission};
pub use change::{
    Change, ChangeKind, FirstKey, KeyChange, KeyChangeKind, RowChange, SecretChange, SecretChangeKind,
    SecretForm,
};
pub use compare::{Deviation, DeviationKind, Drift, initial_plan};
pub use declaration::{Declaration, DeclaredClient, DeclaredSecret, DeclaredTenant};
pub use documents::{
    AccessTokenSettings, AuditView, BrokenTokensView, ClientSettings, ClientView, CreatedClient,
    CreatedSecret, CreatedTenant, EntityTag, ImportSettings, KeyStatusView, KeyView, KeysChanged,
    MOST_FAULTS, NewClient, NewSecretSettings, NewTenant, Page, Pointer, PublicKeyView,
    ResourceServerSettings, RotateSettings, SecretView, SigningSettings, StrategiesSettings,
    StrategySettings, TenantSettings, TenantStatusView, TenantView, TokenSettings, UnopenedKeyView, UsedFrom,
    VerifierView, Wiped, merge_patch, nearest, read_json,
};
pub use edit_error::{EditError, Fault};
pub use fields::{Described, FieldChange};
pub use fingerprint::{ContentHash, Fingerprint};
pub use invalidation::{Invalidation, invalidations};
pub use limits::{CLIENT_BYTES, LIST_ENTRIES, beyond_limits};
pub use outcome::{Along, Options, Outcome, Progress, ReconcileError};
pub use plan::{Conflict, Conflicts, Effect, Plan, Retirements, Subject};
pub use plan_view::{ChangeView, ConflictView, DeviationView, DriftView, EffectView, PlanView};
pub use query::{AuditQuery, ClientQuery, Neighbours, TenantCursor, TenantQuery, search_words};
pub use reconcile::Reconciler;
pub use sign_ins::SignIn;
pub use state::{
    ClientState, ManagedBy, ResourceServerState, SecretState, Standing, TenantState, TenantSummary,
};
pub use store::{
    AdministrationStore, CommitOutcome, CommitRequest, ENDED_SECRETS_STAY, Generation, IdempotentAnswer,
    KEPT_ADDRESSES, KEPT_ENDED_SECRETS, KEPT_SOURCES, KEPT_VERIFIERS, KeyCommit, KeySighting, KeyState,
    NewGeneration, NewSecret, SealedPlace, SecretUse, TenantMark,
};
