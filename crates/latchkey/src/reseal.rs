//! Moves everything that is sealed under former keys, or in the older format, to the key that seals now, while others go on reading and
//! writing: each value is replaced only where it is still the one that was opened. What was moved stays moved, so that a run that is
//! ended half way is gone on with by the next one.

use std::fmt;
use std::sync::Arc;

use administration::{SealedItems, SealedPlace};
use keys::{EnvelopeSealer, KeySealer as _, SealError, SealingContext};
use protocol::Timestamp;
use serde::Serialize;
use tenancy::StoreError;
use tokio::task::JoinSet;

use protocol::causes;

/// Values that are read at once.
const BATCH: u32 = 200;
/// Values that are opened and sealed at once: a service that holds the key takes its time for each.
const AT_ONCE: usize = 16;
/// A pass that moves nothing is the last one. There are more only while somebody still seals with a former key.
const PASSES: usize = 10;
/// More than these are counted, not named.
const NAMED: usize = 20;

/// How far it has come, and what is left.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Resealed {
    /// Sealed by the key that seals now, found or made so.
    pub(crate) current: u64,
    /// Of these, moved by this run.
    pub(crate) moved: u64,
    /// To be moved: of a dry run, or changed by others at the very moment, again and again.
    pub(crate) left: u64,
    /// Cannot be opened with any key that is configured.
    pub(crate) unreadable: u64,
    /// Some of these, and why.
    pub(crate) faults: Vec<ResealFailure>,
}

/// A value that cannot be opened.
#[derive(Debug, Serialize)]
pub(crate) struct ResealFailure {
    pub(crate) place: String,
    pub(crate) problem: String,
}

/// Nothing more could be done now. What was moved before stays moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResealError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a key that seals cannot be used now")]
    Seal(#[source] SealError),
}

/// What became of one value.
enum Outcome {
    Moved,
    /// Somebody else has written it in between.
    Changed,
    Unreadable(SealedPlace, SealError),
}

/// What is moved, from where and to what.
#[derive(Clone)]
pub(crate) struct Resealing {
    pub(crate) store: Arc<dyn SealedItems>,
    pub(crate) sealer: Arc<EnvelopeSealer>,
    /// What has expired by now is never read again, and stays as it is until it is removed.
    pub(crate) now: Timestamp,
}

impl Resealing {
    /// Goes over everything until nothing is left to be moved; `show` is told after every batch.
    pub(crate) async fn run(&self, mut show: impl FnMut(&Resealed)) -> Result<Resealed, ResealError> {
        let mut moved = 0;
        for _ in 0..PASSES {
            let pass = self.pass(moved, false, &mut show).await?;
            if pass.moved == moved && pass.left == 0 {
                return Ok(pass);
            }
            moved = pass.moved;
        }
        self.pass(moved, true, &mut show).await
    }

    /// Counts, and moves nothing.
    pub(crate) async fn look(&self, mut show: impl FnMut(&Resealed)) -> Result<Resealed, ResealError> {
        self.pass(0, true, &mut show).await
    }

    async fn pass(
        &self,
        moved: u64,
        only_look: bool,
        show: &mut impl FnMut(&Resealed),
    ) -> Result<Resealed, ResealError> {
        let mut pass = Resealed { moved, ..Resealed::default() };
        let mut after = None;
        loop {
            let batch = self.store.list_sealed(after.as_ref(), BATCH, self.now).await?;
            let Some((last, _)) = batch.last() else { return Ok(pass) };
            after = Some(last.clone());
            let mut stale = Vec::new();
            for (place, sealed) in batch {
                match self.sealer.is_current(&sealed) {
                    Ok(true) => pass.current += 1,
                    Ok(false) => stale.push((place, sealed)),
                    Err(error) => pass.unreadable(&place, &error),
                }
            }
            for some in stale.chunks(AT_ONCE) {
                self.some(some, only_look, &mut pass).await?;
            }
            show(&pass);
        }
    }

    async fn some(
        &self,
        stale: &[(SealedPlace, Vec<u8>)],
        only_look: bool,
        pass: &mut Resealed,
    ) -> Result<(), ResealError> {
        let mut moving = JoinSet::new();
        for (place, sealed) in stale.iter().cloned() {
            let all = self.clone();
            moving.spawn(async move { all.one(place, sealed, only_look).await });
        }
        // All are waited for, also where one of them fails: nothing is given up between opening and writing.
        let mut failure = None;
        for outcome in moving.join_all().await {
            match outcome {
                Ok(Outcome::Moved) => {
                    pass.moved += 1;
                    pass.current += 1;
                }
                Ok(Outcome::Changed) => pass.left += 1,
                Ok(Outcome::Unreadable(place, error)) => pass.unreadable(&place, &error),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn one(&self, place: SealedPlace, old: Vec<u8>, only_look: bool) -> Result<Outcome, ResealError> {
        let context = context(&place);
        let opened = match self.sealer.unseal(&context, &old).await {
            Ok(opened) => opened,
            Err(error @ (SealError::Unavailable(_) | SealError::Failed)) => {
                return Err(ResealError::Seal(error));
            }
            Err(error) => return Ok(Outcome::Unreadable(place, error)),
        };
        if only_look {
            return Ok(Outcome::Changed);
        }
        let new = self.sealer.seal(&context, &opened).await.map_err(ResealError::Seal)?;
        let replaced = self.store.replace_sealed(&place, &old, &new).await?;
        Ok(if replaced { Outcome::Moved } else { Outcome::Changed })
    }
}

impl fmt::Display for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { current, moved, left, unreadable, .. } = self;
        write!(
            f,
            "{moved} moved, {left} to be moved, {unreadable} cannot be opened; {current} are under the key that seals now"
        )
    }
}

impl Resealed {
    fn unreadable(&mut self, place: &SealedPlace, error: &SealError) {
        self.unreadable += 1;
        if self.faults.len() < NAMED {
            self.faults.push(ResealFailure { place: named(place), problem: causes(error) });
        }
    }
}

fn context(place: &SealedPlace) -> SealingContext<'_> {
    match place {
        SealedPlace::SigningKey { tenant, id, algorithm } => {
            SealingContext::SigningKey { tenant, id: *id, algorithm: *algorithm }
        }
        SealedPlace::Named(name) => SealingContext::Named(name),
        SealedPlace::Sources { content, .. } => SealingContext::Sources(content.as_bytes()),
        SealedPlace::IdempotentAnswer { tenant, key } => SealingContext::IdempotentAnswer { tenant, key },
    }
}

fn named(place: &SealedPlace) -> String {
    match place {
        SealedPlace::SigningKey { tenant, id, .. } => format!("key {id} of tenant {tenant}"),
        SealedPlace::Named(name) => format!("the installation's {name}"),
        SealedPlace::Sources { generation, .. } => format!("the files of generation {generation}"),
        SealedPlace::IdempotentAnswer { tenant, .. } => {
            format!("a remembered answer of the API, of tenant {tenant}")
        }
    }
}

#[cfg(test)]
mod tests;
