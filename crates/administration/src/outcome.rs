//! How far applying a declaration may go, and what becomes of it.

use keys::SealError;
use protocol::Timestamp;
use secrets::{OutOfMemory, UnknownHashFormat};
use tenancy::StoreError;
use tokio::task::JoinError;

use crate::{Conflicts, Invalidation, Plan, Retirements};

/// How often a plan is made again after a concurrent commit. Each time another commit succeeded.
pub(crate) const ATTEMPTS: usize = 5;

/// How far applying may go.
#[derive(Clone, Copy, Debug)]
pub struct ReconcileOptions {
    /// How many rows may be retired without being asked.
    pub max_retired: Retirements,
    /// The operator asks for it: retire as many as there are.
    pub prune: bool,
    /// The operator asks for it: apply again what a later configuration has replaced.
    pub force_generation: bool,
    /// When.
    pub now: Timestamp,
}

/// The progress of applying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Declaration and store are compared.
    Comparing,
    /// Chosen secrets are hashed, which is slow on purpose.
    Hashing {
        /// So many are done.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// So many changes are written, in one transaction.
    Writing {
        /// How many.
        changes: usize,
    },
}

/// What goes along with applying a declaration.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    /// What the declaration was read from, for a rollback; it is sealed before it is kept. Absent: it cannot be rolled back to.
    pub sources: Option<&'a [u8]>,
    /// Told how far it has come.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Along<'_> {
    /// Nothing.
    pub const NONE: Along<'static> = Along { sources: None, progress: &|_| {} };
}

/// What became of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is what was applied last; nothing was looked at.
    Unchanged,
    /// It is what was applied last, and the tenants that were left out then still are; nothing was written.
    StillLeftOut {
        /// Without a change: only why they are left out.
        plan: Plan,
    },
    /// The store agrees with it now, but for the tenants that the plan leaves out.
    Applied {
        /// What changed.
        plan: Plan,
        /// Its number.
        generation: u64,
        /// What caches must forget.
        invalidations: Vec<Invalidation>,
    },
    /// A later one has replaced it, so the store is served as it is: this replica was left behind.
    OlderGeneration,
    /// It would retire more than is allowed unasked, as a truncated file would; nothing was written.
    TooManyRetired {
        /// What would change.
        plan: Plan,
    },
}

impl Outcome {
    /// What was planned, where the declaration was compared with the store.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Applied { plan, .. } | Self::StillLeftOut { plan } | Self::TooManyRetired { plan } => {
                Some(plan)
            }
            Self::Unchanged | Self::OlderGeneration => None,
        }
    }
}

/// A declaration could not be applied; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Tenants of the declaration contradict each other.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A first key or what a generation is read from.
    #[error("something cannot be sealed or opened with the sealing keys of these settings")]
    Seal(#[from] SealError),
    /// A secret could not be hashed.
    #[error(transparent)]
    Hash(#[from] OutOfMemory),
    /// A declared hash is of no known format, although the comparison let it through.
    #[error(transparent)]
    UnknownHash(#[from] UnknownHashFormat),
    /// The program is stopping or out of threads.
    #[error("hashing was interrupted")]
    Interrupted(#[from] JoinError),
    /// Others kept writing; another try will find their work.
    #[error("the store was changed at the same time, {ATTEMPTS} times in a row")]
    Contended,
}
