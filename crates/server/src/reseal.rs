//! Reseals all values that are sealed with previous keys or in an earlier format, while other processes read
//! and write. A value is only replaced if it has not changed since it was unsealed. Resealed values stay
//! resealed, so a new run continues an interrupted one.

use std::fmt;
use std::sync::Arc;

use administration::store::{SealedItems, SealedPlace};
use anyhow::{Context as _, anyhow};
use keys::{EnvelopeSealer, KeySealer as _, SealError, SealingContext};
use serde::Serialize;
use tokio::task::JoinSet;
use values::{Timestamp, causes};

/// The number of values that are read at a time.
const BATCH: u32 = 200;
/// The number of values that are unsealed and sealed at the same time: a key service needs time for each.
const AT_ONCE: usize = 16;
/// The most passes. The last pass finds nothing left to do. More than two are only needed while another
/// process still seals with a previous key.
const PASSES: usize = 10;
/// The most values that are named. The others are only counted.
const NAMED: usize = 20;

const UNUSABLE: &str = "a sealing key is not available now";

/// The progress, and the remaining work.
#[derive(Debug, Default, Serialize)]
pub struct Resealed {
    /// The number of values that are sealed with the current key, from before or by this run.
    pub current: u64,
    /// The number of values that this run resealed.
    pub moved: u64,
    /// The number of values that remain: all of them in a dry run, otherwise those that other processes
    /// changed during every pass.
    pub left: u64,
    /// The number of values that no configured key can unseal.
    pub unreadable: u64,
    /// Some of these values, with the reasons.
    pub faults: Vec<ResealFailure>,
}

/// A value that cannot be unsealed.
#[derive(Debug, Serialize)]
pub struct ResealFailure {
    pub place: String,
    /// Why it cannot be unsealed.
    pub problem: String,
}

enum ResealOutcome {
    Moved,
    /// Another process has changed the value in the meantime.
    Changed,
    Unreadable(SealedPlace, SealError),
}

#[derive(Clone)]
pub struct Resealing {
    pub store: Arc<dyn SealedItems>,
    /// Unseals with every key, and seals with the current one.
    pub sealer: Arc<EnvelopeSealer>,
    /// Values that expire before this time are never read again, so they are skipped.
    pub now: Timestamp,
}

impl Resealing {
    /// Repeats passes until nothing is left, or only counts. Calls `show` after every batch.
    pub async fn run(
        &self,
        dry_run: bool,
        show: &mut (dyn FnMut(&Resealed) + Send),
    ) -> anyhow::Result<Resealed> {
        let mut moved = 0;
        for _ in 0..if dry_run { 0 } else { PASSES } {
            let pass = self.pass(moved, false, show).await?;
            if pass.moved == moved && pass.left == 0 {
                return Ok(pass);
            }
            moved = pass.moved;
        }
        self.pass(moved, true, show).await
    }

    async fn pass(
        &self,
        moved: u64,
        only_look: bool,
        show: &mut (dyn FnMut(&Resealed) + Send),
    ) -> anyhow::Result<Resealed> {
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
    ) -> anyhow::Result<()> {
        let mut moving = JoinSet::new();
        for (place, sealed) in stale.iter().cloned() {
            let all = self.clone();
            moving.spawn(async move { all.one(place, sealed, only_look).await });
        }
        // Waits for all values even if one fails, so that no value is abandoned between unsealing and
        // writing.
        let mut failure = None;
        for outcome in moving.join_all().await {
            match outcome {
                Ok(ResealOutcome::Moved) => {
                    pass.moved += 1;
                    pass.current += 1;
                }
                Ok(ResealOutcome::Changed) => pass.left += 1,
                Ok(ResealOutcome::Unreadable(place, error)) => pass.unreadable(&place, &error),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    async fn one(&self, place: SealedPlace, old: Vec<u8>, only_look: bool) -> anyhow::Result<ResealOutcome> {
        let context = context(&place);
        let opened = match self.sealer.unseal(&context, &old).await {
            Ok(opened) => opened,
            Err(error @ (SealError::Unavailable(_) | SealError::Failed)) => {
                return Err(anyhow!(error).context(UNUSABLE));
            }
            Err(error) => return Ok(ResealOutcome::Unreadable(place, error)),
        };
        if only_look {
            return Ok(ResealOutcome::Changed);
        }
        let new = self.sealer.seal(&context, &opened).await.context(UNUSABLE)?;
        let replaced = self.store.replace_sealed(&place, &old, &new).await?;
        Ok(if replaced { ResealOutcome::Moved } else { ResealOutcome::Changed })
    }
}

impl fmt::Display for Resealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { current, moved, left, unreadable, .. } = self;
        write!(
            f,
            "{moved} resealed, {left} left to reseal, {unreadable} cannot be opened; {current} use the current sealing key"
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
            format!("a stored response of the API for tenant {tenant}")
        }
    }
}

#[cfg(test)]
mod tests;
