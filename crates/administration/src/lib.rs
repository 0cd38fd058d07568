//! What changes in the platform's rows, and who changed it? A declaration is compared with the store, which yields a plan; the
//! store commits a plan whole or not at all. In reading order:

mod declaration;
mod state;

mod change;
mod fields;
mod plan;
mod render;

mod compare;
mod fingerprint;

mod audit;
mod invalidation;

mod hashing;
mod outcome;
mod reconcile;
mod rests_on;
mod store;

pub use audit::AuditRecord;
pub use change::{Change, ChangeKind, FirstKey, RowChange, SecretChange, SecretChangeKind, SecretForm};
pub use compare::initial_plan;
pub use declaration::{Declaration, DeclaredClient, DeclaredSecret, DeclaredTenant};
pub use fields::{Described, FieldChange};
pub use fingerprint::{ContentHash, Fingerprint};
pub use invalidation::{Invalidation, invalidations};
pub use outcome::{Options, Outcome, ReconcileError};
pub use plan::{Conflict, Conflicts, Plan, Retirements};
pub use reconcile::Reconciler;
pub use rests_on::RestsOn;
pub use state::{
    ClientState, ManagedBy, ResourceServerState, SecretState, Standing, TenantState, TenantSummary,
};
pub use store::{
    AdministrationStore, CommitOutcome, CommitRequest, Generation, NewGeneration, NewSecret, TenantMark,
};
