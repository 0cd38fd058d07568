//! Writes each record of the audit as a line to the standard output or a file, at least once, and the records
//! of a tenant in their order. The replica that rotates keys does it.
//!
//! Lines are made and stored first, then written, and then noted as written. What was not noted is written
//! again, the same to the byte. Two replicas that both believe to lead make no line twice, because the store
//! takes new lines only behind those that it has.

mod exported;
mod output;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use administration::{AuditChain, AuditStream, ReadClock};
use aws_lc_rs::rand;
use tenancy::{StoreError, TenantId};
use thiserror::Error;

use crate::periodic::{OutageLog, rounds};

pub(crate) use exported::ExportedAudit;
pub(crate) use output::AuditWriter;

const EVERY: Duration = Duration::from_secs(1);
/// The tenants of one read.
const TENANTS: u32 = 100;
/// The records of a tenant in its turn. A tenant with many waits for the others after each batch.
const BATCH: u32 = 100;

/// The exporter of one replica.
pub(crate) struct AuditExport {
    pub(crate) store: Arc<dyn AuditStream>,
    pub(crate) writer: AuditWriter,
    /// Says whether this replica writes.
    pub(crate) leads: Box<dyn Fn() -> bool + Send + Sync>,
    pub(crate) clock: ReadClock,
    pub(crate) exported: Arc<ExportedAudit>,
}

#[derive(Debug, Error)]
enum ExportError {
    #[error("the lines cannot be written")]
    Output(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system gives no random bytes")]
    NoRandomBytes,
}

/// What came of one turn of each tenant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Pass {
    FoundNothing,
    /// Another replica makes lines, or this one does not lead any more.
    WroteNothing,
    Wrote,
}

impl AuditExport {
    /// Writes what is new once a second, until the program ends.
    pub(crate) async fn run(self) {
        let (mut rounds, mut log) = (rounds(EVERY), OutageLog::default());
        loop {
            rounds.tick().await;
            log.note(
                &self.round().await,
                "the audit is not written; trying again every second",
                "the audit is written again",
            );
        }
    }

    /// Writes until nothing is left, or until it fails.
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

    /// Writes the lines of a tenant that were made and not noted as written; if there are none, the next.
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

    /// Returns whether this replica made lines, and no other one.
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
