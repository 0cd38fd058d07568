//! Writes down from where secrets were used, every ten seconds and at the end: a token itself writes nothing, and a program that is
//! killed loses what was noted since the last time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use administration::{AdministrationStore, SecretUse};
use registry::{SecretUses, UsedSecret};
use tenancy::StoreError;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::causes::causes;

const EVERY: Duration = Duration::from_secs(10);
/// Rows a transaction: small enough that nothing else waits long behind one.
const BATCH: usize = 1_000;
/// At the end a store that does not answer is waited for no longer; whoever stops a program expects it to stop.
const AT_THE_END: Duration = Duration::from_secs(3);

/// Carries uses from memory to the store.
pub(crate) struct UseRecorder {
    uses: Arc<SecretUses>,
    store: Arc<dyn AdministrationStore>,
    told: Mutex<Told>,
    /// One at a time, so that the last one waits for one that is under way.
    turn: tokio::sync::Mutex<()>,
}

/// What the log has been told, so that a long outage is two lines.
#[derive(Default)]
struct Told {
    is_failing: bool,
    dropped: u64,
}

impl UseRecorder {
    pub(crate) fn new(uses: Arc<SecretUses>, store: Arc<dyn AdministrationStore>) -> Self {
        Self { uses, store, told: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    /// Writes every ten seconds, until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            self.flush().await;
        }
    }

    /// Writes what is still there, when no request comes any more.
    pub(crate) async fn finish(&self) {
        if timeout(AT_THE_END, self.flush()).await.is_err() {
            tracing::warn!("the last uses of secrets are not written: the store does not answer");
        }
    }

    /// Writes everything that is noted now. What cannot be written stays for the next time.
    async fn flush(&self) {
        let _turn = self.turn.lock().await;
        let noted = Unwritten { rows: self.uses.drain(), uses: &self.uses };
        self.tell(self.write(noted).await.err());
    }

    async fn write(&self, mut noted: Unwritten<'_>) -> Result<(), StoreError> {
        while !noted.rows.is_empty() {
            let batch = noted.rows.len().saturating_sub(BATCH);
            let rows: Vec<_> = noted.rows[batch..].iter().map(row).collect();
            self.store.record_secret_uses(&rows).await?;
            noted.rows.truncate(batch);
        }
        Ok(())
    }

    fn tell(&self, failure: Option<StoreError>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match (failure, told.is_failing) {
            (Some(error), false) => {
                tracing::warn!(
                    error = causes(&error),
                    "uses of secrets cannot be written and are kept in memory"
                );
                told.is_failing = true;
            }
            (None, true) => {
                tracing::info!("uses of secrets are written again");
                told.is_failing = false;
            }
            (Some(_), true) | (None, false) => {}
        }
        let dropped = self.uses.dropped();
        if dropped > told.dropped {
            tracing::warn!(count = dropped - told.dropped, "uses of secrets were forgotten for lack of room");
            told.dropped = dropped;
        }
    }
}

/// Goes back to memory unless it was written, also where writing is given up half way.
struct Unwritten<'a> {
    rows: Vec<UsedSecret>,
    uses: &'a SecretUses,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        self.uses.give_back(std::mem::take(&mut self.rows));
    }
}

fn row(used: &UsedSecret) -> SecretUse {
    SecretUse {
        tenant: used.tenant.clone(),
        client: used.client.clone(),
        secret: used.secret.clone(),
        address: used.source.to_string(),
        at: used.at,
    }
}

#[cfg(test)]
mod tests {
    use protocol::Timestamp;
    use registry::{Client, ClientId, SecretId, Source};
    use testkit::{Failure, MemoryStore, fixtures};

    use super::*;

    const TENANTS: [&str; 2] = ["acme", "globex"];

    struct House {
        store: Arc<MemoryStore>,
        uses: Arc<SecretUses>,
        recorder: Arc<UseRecorder>,
    }

    /// Each tenant has a client `svc` with a secret `s1`.
    fn house() -> House {
        let (store, uses) = (Arc::new(MemoryStore::new()), Arc::<SecretUses>::default());
        for tenant in TENANTS.map(fixtures::tenant) {
            let secrets = vec![fixtures::secret("s1")];
            let client = Client { secrets, ..fixtures::client(&tenant, "svc") };
            store.put_tenant(tenant);
            store.put_client(client);
        }
        let recorder = Arc::new(UseRecorder::new(Arc::clone(&uses), store.clone()));
        House { store, uses, recorder }
    }

    impl House {
        fn note(&self, tenant: &str, client: &str, address: &str, at: u64) {
            let source = Source::new(address.parse().ok());
            let (tenant, client) = (fixtures::tenant_id(tenant), fixtures::client_id(client));
            self.uses.note(&tenant, &client, &SecretId::new("s1"), &source, Timestamp::from_seconds(at));
        }

        async fn written(&self, tenant: &str) -> Vec<(String, u64)> {
            let svc = ClientId::parse("svc").unwrap();
            let uses = self.store.secret_uses(&fixtures::tenant_id(tenant), &svc).await.unwrap();
            let mut uses: Vec<_> = uses.into_iter().map(|used| (used.address, used.at.seconds())).collect();
            uses.sort();
            uses
        }
    }

    fn rows(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
        rows.iter().map(|(address, at)| ((*address).to_owned(), *at)).collect()
    }

    #[tokio::test]
    async fn what_was_noted_is_written_once_for_its_own_tenant() {
        let house = house();
        house.note("acme", "svc", "192.0.2.1", 10);
        house.note("acme", "svc", "2001:db8::7", 12);
        house.note("globex", "svc", "", 11);
        house.recorder.flush().await;
        assert_eq!(house.written("acme").await, rows(&[("192.0.2.1", 10), ("2001:db8::/64", 12)]));
        assert_eq!(house.written("globex").await, rows(&[("unknown", 11)]));
        assert_eq!(house.uses.drain(), []);
    }

    #[tokio::test]
    async fn what_a_failing_store_does_not_take_is_written_the_next_time_with_what_came_since() {
        let house = house();
        house.note("acme", "svc", "192.0.2.1", 10);
        house.note("acme", "svc", "192.0.2.2", 10);
        for failure in [Failure::Unavailable, Failure::Fault] {
            house.store.fail_with(failure);
            house.recorder.flush().await;
        }
        house.note("acme", "svc", "192.0.2.1", 20);
        house.store.fail_with(None);
        house.recorder.flush().await;
        assert_eq!(house.written("acme").await, rows(&[("192.0.2.1", 20), ("192.0.2.2", 10)]));
    }

    /// More than fit into one transaction, most of them of clients that are gone.
    #[tokio::test]
    async fn very_many_are_written_in_batches() {
        let house = house();
        for number in 0..2 * BATCH {
            house.note("acme", &format!("client-{number}"), "192.0.2.1", 10);
        }
        house.note("acme", "svc", "192.0.2.1", 10);
        house.recorder.flush().await;
        assert_eq!(house.written("acme").await, rows(&[("192.0.2.1", 10)]));
        assert_eq!(house.uses.drain(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_written_every_ten_seconds() {
        let house = house();
        let running = tokio::spawn(Arc::clone(&house.recorder).run());
        for at in [1, 2] {
            house.note("acme", "svc", "192.0.2.1", at);
            tokio::time::sleep(EVERY + Duration::from_secs(1)).await;
            assert_eq!(house.written("acme").await, rows(&[("192.0.2.1", at)]));
        }
        running.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_a_store_that_does_not_answer_only_so_long() {
        let house = house();
        house.note("acme", "svc", "192.0.2.1", 1);
        let held = house.store.hold_answers().await;
        let began = tokio::time::Instant::now();
        house.recorder.finish().await;
        assert_eq!(began.elapsed(), AT_THE_END);
        assert_eq!(house.uses.drain().len(), 1, "given up half way, it is not forgotten");
        drop(held);
    }
}
