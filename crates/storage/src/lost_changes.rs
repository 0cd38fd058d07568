//! Finds changes that the store confirmed and lost, for example in a failover to a standby that had not
//! received them. What this process saw of each tenant is compared with the rows of the new history: the
//! revision, and the last audit record. The number of a record is not enough, because new records soon have
//! the numbers of lost ones.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tenancy::{History, Stored, TenantId};

use crate::audit_records::BATCH;
use crate::columns::given;
use crate::database::Database;
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};
use crate::statement::Statement;

/// How many of the last changes this process remembers, of all tenants together.
const REMEMBERED: usize = 10_000;

/// The number and the content of an audit record `r`. `source` is not included, because it is deleted with
/// its person.
const RECORD: &str = "r.position || ' ' || {digest(r.at || ' ' || r.actor || ' ' || r.action || ' ' || r.subject || ' ' || r.detail)}
 FROM audit_records r WHERE r.tenant_id";

/// The state of the tenant of a logged change `unseen`.
pub(crate) static SEEN: LazyLock<String> = LazyLock::new(|| {
    format!(
        "(SELECT t.revision FROM tenants t WHERE t.tenant_id = unseen.tenant_id) AS revision,
         (SELECT {RECORD} = unseen.tenant_id ORDER BY r.position DESC LIMIT 1) AS record"
    )
});

/// Reads across tenants on purpose: one batch has the changes of all tenants.
static FOUND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT given.nth, (SELECT {{history}}) AS history, t.revision, c.chain,
                (SELECT MAX(a.position) FROM audit_records a WHERE a.tenant_id = given.tenant_id) AS last,
                (SELECT {RECORD} = given.tenant_id AND r.position = given.position) AS record
           FROM {{given(tenant_id text, position bigint)}}
           LEFT JOIN tenants t ON t.tenant_id = given.tenant_id
           LEFT JOIN audit_chains c ON c.tenant_id = given.tenant_id"
    )
});

/// The number of an audit record, and the digest of its content.
type Record = (i64, u64);

/// The state of a tenant when the process saw a change of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenChange {
    tenant: TenantId,
    revision: Option<i64>,
    /// `None` for a change of this process that it has not read from the log yet.
    record: Option<Record>,
}

/// The last changes that this process saw or made, oldest first.
#[derive(Debug, Default)]
pub(crate) struct SeenChanges(Mutex<VecDeque<SeenChange>>);

/// What the store has now in place of a [`SeenChange`].
struct FoundState {
    nth: i64,
    history: History,
    revision: Option<i64>,
    chain: Option<String>,
    last: Option<i64>,
    record: Option<Record>,
}

/// The changes of a tenant that the store lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostChanges {
    pub tenant: TenantId,
    /// The tenant's revision before the loss, and in the store now.
    pub revisions: [i64; 2],
    /// The numbers of the lost audit records. New records may already have the same numbers.
    pub numbers: Option<RangeInclusive<i64>>,
    /// The chain of the tenant's audit stream in the store now.
    pub chain: Option<String>,
}

impl LostChanges {
    /// How many changes are lost at least.
    #[must_use]
    pub fn count(&self) -> u64 {
        let [before, now] = self.revisions;
        let numbers = self.numbers.as_ref().map_or(0, |numbers| numbers.end() - numbers.start() + 1);
        numbers.max(before - now).unsigned_abs()
    }
}

impl SeenChange {
    /// Reads what [`SEEN`] selects. `None` for a reading without a change.
    pub(crate) fn read(row: &DatabaseRow) -> Result<Option<Self>, Error> {
        let Some(tenant) = row.get::<Option<String>>("tenant_id")? else { return Ok(None) };
        let Ok(tenant) = TenantId::parse(&tenant) else { return Ok(None) };
        Ok(Some(Self { tenant, revision: row.get("revision")?, record: record(row)? }))
    }
}

impl FromRow for FoundState {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Ok(Self {
            nth: row.get("nth")?,
            history: History(row.get("history")?),
            revision: row.get("revision")?,
            chain: row.get("chain")?,
            last: row.get("last")?,
            record: record(row)?,
        })
    }
}

fn record(row: &DatabaseRow) -> Result<Option<Record>, Error> {
    let text: Option<String> = row.get("record")?;
    Ok(text.as_deref().and_then(|text| text.split_once(' ')).and_then(|(position, content)| {
        let mut digest = DefaultHasher::new();
        content.hash(&mut digest);
        Some((position.parse().ok()?, digest.finish()))
    }))
}

impl SeenChanges {
    /// Adds changes that a reading of the log has seen.
    pub(crate) fn add(&self, changes: impl IntoIterator<Item = SeenChange>) {
        let mut seen = self.0.lock();
        for change in changes {
            // A commit logs a row for each changed row of the tenant.
            if seen.back() != Some(&change) {
                seen.push_back(change);
            }
        }
        let excess = seen.len().saturating_sub(REMEMBERED);
        seen.drain(..excess);
    }

    /// Adds commits of this process. Their records are not known before the log is read.
    pub(crate) fn add_commit(&self, expected: &[(TenantId, u64)]) {
        self.add(expected.iter().map(|(tenant, revision)| SeenChange {
            tenant: tenant.clone(),
            revision: i64::try_from(*revision).ok().map(|revision| revision + 1),
            record: None,
        }));
    }

    /// Puts changes back that were taken, before all others.
    fn put_back(&self, mut changes: VecDeque<SeenChange>) {
        let mut seen = self.0.lock();
        changes.append(&mut seen);
        *seen = changes;
    }
}

impl Database {
    /// Compares the changes that this process saw with the store, and returns what is lost, by tenant. Call
    /// it when the store has a new history. Returns `None` if the connection still leads to a server with
    /// another history. A loss is returned once.
    ///
    /// # Errors
    /// [`tenancy::StoreError`].
    pub async fn find_lost_changes(&self, history: History) -> Stored<Option<Vec<LostChanges>>> {
        let seen: Vec<_> = std::mem::take(&mut *self.seen.0.lock()).into();
        let found = match self.find_states(&seen, history).await {
            Ok(Some(found)) => found,
            failed => {
                self.seen.put_back(seen.into());
                return failed.map(|_| None);
            }
        };
        let kept = seen.iter().zip(&found).filter(|(seen, found)| is_kept(seen, found));
        self.seen.put_back(kept.map(|(seen, _)| seen.clone()).collect());
        let mut tenants: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (seen, found) in seen.iter().zip(&found) {
            tenants.entry(&seen.tenant).or_default().push((seen, found));
        }
        Ok(Some(tenants.values().filter_map(|states| lost(states)).collect()))
    }

    /// The state of the store for each change. `None` if a state has another history.
    async fn find_states(&self, seen: &[SeenChange], history: History) -> Stored<Option<Vec<FoundState>>> {
        let mut states = Vec::with_capacity(seen.len());
        for batch in seen.chunks(BATCH) {
            let row = |seen: &SeenChange| json!({ "tenant_id": seen.tenant.as_str(), "position": seen.record.map(|(number, _)| number) });
            let rows: Vec<Value> = batch.iter().map(row).collect();
            let mut found: Vec<FoundState> =
                self.read(Statement::from_text(FOUND.as_str()).bind(given(&rows))).await?;
            if found.iter().any(|found| found.history != history) {
                return Ok(None);
            }
            found.sort_by_key(|found| found.nth);
            states.append(&mut found);
        }
        Ok(Some(states))
    }
}

fn has_record(seen: &SeenChange, found: &FoundState) -> bool {
    seen.record.is_none() || seen.record == found.record
}

fn is_kept(seen: &SeenChange, found: &FoundState) -> bool {
    has_record(seen, found) && found.revision.is_none_or(|now| seen.revision <= Some(now))
}

/// What the store lost of one tenant.
fn lost(states: &[(&SeenChange, &FoundState)]) -> Option<LostChanges> {
    let (SeenChange { tenant, .. }, FoundState { revision, chain, last, .. }) = states.first()?;
    let numbers = |is_kept: bool| {
        let chosen = states.iter().filter(move |(seen, found)| has_record(seen, found) == is_kept);
        chosen.filter_map(|(seen, _)| Some(seen.record?.0))
    };
    let numbers = numbers(false).min().zip(numbers(false).max()).map(|(first, until)| {
        let last = last.unwrap_or(0);
        let kept = numbers(true).filter(|kept| *kept < first).max();
        // The process does not see each record. Without new records, the store's last one is the last kept.
        let kept = if last < first { Some(last) } else { kept };
        kept.map_or(first, |kept| kept + 1)..=until
    });
    let before = states.iter().filter_map(|(seen, _)| seen.revision).max().unwrap_or(0);
    // A tenant that was deleted completely has no revision.
    let now = revision.unwrap_or(if numbers.is_some() { 0 } else { before });
    let is_lost = numbers.is_some() || now < before;
    is_lost.then(|| LostChanges {
        tenant: tenant.clone(),
        revisions: [before, now],
        numbers,
        chain: chain.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss of a tenant of which the process saw changes, each with a revision and a record, if the store
    /// has these records and this revision now.
    fn check(
        seen: &[(i64, Option<Record>)],
        (revision, records): (Option<i64>, &[Record]),
        expected: Option<([i64; 2], Option<RangeInclusive<i64>>)>,
    ) {
        let tenant = TenantId::parse("acme").unwrap();
        let states: Vec<_> = seen
            .iter()
            .map(|(before, record)| {
                let number = record.map(|(number, _)| number);
                let found = FoundState {
                    nth: 0,
                    history: History(1),
                    revision,
                    chain: None,
                    last: records.iter().map(|(number, _)| *number).max(),
                    record: records.iter().find(|(found, _)| Some(*found) == number).copied(),
                };
                (SeenChange { tenant: tenant.clone(), revision: Some(*before), record: *record }, found)
            })
            .collect();
        let states: Vec<_> = states.iter().map(|(seen, found)| (seen, found)).collect();
        let lost = lost(&states).map(|lost| (lost.revisions, lost.numbers));
        assert_eq!(lost, expected, "{seen:?} {records:?}");
    }

    #[test]
    fn lost_numbers_are_found_by_content() {
        let seen = [(5, Some((7, 70))), (6, Some((8, 80))), (8, Some((10, 100)))];
        let all = [(7, 70), (8, 80), (9, 90), (10, 100)];
        check(&seen, (Some(8), &all), None);
        check(&seen, (Some(9), &[&all[..], &[(11, 110)]].concat()), None);
        check(&seen, (Some(7), &all[..3]), Some(([8, 7], Some(10..=10))));
        check(&seen, (Some(6), &all[..2]), Some(([8, 6], Some(9..=10))));
        check(&seen, (Some(3), &[(4, 40)]), Some(([8, 3], Some(5..=10))));
        // Other changes already have the numbers and revisions of lost ones.
        check(&seen, (Some(9), &[(7, 70), (8, 80), (9, 91), (10, 101)]), Some(([8, 9], Some(9..=10))));
        check(&seen, (Some(8), &[(7, 71), (8, 81), (9, 91), (10, 101)]), Some(([8, 8], Some(7..=10))));
        // The whole tenant is lost, or was deleted and has its audit.
        check(&seen, (None, &[]), Some(([8, 0], Some(1..=10))));
        check(&seen, (None, &all), None);
        // A commit of this process that it has not read from the log.
        check(&[(6, Some((8, 80))), (7, None)], (Some(6), &all[..2]), Some(([7, 6], None)));
        check(&[(6, Some((8, 80))), (7, None)], (Some(7), &all[..3]), None);
    }

    #[test]
    fn oldest_changes_are_forgotten_first() {
        let (seen, acme) = (SeenChanges::default(), TenantId::parse("acme").unwrap());
        let change =
            |number: i64| SeenChange { tenant: acme.clone(), revision: None, record: Some((number, 0)) };
        seen.add((0..).map(change).take(REMEMBERED + 5));
        seen.add([change(10_004), change(10_004)]);
        let numbers: Vec<_> = seen.0.lock().iter().map(|seen| seen.record.unwrap().0).collect();
        assert_eq!((numbers.len(), numbers[0], numbers[REMEMBERED - 1]), (REMEMBERED, 5, 10_004));
        seen.put_back([change(1)].into());
        assert_eq!(seen.0.lock()[0].record, Some((1, 0)));
    }
}
