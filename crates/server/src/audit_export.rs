//! Writes each record of the audit as a line to the standard output or a file, at least once, and the records
//! of each tenant in order. The replica that rotates keys does so.
//!
//! Lines are first stored, then written, and then recorded as written. Lines that were not recorded are
//! written again, with the same bytes. If two replicas both lead, they create no line twice, because the
//! store accepts new lines only directly after the stored ones.

mod exported;
mod output;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use administration::administrator::ReadClock;
use administration::audit::audit_stream::AuditChain;
use administration::store::AuditStream;
use aws_lc_rs::rand;
use tenancy::{StoreError, TenantId};
use thiserror::Error;

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
        self.store.note_written_audit(tenant, &chain).await?;
        Ok(true)
    }

    /// Returns whether this replica created the lines, and not another one at the same time.
    async fn make_lines(&self, tenant: &TenantId, chain: &mut AuditChain) -> Result<bool, ExportError> {
        let (after, mut salts) = (chain.sequence, Vec::new());
        for (position, record) in self.store.list_audit_after(tenant, chain.position, BATCH).await? {
            let mut salt = [0; 32];
            rand::fill(&mut salt).map_err(|_| ExportError::NoRandomBytes)?;
            if chain.add(position, &record, &salt) {
                salts.push((position, salt));
            }
        }
        Ok(chain.sequence > after && self.store.add_audit_lines(tenant, chain, after, &salts).await?)
    }
}
