//! The options, progress, result and errors of applying a declaration.

use keys::SealError;
use secrets::{OutOfMemory, UnknownHashFormat};
use tenancy::StoreError;
use tokio::task::JoinError;
use values::Timestamp;

use crate::declaration::plan::{Conflicts, Plan, Retirements};
use crate::kinds::Invalidation;

/// How often a plan is made again after a concurrent commit. Each time another writer has succeeded.
pub(crate) const ATTEMPTS: usize = 5;

#[derive(Clone, Copy, Debug)]
pub struct ReconcileOptions {
    /// How many rows may be retired without `prune`.
    pub max_retired: Retirements,
    /// Retire any number of rows. The operator must request this.
    pub prune: bool,
    /// Apply an earlier generation again, although a later one has replaced it. The operator must request
    /// this.
    pub force_generation: bool,
    /// Let previous secrets expire immediately, even with `previous_for`.
    pub ends_previous: bool,
    /// The time of the commit.
    pub now: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The declaration and the store are compared.
    Comparing,
    /// Chosen secrets are hashed with a slow hash.
    Hashing {
        /// The number of hashed secrets.
        done: usize,
        /// The number of all chosen secrets.
        of: usize,
    },
    /// The changes are written in one transaction.
    Writing {
        /// The number of changes.
        changes: usize,
    },
}

/// The sources of a declaration, and who gets progress reports.
#[derive(Clone, Copy)]
pub struct Along<'a> {
    /// The files that the declaration was read from, for a rollback. They are sealed before they are stored.
    /// `None`: no rollback to this generation is possible.
    pub sources: Option<&'a [u8]>,
    pub progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Along<'_> {
    /// Neither sources nor progress reports.
    pub const NONE: Along<'static> = Along { sources: None, progress: &|_| {} };
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The declaration was the last one that was applied; nothing was compared.
    Unchanged,
    /// The declaration was the last one that was applied, and the same tenants still conflict. Nothing was
    /// written.
    StillLeftOut {
        /// A plan without changes, which only says why tenants are left out.
        plan: Plan,
    },
    /// The store now agrees with the declaration, except for tenants with a conflict.
    Applied {
        plan: Plan,
        generation: u64,
        /// The entries that caches must drop.
        invalidations: Vec<Invalidation>,
    },
    /// A later generation has replaced this declaration: this replica has old files. The store stays
    /// unchanged.
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

/// Why a declaration could not be applied. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// Tenants of the declaration conflict with each other.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A first key or the sources of a generation cannot be sealed.
    #[error("cannot seal or open a value with the sealing keys in these settings")]
    Seal(#[from] SealError),
    /// A secret could not be hashed.
    #[error(transparent)]
    Hash(#[from] OutOfMemory),
    /// A declared hash has an unknown format, which the comparison should have refused.
    #[error(transparent)]
    UnknownHash(#[from] UnknownHashFormat),
    /// The program is stopping or out of threads.
    #[error("hashing was interrupted")]
    Interrupted(#[from] JoinError),
    /// Other writers committed during each attempt. The caller may try again.
    #[error("the store changed at the same time, {ATTEMPTS} times in a row")]
    Contended,
}
