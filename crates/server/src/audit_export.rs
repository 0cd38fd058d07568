//! Writes each record of the audit as a line to the standard output or a file, at least once, and the records
//! of each tenant in order. The replica that rotates keys does so.
//!
//! Lines are first stored, then written, and then recorded as written. Lines that were not recorded are
//! written again, with the same bytes. If two replicas both lead, they create no line twice, because the
//! store accepts new lines only directly after the stored ones.
//!
//! If a failover lost lines that were written, or records in them, the tenant gets a new chain. Its first
//! line says what is withdrawn.

mod exported;
mod output;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use administration::administrator::ReadClock;
use administration::audit::audit_stream::AuditChain;
use administration::store::AuditStream;
use aws_lc_rs::rand;
use parking_lot::Mutex;
use tenancy::{StoreError, TenantId};
use thiserror::Error;

use crate::lost_changes::LossReport;
use crate::periodic::{OutageLog, rounds};

pub(crate) use exported::ExportedAudit;
pub(crate) use output::AuditWriter;

const EVERY: Duration = Duration::from_secs(1);
/// How many tenants are read at a time.
const TENANTS: u32 = 100;
/// The most records of a tenant in one turn. After each batch the other tenants have a turn.
const BATCH: u32 = 100;

pub(crate) struct AuditExport {
    pub(crate) store: Arc<dyn AuditStream>,
    pub(crate) writer: AuditWriter,
    /// Whether this replica writes the lines.
    pub(crate) leads: Box<dyn Fn() -> bool + Send + Sync>,
    pub(crate) clock: ReadClock,
    pub(crate) exported: Arc<ExportedAudit>,
    pub(crate) losses: Arc<LossReport>,
    /// The end of each chain that this process wrote.
    pub(crate) written: Mutex<HashMap<TenantId, ChainEnd>>,
}

/// The id of a chain, and the number and position of its last line.
pub(crate) struct ChainEnd {
    chain: String,
    sequence: u64,
    position: i64,
}

#[derive(Debug, Error)]
enum ExportError {
    #[error("cannot write the lines")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system provides no random bytes")]
    NoRandomBytes,
}

/// The result of one turn of each tenant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pass {
    FoundNothing,
    /// Another replica creates lines, or this replica no longer leads.
    WroteNothing,
    Wrote,
}

impl AuditExport {
    /// Writes new lines once a second, until the program ends.
    pub(crate) async fn run(self) {
        let (mut rounds, mut log) = (rounds(EVERY), OutageLog::default());
        loop {
            rounds.tick().await;
            log.note(
                &self.round().await,
                "cannot write the audit stream; trying again every second",
                "the audit stream is written again",
            );
        }
    }

    /// Writes until nothing is left or a write fails.
    async fn round(&self) -> Result<(), ExportError> {
        while (self.leads)() {
            match self.pass().await {
                Ok(Pass::Wrote) => {}
                Ok(Pass::FoundNothing) => break,
                Ok(Pass::WroteNothing) => return Ok(()),
                Err(error) => {
                    self.exported.has_failed();
                    return Err(error);
                }
            }
        }
        self.exported.is_complete();
        Ok(())
    }

    /// Gives each tenant with unwritten records one turn.
    async fn pass(&self) -> Result<Pass, ExportError> {
        let (mut outcome, mut last) = (Pass::FoundNothing, None);
        let lost: Vec<_> = self.losses.withdrawn.lock().keys().cloned().collect();
        for tenant in lost {
            if (self.leads)() && self.write_lines(&tenant).await? {
                outcome = Pass::Wrote;
            }
        }
        loop {
            let tenants = self.store.find_unwritten_audit(last.as_ref(), TENANTS).await?;
            for tenant in &tenants {
                self.exported.is_behind((self.clock)());
                let wrote = (self.leads)() && self.write_lines(tenant).await?;
                outcome = outcome.max(if wrote { Pass::Wrote } else { Pass::WroteNothing });
            }
            if tenants.len() < TENANTS as usize {
                return Ok(outcome);
            }
            last = tenants.into_iter().next_back();
        }
    }

    /// Writes the lines of a tenant that are stored but not recorded as written. If there are none, creates
    /// the next ones.
    async fn write_lines(&self, tenant: &TenantId) -> Result<bool, ExportError> {
        let stored = self.store.find_audit_chain(tenant).await?;
        let mut chain = stored.unwrap_or_else(|| AuditChain::new(uuid::Uuid::new_v4().to_string()));
        if chain.pending.is_empty() && !self.make_lines(tenant, &mut chain).await? {
            return Ok(false);
        }
        let lines = chain.pending.lines().count();
        self.writer.write(std::mem::take(&mut chain.pending)).await?;
        self.exported.wrote(lines);
        self.note_end(tenant, &chain);
        self.store.note_written_audit(tenant, &chain).await?;
        Ok(true)
    }

    /// Returns whether this replica created the lines, and not another one at the same time.
    async fn make_lines(&self, tenant: &TenantId, chain: &mut AuditChain) -> Result<bool, ExportError> {
        let (before, mut salts) = (chain.clone(), Vec::new());
        if let Some(until) = self.lost_until(tenant, chain) {
            *chain = chain.withdrawing(uuid::Uuid::new_v4().to_string(), tenant, until, (self.clock)());
        }
        for (position, record) in self.store.list_audit_after(tenant, chain.position, BATCH).await? {
            let mut salt = [0; 32];
            rand::fill(&mut salt).map_err(|_| ExportError::NoRandomBytes)?;
            if chain.add(position, &record, &salt) {
                salts.push((position, salt));
            }
        }
        let after = (before.chain.as_str(), before.sequence);
        let is_added =
            !chain.pending.is_empty() && self.store.add_audit_lines(tenant, chain, after, &salts).await?;
        self.losses.withdrawn.lock().remove(tenant);
        Ok(is_added)
    }

    /// The last number that lines after the end of the stored chain may have, if the store has lost them.
    /// This process knows what it wrote. For lines of another replica, it knows only which numbers are lost.
    fn lost_until(&self, tenant: &TenantId, stored: &AuditChain) -> Option<i64> {
        match self.written.lock().get(tenant).filter(|written| written.chain == stored.chain) {
            Some(written) => (written.sequence > stored.sequence).then_some(written.position),
            None => {
                let lost = self.losses.withdrawn.lock();
                lost.get(tenant).filter(|(chain, _)| *chain == stored.chain).map(|(_, until)| *until)
            }
        }
    }

    /// Lines that are written again do not move the end back.
    fn note_end(&self, tenant: &TenantId, AuditChain { chain, sequence, position, .. }: &AuditChain) {
        let mut written = self.written.lock();
        let is_known = |end: &ChainEnd| end.chain == *chain && end.sequence > *sequence;
        if !written.get(tenant).is_some_and(is_known) {
            let end = ChainEnd { chain: chain.clone(), sequence: *sequence, position: *position };
            written.insert(tenant.clone(), end);
        }
    }
}
