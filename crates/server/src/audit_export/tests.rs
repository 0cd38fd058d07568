//! Tests the exporter with its own store, and with an output that fails on demand.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Mutex as StdMutex;

use administration::audit::AuditRecord;
use administration::audit::audit_stream::AuditVerification;
use serde_json::json;
use testkit::{Failure, TestStore, fixtures, requests};
use values::Timestamp;

use super::output::{AppendedFile, WriteLines};
use super::*;
use testkit::requests::CommitRequest;

/// The written text, and what happens at the next write.
#[derive(Clone, Default)]
struct Memory(Arc<StdMutex<(String, Option<Fault>)>>);

#[derive(Clone)]
enum Fault {
    /// Only half of the lines are written.
    Output,
    /// All lines are written, but the store then fails, as if the program was killed.
    Store(Arc<TestStore>),
}

impl WriteLines for Memory {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        let mut memory = self.0.lock().unwrap();
        match memory.1.take() {
            Some(Fault::Output) => {
                memory.0.push_str(&lines[..lines.len() / 2]);
                memory.0.push('\n');
                return Err(io::ErrorKind::StorageFull.into());
            }
            Some(Fault::Store(store)) => store.fail_with(Failure::Unavailable),
            None => {}
        }
        memory.0.push_str(lines);
        Ok(())
    }
}

impl Memory {
    fn fails_with(&self, fault: Fault) {
        self.0.lock().unwrap().1 = Some(fault);
    }

    /// The tenant and number of each complete line.
    fn lines(&self) -> Vec<(String, u64)> {
        let text = self.0.lock().unwrap().0.clone();
        let values = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        values
            .map(|line| {
                (line["audit"]["tenant"].as_str().unwrap().to_owned(), line["sequence"].as_u64().unwrap())
            })
            .collect()
    }
}

/// A replica that leads.
fn replica(store: &Arc<TestStore>, memory: &Memory) -> AuditExport {
    AuditExport {
        store: store.clone(),
        writer: AuditWriter::of(memory.clone()).unwrap(),
        leads: Box::new(|| true),
        clock: Arc::new(|| Timestamp::from_seconds(100)),
        exported: Arc::default(),
        losses: Arc::default(),
        written: Mutex::default(),
    }
}

async fn audit(store: &TestStore, tenant: &str, count: u64) {
    let record = |nth: u64| AuditRecord {
        at: Timestamp::from_seconds(nth).into(),
        actor: "cli:root".to_owned(),
        source: None,
        credential: None,
        sender_constraint: None,
        action: "client.changed".to_owned(),
        tenant: fixtures::tenant_id(tenant),
        subject: nth.to_string(),
        detail: json!({}),
    };
    let audit = (0..count).map(record).collect();
    requests::commit(store, &CommitRequest { audit, ..requests::declared(Vec::new()) }).await.unwrap();
}

fn store_of_two_tenants() -> Arc<TestStore> {
    let store = TestStore::new();
    for tenant in ["acme", "globex"] {
        store.put_tenant(fixtures::tenant(tenant));
    }
    Arc::new(store)
}

#[tokio::test]
async fn records_are_written_at_least_once_and_in_order() {
    let (store, memory) = (store_of_two_tenants(), Memory::default());
    let (one, two) = (replica(&store, &memory), replica(&store, &memory));
    for (count, fault) in [(3, None), (4, Some(Fault::Output)), (5, Some(Fault::Store(store.clone())))] {
        for tenant in ["acme", "globex"] {
            audit(&store, tenant, count).await;
        }
        let fails = fault.is_some();
        fault.into_iter().for_each(|fault| memory.fails_with(fault));
        assert_eq!(one.round().await.is_err(), fails);
        let behind = one.exported.samples(Timestamp::from_seconds(107)).map(|sample| sample.value);
        assert_eq!(behind[2], if fails { 7 } else { 0 });
        store.fail_with(None);
        two.round().await.unwrap();
        one.round().await.unwrap();
        assert_eq!(one.exported.samples(Timestamp::from_seconds(107)).map(|sample| sample.value)[2], 0);
    }
    assert_eq!(one.exported.samples(Timestamp::from_seconds(0)).map(|sample| sample.value)[1], 2);
    let mut verification = AuditVerification::default();
    memory.0.lock().unwrap().0.lines().for_each(|line| verification.read_line(line));
    let verified = verification.finish(&[]);
    assert_eq!(verified.faults, []);
    let ends: Vec<_> = verified.heads.iter().map(|head| (head.tenant.as_str(), head.sequence)).collect();
    assert_eq!(ends, [("acme", 12), ("globex", 12)]);
    let mut numbers: Vec<_> = memory.lines().into_iter().filter(|(tenant, _)| tenant == "acme").collect();
    assert_eq!(numbers.len(), 19, "two of four lines are repeated, and then five");
    numbers.sort_by_key(|(_, number)| *number);
    numbers.dedup();
    assert_eq!(numbers.len(), 12);
}

#[tokio::test]
async fn busy_tenant_delays_another_by_one_batch() {
    let (store, memory) = (store_of_two_tenants(), Memory::default());
    audit(&store, "acme", 250).await;
    audit(&store, "globex", 2).await;
    replica(&store, &memory).round().await.unwrap();
    let mut tenants: Vec<_> = memory.lines().into_iter().map(|(tenant, _)| tenant).collect();
    assert_eq!(tenants.len(), 252);
    tenants.dedup();
    assert_eq!(tenants, ["acme", "globex", "acme"]);
}

#[tokio::test]
async fn follower_writes_nothing() {
    let (store, memory) = (store_of_two_tenants(), Memory::default());
    audit(&store, "acme", 1).await;
    let follower = AuditExport { leads: Box::new(|| false), ..replica(&store, &memory) };
    follower.round().await.unwrap();
    assert_eq!(memory.lines(), []);
}

/// Skips the first lines of a tenant. Returns the chain of each remaining line, with the position of its
/// record or the details of the withdrawal.
fn lines_after(memory: &Memory, tenant: &str, skipped: usize) -> Vec<(String, serde_json::Value)> {
    let text = memory.0.lock().unwrap().0.clone();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of_tenant = lines.filter(|line| line["audit"]["tenant"] == tenant).skip(skipped);
    let shown = |line: serde_json::Value| {
        let is_withdrawn = line["audit"]["action"] == "audit.withdrawn";
        let what = if is_withdrawn { &line["audit"]["detail"] } else { &line["position"] };
        (line["chain"].as_str().unwrap().to_owned(), what.clone())
    };
    of_tenant.map(shown).collect()
}

/// The store loses the last records of acme, which are already written. New records have the same numbers.
#[tokio::test]
async fn lost_lines_are_withdrawn_in_new_chain() {
    for knows_what_it_wrote in [true, false] {
        let (store, memory) = (store_of_two_tenants(), Memory::default());
        let (one, other, late) =
            (replica(&store, &memory), replica(&store, &memory), replica(&store, &memory));
        for tenant in ["acme", "globex"] {
            audit(&store, tenant, 3).await;
        }
        one.round().await.unwrap();
        let (acme, standby) = (fixtures::tenant_id("acme"), store.standby("standby"));
        let chain = store.find_audit_chain(&acme).await.unwrap().unwrap().chain;
        audit(&store, "acme", 2).await;
        one.round().await.unwrap();
        store.promote(standby, true);
        for replica in [&one, &other, &late] {
            replica.losses.withdrawn.lock().insert(acme.clone(), (chain.clone(), 5));
        }
        let leader = if knows_what_it_wrote { &one } else { &other };
        leader.round().await.unwrap();
        audit(&store, "acme", 2).await;
        audit(&store, "globex", 1).await;
        leader.round().await.unwrap();
        late.round().await.unwrap();

        let new = lines_after(&memory, "acme", 5);
        let withdrawn = json!({ "chain": chain, "after": 3, "numbers": { "from": 4, "to": 5 } });
        let what: Vec<_> = new.iter().map(|(_, what)| what.clone()).collect();
        assert_eq!(what, [withdrawn, json!(4), json!(5)], "{knows_what_it_wrote}");
        assert!(new.iter().all(|(of, _)| *of == new[0].0 && *of != chain), "{new:?}");
        let globex = lines_after(&memory, "globex", 0);
        assert!(globex.len() == 4 && globex.iter().all(|(of, _)| *of == globex[0].0), "{globex:?}");
        let mut verification = AuditVerification::default();
        memory.0.lock().unwrap().0.lines().for_each(|line| verification.read_line(line));
        assert_eq!(verification.finish(&[]).faults, []);
    }
}

#[test]
fn audit_file_is_private_and_may_be_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let (path, renamed) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let mut file = AppendedFile::new(path.clone());
    file.append("a\nb\n").unwrap();
    file.append("c\n").unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::rename(&path, &renamed).unwrap();
    file.append("d\n").unwrap();
    assert_eq!((read(&renamed), read(&path)), ("a\nb\nc\n".to_owned(), "d\n".to_owned()));
    std::fs::write(&path, "d\ne").unwrap();
    AppendedFile::new(path.clone()).append("e\n").unwrap();
    assert_eq!(read(&path), "d\ne\ne\n");
    std::fs::remove_dir_all(folder.path()).unwrap();
    file.append("f\n").unwrap_err();
    std::fs::create_dir(folder.path()).unwrap();
    file.append("f\n").unwrap();
    assert_eq!(read(&path), "f\n");
}
