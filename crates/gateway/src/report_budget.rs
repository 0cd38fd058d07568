//! How often a source may report leaked secrets.

use secrets::{ClientAddress, LeakyBuckets};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::request::ServerFailure;

/// The most reports of one source in a minute.
const REPORTS: u32 = 60;

/// The reports that each source may still send. They concern no known tenant, so they count for the tenant of
/// the platform.
pub struct ReportBudget {
    sources: LeakyBuckets,
    platform: TenantId,
}

impl Default for ReportBudget {
    fn default() -> Self {
        let sources = LeakyBuckets::new(REPORTS, Lifetime::from_seconds(60));
        Self { sources, platform: TenantId::platform() }
    }
}

impl ReportBudget {
    pub(crate) fn spend(&self, source: ClientAddress, now: Timestamp) -> Result<(), ServerFailure<'static>> {
        let attempt = self.sources.begin(&self.platform, source, now);
        attempt.map(drop).ok_or(ServerFailure::TooManyReports)
    }
}
