//! Periodic work. Once a minute it deletes tenants after their grace period, expired used identifiers,
//! sessions and codes, revocations whose tokens have all expired, and the addresses of deleted people in the
//! audit. It also sums up sign-ins that were too many for single records, and records throttled accounts in
//! the audit. Once an hour, first a minute after the start, it deletes secrets that ended long ago. Every
//! replica does this work; the store lets only one of them delete each row.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use accounts::SignIns;
use administration::administrator::Administrator;
use administration::store::AuditStream as _;
use registry::{ReplayStore as _, RevocationStore as _};
use sessions::SessionStore as _;
use storage::Database;
use tenancy::Stored;
use values::Timestamp;

use crate::clock;
use crate::periodic::{OutageLog, rounds};

const EVERY: Duration = Duration::from_secs(60);
const ROUNDS_AN_HOUR: u64 = 60;

/// Runs once a minute, until the program ends.
pub(crate) async fn keep(administrator: Arc<Administrator>, sign_ins: Arc<SignIns>, store: Arc<Database>) {
    let mut rounds = rounds(EVERY);
    let [mut secrets, mut identifiers, mut revocations, mut sessions] = <[OutageLog; 4]>::default();
    let [mut addresses, mut sums, mut throttling, mut tenants] = <[OutageLog; 4]>::default();
    // The throttled accounts that are not in the audit yet.
    let mut throttled = Vec::new();
    for round in 0_u64.. {
        rounds.tick().await;
        if round % ROUNDS_AN_HOUR == 1 {
            let pruned = administrator.prune_ended_secrets(clock::now()).await;
            note_deletion(&mut secrets, "client secrets that expired or were revoked long ago", &pruned);
        }
        let delete = |now| store.delete_expired_identifiers(now);
        delete_all("expired identifiers", &mut identifiers, delete).await;
        let delete = |now| store.delete_ended_revocations(now);
        delete_all("expired revocations", &mut revocations, delete).await;
        let delete = |now| store.delete_expired_sign_ins(now);
        delete_all("expired sessions and codes", &mut sessions, delete).await;
        let delete = |_| store.erase_deleted_people();
        delete_all("addresses of deleted people", &mut addresses, delete).await;
        sums.note(
            &administrator.sum_sign_ins(clock::now()).await,
            "cannot add the sign-ins of the last minutes to the audit; trying again every minute",
            "sign-ins are added to the audit again",
        );
        throttled.extend(sign_ins.take_throttled(clock::now()));
        let noted = administrator.note_throttled(throttled.clone(), clock::now()).await;
        throttling.note(
            &noted,
            "cannot add throttled accounts to the audit; trying again every minute",
            "throttled accounts are added to the audit again",
        );
        if noted.is_ok() {
            throttled.clear();
        }
        let deleted = administrator.delete_due_tenants(clock::now()).await.map(|tenants| tenants as u64);
        note_deletion(&mut tenants, "tenants whose deletion was due", &deleted);
    }
}

/// Deletes in batches, so that requests can write in between. Rows that expire in the meantime are deleted by
/// the next call.
async fn delete_all<F: Future<Output = Stored<u64>>>(
    what: &str,
    log: &mut OutageLog,
    delete: impl Fn(Timestamp) -> F,
) {
    let now = clock::now();
    let mut deleted = Ok(1);
    while deleted.as_ref().is_ok_and(|rows| *rows > 0) {
        deleted = delete(now).await;
    }
    note_outage(log, what, &deleted);
}

/// Logs a deletion that is of interest to operators.
fn note_deletion(log: &mut OutageLog, what: &str, deleted: &Result<u64, impl Error + 'static>) {
    if let Ok(deleted @ 1..) = deleted {
        tracing::info!(deleted, "deleted {what}");
    }
    note_outage(log, what, deleted);
}

fn note_outage<T>(log: &mut OutageLog, what: &str, deleted: &Result<T, impl Error + 'static>) {
    let failing = format_args!("cannot delete {what}; trying again later");
    log.note(deleted, failing, format_args!("{what} are deleted again"));
}
