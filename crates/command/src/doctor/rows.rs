//! Checks rows that show whether servers work: which servers have counted requests, and whether signing keys
//! are rotated in time.

use administration::store::{KeySchedule as _, UsageDays as _};
use storage::Database;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

use super::report::{DoctorCheck, ReportLine};
use crate::output::counted;
use server::clock;

const REPLICAS: DoctorCheck = DoctorCheck("replicas");
const KEY_STEPS: DoctorCheck = DoctorCheck("key-steps");
/// The most replicas that are checked.
const NAMED: u32 = 20;
/// A running server takes a due step within a minute.
const LATE: Lifetime = Lifetime::from_seconds(3_600);

pub(super) async fn check(database: &Database) -> [ReportLine; 2] {
    let replicas = database.list_replicas(NAMED).await.map(|all| self::replicas(&all));
    let steps = database.next_key_steps(None, NAMED).await.map(|all| key_steps(&all, clock::now()));
    [of(REPLICAS, replicas), of(KEY_STEPS, steps)]
}

fn of(check: DoctorCheck, line: Stored<ReportLine>) -> ReportLine {
    line.unwrap_or_else(|error| check.error(values::causes(&error), "see the storage check"))
}

fn replicas(all: &[(String, Timestamp)]) -> ReportLine {
    let Some((_, last)) = all.first() else {
        return REPLICAS.skipped("no replica reported requests in the last 24 hours");
    };
    let replicas = counted(all.len(), "replica");
    REPLICAS.ok(format!(
        "{replicas} reported requests in the last 24 hours, most recently at {}",
        last.to_rfc3339()
    ))
}

/// `all` begins with the earliest step.
fn key_steps(all: &[(TenantId, Timestamp)], now: Timestamp) -> ReportLine {
    match all.first() {
        None => KEY_STEPS.ok("no tenant has a step due"),
        Some((tenant, due)) if *due + LATE < now => KEY_STEPS.warning(
            format!("a key rotation step of tenant {tenant} was due at {}", due.to_rfc3339()),
            "start a server. It performs due steps within a minute; if not, its log says why",
        ),
        Some((tenant, due)) => {
            KEY_STEPS.ok(format!("the next step is for tenant {tenant} at {}", due.to_rfc3339()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::DoctorStatus;
    use super::*;

    #[test]
    fn overdue_key_step_is_a_warning() {
        let step = |at| (TenantId::parse("acme").unwrap(), Timestamp::from_seconds(at));
        let now = Timestamp::from_seconds(10_000);
        for (steps, expected) in [
            (&[][..], DoctorStatus::Ok),
            (&[step(6_399)], DoctorStatus::Warning),
            (&[step(6_400), step(90_000)], DoctorStatus::Ok),
            (&[step(20_000)], DoctorStatus::Ok),
        ] {
            assert_eq!(key_steps(steps, now).status, expected, "{steps:?}");
        }
        let seen = |name: &str| (name.to_owned(), now);
        assert_eq!(replicas(&[]).status, DoctorStatus::Skipped);
        assert!(replicas(&[seen("a"), seen("b")]).found.starts_with("2 replicas reported"));
    }
}
