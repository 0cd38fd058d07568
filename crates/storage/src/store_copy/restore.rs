//! Reads a backup: verifies it without a store, or restores it into an empty store. Tokens and sessions from
//! before the backup are not valid in the restored store.

use std::io::BufRead;

use serde_json::Value;
use tenancy::TenantId;
use values::Timestamp;

use crate::migrations::known;
use crate::one_time;
use crate::revocations;
use crate::statement::Statement;
use crate::store_copy::backup::BackupFacts;
use crate::store_copy::ended_later::{AuditLine, end_later};
use crate::store_copy::session::{CopySession, StorePlace};
use crate::store_copy::sums::TableSum;
use crate::store_copy::target::CopyTarget;
use crate::store_copy::{CopyError, CopyStep};

/// Sessions and other credentials that a restored store does not contain, in addition to access tokens and
/// [records that are used once](one_time::TABLES).
const ENDED: [&str; 5] =
    ["session_clients", "sessions", "refresh_families", "console_sessions", "idempotent_answers"];
/// The audit stream of the lost store may contain records that are newer than the backup, and the restored
/// store uses their numbers again. So a restored store starts new chains.
const STREAM: [&str; 2] = ["audit_chains", "audit_salts"];
/// The maximum number of tenants whose tokens one statement revokes.
const TENANTS: usize = 500;

const LIVE_SECRETS: &str = "
    SELECT tenant_id, client_id, secret_id FROM client_secrets
     WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ORDER BY tenant_id, client_id, secret_id";
const LIVE_API_KEYS: &str = "
    SELECT tenant_id, client_id, api_key_id FROM api_keys
     WHERE revoked_at IS NULL AND expires_at > $1 ORDER BY tenant_id, client_id, api_key_id";

#[derive(Debug)]
pub struct Restored {
    pub facts: BackupFacts,
    /// Each table with the number and digest of its rows in the backup.
    pub tables: Vec<(String, TableSum)>,
    /// The number of audit records that were applied.
    pub ended_later: usize,
    /// Tenant, client and id of each secret that is valid now. A secret that was revoked after the backup may
    /// be among them, unless the audit records were applied.
    pub live_secrets: Vec<[String; 3]>,
    /// Tenant, client and id of each API key that is valid now.
    pub live_api_keys: Vec<[String; 3]>,
}

enum Line {
    Row(String),
    Backup(BackupFacts),
    Table(String),
    EndOfTable(String, u64, String),
    End,
}

impl Line {
    fn parse(text: String) -> Option<Self> {
        if text.starts_with('{') {
            return Some(Self::Row(text));
        }
        let said: Vec<Value> = serde_json::from_str(&text).ok()?;
        let name = |place: usize| said.get(place).and_then(Value::as_str).map(str::to_owned);
        match (&*name(0)?, said.len()) {
            ("backup", 2) => Some(Self::Backup(serde_json::from_value(said[1].clone()).ok()?)),
            ("table", 2) => Some(Self::Table(name(1)?)),
            ("end", 4) => Some(Self::EndOfTable(name(1)?, said[2].as_u64()?, name(3)?)),
            ("end", 1) => Some(Self::End),
            _ => None,
        }
    }
}

fn unusable(why: impl Into<String>) -> CopyError {
    CopyError::Backup(why.into())
}

/// Reads the whole backup and compares each table with its number and digest.
///
/// # Errors
/// [`CopyError::Backup`] if the file is incomplete or was changed.
pub fn verify(backup: impl BufRead) -> Result<(BackupFacts, Vec<(String, TableSum)>), CopyError> {
    let (mut facts, mut tables, mut open) = (None, Vec::new(), None::<(String, TableSum)>);
    for (number, line) in backup.lines().enumerate() {
        let line = Line::parse(line?)
            .ok_or_else(|| unusable(format!("line {} is not a backup line", number + 1)))?;
        match (line, &mut open) {
            (Line::Backup(found), None) if facts.is_none() => facts = Some(found),
            (Line::Table(name), None) if facts.is_some() => open = Some((name, TableSum::default())),
            (Line::Row(text), Some((name, sum))) => drop(sum.count(name, &text)?),
            (Line::EndOfTable(ended, rows, digest), Some((name, sum))) if ended == *name => {
                if sum.rows != rows || sum.to_string() != digest {
                    return Err(CopyError::Differs { table: ended, found: sum.rows, expected: rows });
                }
                tables.extend(open.take());
            }
            (Line::End, None) => {
                let facts = facts.ok_or_else(|| unusable("the beginning is missing"))?;
                return Ok((facts, tables));
            }
            _ => return Err(unusable(format!("line {} is in the wrong place", number + 1))),
        }
    }
    Err(unusable("the end is missing"))
}

/// Restores a backup into an empty store. Ends all earlier tokens and sessions; revocations stay. `create`
/// creates the store's file. It is called only if the backup is complete.
///
/// # Errors
/// [`CopyError`]. A store that was restored only in part cannot be used. A repeated restore starts from the
/// beginning.
pub async fn restore<B: BufRead>(
    open: impl Fn() -> std::io::Result<B>,
    to: &StorePlace,
    create: impl FnOnce() -> std::io::Result<()>,
    audit: Vec<AuditLine>,
    now: Timestamp,
    tell: &(dyn Fn(CopyStep) + Sync),
) -> Result<Restored, CopyError> {
    let (facts, tables) = verify(open()?)?;
    let known = known(&crate::sqlite::MIGRATOR);
    if facts.schema != known {
        return Err(unusable(format!(
            "it has schema {}, but this program has schema {known}; restore it with the version that wrote \
                it, then upgrade",
            facts.schema
        )));
    }
    create()?;
    let mut target = CopyTarget::take(to, &format!("a backup of {}", facts.store), now, tell).await?;
    let names: Vec<_> = target.tables.iter().map(|table| table.name.clone()).collect();
    if !names.iter().eq(tables.iter().map(|(name, _)| name)) {
        return Err(unusable("its tables differ from this program's tables"));
    }
    target.begin_empty().await?;
    let mut place = 0;
    for line in open()?.lines() {
        match Line::parse(line?) {
            Some(Line::Row(text)) => drop(target.write(place, text).await?),
            Some(Line::EndOfTable(table, rows, _)) => {
                target.flush(place).await?;
                tell(CopyStep::Copying { table: &table, place, of: names.len(), rows });
                place += 1;
            }
            _ => {}
        }
    }
    let expected: Vec<_> = tables.iter().map(|(_, sum)| *sum).enumerate().collect();
    target.verify(&expected).await?;
    end_all(&mut target.session, now).await?;
    let ended_later = end_later(&mut target.session, audit, facts.at, now).await?;
    let live_secrets = live(&mut target.session, LIVE_SECRETS, now).await?;
    let live_api_keys = live(&mut target.session, LIVE_API_KEYS, now).await?;
    target.session.end_writing().await?;
    target.finish().await?;
    Ok(Restored { facts, tables, ended_later, live_secrets, live_api_keys })
}

async fn end_all(session: &mut CopySession, now: Timestamp) -> Result<(), CopyError> {
    for table in ENDED.into_iter().chain(STREAM).chain(one_time::TABLES.map(|table| table.name)) {
        session.run(format!("DELETE FROM {table}")).await?;
    }
    // The new `valid_from` also invalidates links that set passwords. `restored_at` makes servers refuse
    // one-time identifiers from before the restore, because the backup does not contain those that were used
    // later.
    const FROM_NOW: [&str; 2] = [
        "UPDATE accounts SET valid_from = CASE WHEN valid_from < $1 THEN $1 ELSE valid_from + 1 END",
        "UPDATE tenants SET restored_at = $1",
    ];
    for statement in FROM_NOW {
        session.execute(&Statement::from_text(statement).bind(now)).await?;
    }
    let tenants: Vec<TenantId> = session.all(Statement::from_text("SELECT tenant_id FROM tenants")).await?;
    for tenants in tenants.chunks(TENANTS) {
        session.execute(&revocations::revoke_tenants(tenants, now)).await?;
    }
    Ok(())
}

async fn live(
    session: &mut CopySession,
    statement: &'static str,
    now: Timestamp,
) -> Result<Vec<[String; 3]>, CopyError> {
    let rows: Vec<(String, String, String)> = session.all(Statement::from_text(statement).bind(now)).await?;
    Ok(rows.into_iter().map(|(tenant, client, id)| [tenant, client, id]).collect())
}
