//! The options, progress, result and errors of applying a declaration.

use keys::SealError;
use secrets::{OutOfMemory, UnknownHashFormat};
use tenancy::StoreError;
use tokio::task::JoinError;
use values::Timestamp;

use crate::declaration::plan::{Conflicts, Plan, Retirements};
use crate::kinds::Invalidation;

/// How often a plan is repeated after a concurrent commit. Each time another commit has succeeded.
pub(crate) const ATTEMPTS: usize = 5;

/// The options of applying a declaration.
#[derive(Clone, Copy, Debug)]
pub struct ReconcileOptions {
    /// How many rows may be retired without `prune`.
    pub max_retired: Retirements,
    /// Retire any number of rows, because the operator requires it.
    pub prune: bool,
    /// Apply a generation again that a later one has replaced. The operator must request it.
    pub force_generation: bool,
    /// End previous values at once, whatever `previous_for` says.
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
    /// The content that the declaration was read from, for a rollback. It is sealed before it is stored.
    /// Without it no rollback to this generation is possible.
    pub sources: Option<&'a [u8]>,
    /// Receives the progress.
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Along<'_> {
    /// No further data.
    pub const NONE: Along<'static> = Along { sources: None, progress: &|_| {} };
}

/// The result of applying a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied last; nothing was compared.
    Unchanged,
    /// It was applied last, and the tenants that were left out still are; nothing was written.
    StillLeftOut {
        /// The plan without changes: it says only why tenants are left out.
        plan: Plan,
    },
    /// The store agrees with it now, but for the tenants that the plan leaves out.
    Applied {
        /// The changes.
        plan: Plan,
        /// Its number.
        generation: u64,
        /// The entries that caches drop.
        invalidations: Vec<Invalidation>,
    },
    /// A later generation has replaced it, so the store is served unchanged: the files of this replica are
    /// old.
    OlderGeneration,
    /// The plan would retire more rows than `max_retired`, for example because a file is truncated. Nothing
    /// was written.
    TooManyRetired { plan: Plan },
}

impl Outcome {
    /// The plan, if the declaration was compared with the store.
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
    /// Other writers committed during each attempt. A further attempt includes their changes.
    #[error("the store was changed at the same time, {ATTEMPTS} times in a row")]
    Contended,
}
