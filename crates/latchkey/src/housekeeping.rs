//! Periodic work. Once a minute it deletes tenants after their grace period, expired used identifiers,
//! sessions and codes, revocations whose tokens have all expired, and the addresses of deleted people in the
//! audit. It also sums up sign-ins that were too many for one record each, and records throttled accounts in
//! the audit. Once an hour, first a minute after the start, it deletes secrets that ended long ago. Every
//! replica does this work; the store lets only one of them delete each row.

use std::sync::Arc;
use std::time::Duration;

use accounts::SignIns;
use administration::{Administrator, AuditStream};
use registry::{ReplayGuard, RevocationStore};
use sessions::SessionStore;
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval};

use crate::clock;
use values::{Timestamp, causes};

const EVERY: Duration = Duration::from_secs(60);
const ROUNDS_AN_HOUR: u64 = 60;

/// Runs once a minute, until the program ends.
pub(crate) async fn keep(
    administrator: Arc<Administrator>,
    sign_ins: Arc<SignIns>,
    identifiers: Arc<dyn ReplayGuard>,
    revocations: Arc<dyn RevocationStore>,
    sessions: Arc<dyn SessionStore>,
    audit: Arc<dyn AuditStream>,
) {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    // The accounts that are not in the audit yet.
    let mut throttled = Vec::new();
    for round in 0_u64.. {
        rounds.tick().await;
        if round % ROUNDS_AN_HOUR == 1 {
            prune_ended_secrets(&administrator).await;
        }
        delete_all("used identifiers that have expired", |now| identifiers.delete_expired_identifiers(now))
            .await;
        delete_all("revocations that have ended", |now| revocations.delete_ended_revocations(now)).await;
        delete_all("sessions and codes that have expired", |now| sessions.delete_expired_sign_ins(now)).await;
        delete_all("addresses of deleted people", |_| audit.erase_deleted_people()).await;
        if let Err(error) = administrator.sum_sign_ins(clock::now()).await {
            tracing::warn!(error = causes(&error), "sign-ins of the last minutes are not in the audit");
        }
        throttled.extend(sign_ins.take_throttled(clock::now()));
        match administrator.note_throttled(throttled.clone(), clock::now()).await {
            Ok(()) => throttled.clear(),
            Err(error) => tracing::warn!(
                error = causes(&error),
                "accounts that were throttled are not in the audit; trying again in a minute"
            ),
        }
        match administrator.delete_due_tenants(clock::now()).await {
            Ok(deleted) => {
                if deleted > 0 {
                    tracing::info!(deleted, "tenants whose deletion was due are deleted");
                }
                is_failing = false;
            }
            // Logs each outage once, not once a minute.
            Err(error) if !is_failing => {
                tracing::warn!(
                    error = causes(&error),
                    "tenants whose deletion is due cannot be deleted; trying again every minute"
                );
                is_failing = true;
            }
            Err(_) => {}
        }
    }
}

/// Deletes in batches, so that requests write between them. The next call deletes the rows that expire
/// meanwhile.
async fn delete_all<F: Future<Output = Result<u64, StoreError>>>(
    what: &str,
    delete: impl Fn(Timestamp) -> F,
) {
    let now = clock::now();
    loop {
        match delete(now).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = causes(&error), "{what} cannot be deleted; trying again in a minute");
                return;
            }
        }
    }
}

async fn prune_ended_secrets(administrator: &Administrator) {
    match administrator.prune_ended_secrets(clock::now()).await {
        Ok(0) => {}
        Ok(pruned) => tracing::info!(pruned, "client secrets that ended long ago are deleted"),
        Err(error) => tracing::warn!(
            error = causes(&error),
            "client secrets that ended long ago cannot be deleted; trying again in an hour"
        ),
    }
}
