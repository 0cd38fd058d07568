//! Refresh tokens. All tokens of one grant share one row, the family.

use async_trait::async_trait;
use grants::{FamilyKey, FamilyStep, FoundFamily, RefreshFamily, RefreshFamilyStore};
use registry::RevokedSubject;
use sessions::SessionId;
use tenancy::{SessionPolicy, Stored, TenantId};
use values::Timestamp;

use crate::database::Database;
use crate::error::Error;
use crate::row::decoded;
use crate::statement::Statement;
use crate::transaction::Transaction;

pub(crate) const INSERT: &str = "
    INSERT INTO refresh_families ({names}) SELECT {names} FROM {given} WHERE TRUE";

/// Whether the person of family `f` may still sign in and was not signed out, and whether the family's
/// session is still valid by the rule of [`Session::lasts`](sessions::Session::lasts). `$4` is the current
/// time. The next arguments are the lifetimes from [`of_family_and_policy`].
macro_rules! is_live {
    () => {
        "(EXISTS (SELECT 1 FROM accounts a
                   WHERE a.tenant_id = f.tenant_id AND a.account_id = f.account_id AND a.suspended_at IS NULL
                     AND a.retired_at IS NULL AND a.deleted_at IS NULL AND a.valid_from <= f.created_at)
          AND (f.session_slot IS NULL
               OR EXISTS (SELECT 1 FROM sessions s
                           WHERE s.tenant_id = f.tenant_id AND s.slot = f.session_slot AND s.session_id = f.session_id
                             AND s.ended_at IS NULL AND s.expires_at > $4
                             AND s.authenticated_at + CASE WHEN s.remembered THEN $8 ELSE $6 END > $4
                             AND s.last_seen_at + {least}(s.idle, CASE WHEN s.remembered THEN $7 ELSE $5 END) >= $4)))"
    };
}
pub(crate) use is_live;

const SELECT: &str = "
    SELECT {columns(f)} FROM refresh_families f
     WHERE f.tenant_id = {tenant} AND f.slot = $2 AND f.family_id = $3";

/// Moves the family to its next token in one statement, which in PostgreSQL also enters the tenant.
/// PostgreSQL guarantees the order of reads only for the source of an INSERT. So the statement inserts the
/// row with its current values, and the conflict with the existing row updates it. Of two concurrent
/// statements, the second compares the generation again and sees the change of the first.
const STEP: &str = concat!(
    "WITH entered AS MATERIALIZED (SELECT {entering} AS tenant_id)
     INSERT INTO refresh_families ({names})
     SELECT found.* FROM entered CROSS JOIN {lateral}
            (SELECT {columns(f)} FROM refresh_families f
              WHERE f.tenant_id = {entered} AND f.slot = $2 AND f.family_id = $3 AND f.client_id = $9
                AND f.secret_digest = $10 AND f.generation <= $11 AND f.ended_at IS NULL
                AND f.idle_until > $4 AND f.expires_at > $4
                AND (f.dpop_key IS NULL OR f.dpop_key = $13) AND (f.certificate IS NULL OR f.certificate = $14)
                AND ",
    is_live!(),
    " {fence}) AS found
      WHERE TRUE
     ON CONFLICT (tenant_id, family_id, slot) DO UPDATE
        SET generation = $11 + 1, rotated_at = $4, idle_until = {least}(refresh_families.expires_at, $4 + $12)
      WHERE refresh_families.generation <= $11 AND refresh_families.ended_at IS NULL
     RETURNING {names}"
);

const NOTE_USE: &str = "
    UPDATE refresh_families SET idle_until = {greatest}(idle_until, $4)
     WHERE tenant_id = $1 AND slot = $2 AND family_id = $3";

/// Ends the family in every partition that contains it.
const END: &str = "
    UPDATE refresh_families SET ended_at = $3 WHERE tenant_id = $1 AND family_id = $2 AND ended_at IS NULL";

const FOLLOW_SESSION: &str = "
    UPDATE refresh_families SET session_slot = $4
     WHERE tenant_id = $1 AND session_id = $2 AND session_slot = $3 AND ended_at IS NULL";

#[async_trait]
impl RefreshFamilyStore for Database {
    async fn step_family(
        &self,
        tenant: &TenantId,
        step: &FamilyStep<'_>,
        now: Timestamp,
    ) -> Stored<Option<RefreshFamily>> {
        let statement = Statement::writing::<RefreshFamily>(STEP);
        let statement = of_family_and_policy(statement, tenant, &step.key, step.session, now)
            .bind(step.client.as_str())
            .bind(step.secret_digest.as_slice())
            .bind(step.generation)
            .bind(step.idle.seconds())
            .bind(step.sender.dpop.map(|key| key.as_bytes().to_vec()))
            .bind(step.sender.certificate.map(|key| key.as_bytes().to_vec()))
            .reading::<RefreshFamily>();
        let rows = self.write_one(&statement).await?;
        Ok(decoded(&rows)?.into_iter().next())
    }

    async fn find_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        policy: SessionPolicy,
        now: Timestamp,
    ) -> Stored<Option<FoundFamily>> {
        let statement = of_family_and_policy(Statement::from_text(SELECT), tenant, key, policy, now);
        let found: Vec<FoundFamily> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }

    async fn note_use_of_family(
        &self,
        tenant: &TenantId,
        key: &FamilyKey,
        idle_until: Timestamp,
    ) -> Stored<()> {
        let note = of_family(Statement::from_text(NOTE_USE), tenant, key, idle_until);
        Ok(self.write_of(tenant, &note).await.map(drop)?)
    }
}

fn of_family(statement: Statement, tenant: &TenantId, key: &FamilyKey, at: Timestamp) -> Statement {
    statement.bind(tenant).bind(key.slot).bind(key.id.to_string()).bind(at)
}

/// Binds the maximum idle time and the maximum duration of sessions, first for browser sessions, then for
/// sessions that outlive the browser.
fn of_family_and_policy(
    statement: Statement,
    tenant: &TenantId,
    key: &FamilyKey,
    policy: SessionPolicy,
    now: Timestamp,
) -> Statement {
    [false, true].into_iter().fold(of_family(statement, tenant, key, now), |statement, is_remembered| {
        let (idle, absolute) = policy.lifetimes(is_remembered);
        statement.bind(idle.seconds()).bind(absolute.seconds())
    })
}

impl Transaction<'_> {
    pub(crate) async fn end_family(
        &mut self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        now: Timestamp,
    ) -> Result<(), Error> {
        let RevokedSubject::Grant(id) = subject else { return Ok(()) };
        self.execute(&Statement::from_text(END).bind(tenant).bind(id.as_str()).bind(now)).await.map(drop)
    }

    /// Moves the families of a session that continues in another partition.
    pub(crate) async fn move_families(
        &mut self,
        tenant: &TenantId,
        session: &SessionId,
        from: u32,
        to: u32,
    ) -> Result<(), Error> {
        let statement = Statement::from_text(FOLLOW_SESSION).bind(tenant).bind(session.as_str());
        self.execute(&statement.bind(from).bind(to)).await.map(drop)
    }
}
