//! Limits how often a source may report leaked secrets.

use secrets::{CallerAddress, LeakyBuckets, SharedCounts};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::request::ServerFailure;

/// Maximum reports of one source per minute.
const REPORTS: u32 = 60;

/// Reports concern no known tenant, so they are counted for the tenant `platform`.
pub struct ReportBudget {
    sources: LeakyBuckets,
    platform: TenantId,
}

impl ReportBudget {
    pub(crate) fn new(counts: &SharedCounts) -> Self {
        let sources = LeakyBuckets::new(REPORTS, Lifetime::from_seconds(60));
        Self { sources: sources.shared(counts.limit("reports", "source")), platform: TenantId::platform() }
    }

    pub(crate) fn spend(&self, source: CallerAddress, now: Timestamp) -> Result<(), ServerFailure<'static>> {
        let attempt = self.sources.begin(&self.platform, source, now);
        attempt.map(drop).ok_or(ServerFailure::TooManyReports)
    }
}
