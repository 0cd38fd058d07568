//! The options, progress, result and errors of applying a declaration.

use keys::SealError;
use protocol::Timestamp;
use secrets::{OutOfMemory, UnknownHashFormat};
use tenancy::StoreError;
use tokio::task::JoinError;

use crate::{Conflicts, Invalidation, Plan, Retirements};

/// How often a plan is made again after a concurrent commit. Each time another commit succeeded.
pub(crate) const ATTEMPTS: usize = 5;

/// The options of applying a declaration.
#[derive(Clone, Copy, Debug)]
pub struct ReconcileOptions {
    /// How many rows may be retired without `prune`.
    pub max_retired: Retirements,
    /// Retire any number of rows, because the operator requires it.
    pub prune: bool,
    /// Apply a generation again that a later one has replaced, because the operator requires it.
    pub force_generation: bool,
    /// End values before at once, whatever `previous_for` says.
    pub ends_previous: bool,
    /// The time of the commit.
    pub now: Timestamp,
}

/// The progress of applying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Declaration and store are compared.
    Comparing,
    /// Chosen secrets are hashed, which is slow on purpose.
    Hashing {
        /// The number of hashed secrets.
        done: usize,
        /// The number of all.
        of: usize,
    },
    /// The changes are written in one transaction.
    Writing {
        /// The number of changes.
        changes: usize,
    },
}

/// The sources of a declaration, and the receiver of progress reports.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    /// What the declaration was read from, for a rollback; it is sealed before it is kept. Absent: it cannot be rolled back to.
    pub sources: Option<&'a [u8]>,
    /// Receives the progress.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Along<'_> {
    /// Nothing.
    pub const NONE: Along<'static> = Along { sources: None, progress: &|_| {} };
}

/// The result of applying a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied last; nothing was compared.
    Unchanged,
    /// It was applied last, and the tenants that were left out still are; nothing was written.
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
        /// The entries that caches drop.
        invalidations: Vec<Invalidation>,
    },
    /// A later one has replaced it, so the store is served as it is: this replica was left behind.
    OlderGeneration,
    /// It would retire more rows than `max_retired`, as a truncated file would; nothing was written.
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
    /// Tenants of the declaration conflict with each other.
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
    /// Other writers committed in each attempt; another try includes their work.
    #[error("the store was changed at the same time, {ATTEMPTS} times in a row")]
    Contended,
}
