//! Writes the most recent uses of secrets and API keys to the store.

use administration::documents::UsedFrom;
use administration::kinds;
use administration::store::{AdministrationStore, SecretUsage};
use async_trait::async_trait;
use registry::{ApiKeyId, LastUsedApiKeys, LastUsedSecrets, SecretPath, UseOutcome, UsedApiKey, UsedSecret};
use secrets::CallerAddress;
use tenancy::{Stored, TenantId, UsageBuffer};

use crate::batch_writer::Buffered;

#[async_trait]
impl Buffered for LastUsedSecrets {
    const WHAT: &'static str = "uses of secrets";
    type Owner = (SecretPath, UseOutcome);
    type User = CallerAddress;
    type Newest = ();

    fn buffer(&self) -> &UsageBuffer<Self::Owner, CallerAddress> {
        &self.0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[UsedSecret]) -> Stored<()> {
        let rows: Vec<_> = rows.iter().map(row).collect();
        store.record_secret_usage(&rows).await
    }
}

fn row(used: &UsedSecret) -> SecretUsage {
    let (SecretPath { tenant, client, secret }, outcome) = used.owner.clone();
    SecretUsage { tenant, client, secret, from: UsedFrom::presented(used.user.to_string(), outcome, used.at) }
}

#[async_trait]
impl Buffered for LastUsedApiKeys {
    const WHAT: &'static str = "uses of API keys";
    type Owner = (TenantId, ApiKeyId, UseOutcome);
    type User = CallerAddress;
    type Newest = ();

    fn buffer(&self) -> &UsageBuffer<Self::Owner, CallerAddress> {
        &self.0
    }

    async fn write(store: &dyn AdministrationStore, rows: &[UsedApiKey]) -> Stored<()> {
        let rows: Vec<_> = rows.iter().map(row_of_key).collect();
        store.record_api_key_usage(&rows).await
    }
}

fn row_of_key(used: &UsedApiKey) -> kinds::api_key::Used {
    let (tenant, key, outcome) = used.owner.clone();
    kinds::api_key::Used { tenant, key, from: UsedFrom::presented(used.user.to_string(), outcome, used.at) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use administration::store::UsageLog as _;
    use registry::{Client, ClientId, SecretId};
    use testkit::{Failure, TestStore, fixtures};
    use values::Timestamp;

    use super::*;
    use crate::batch_writer::{BATCH, BatchWriter};
    use crate::periodic_writer::{AT_THE_END, PeriodicWriter as _};

    const TENANTS: [&str; 2] = ["acme", "globex"];

    struct TestEnv {
        store: Arc<TestStore>,
        uses: Arc<LastUsedSecrets>,
        batch_writer: Arc<BatchWriter<LastUsedSecrets>>,
    }

    /// Each tenant has a client `svc` with a secret `s1`.
    fn test_env() -> TestEnv {
        let (store, uses) = (Arc::new(TestStore::new()), Arc::<LastUsedSecrets>::default());
        for tenant in TENANTS.map(fixtures::tenant) {
            let secrets = vec![fixtures::secret("s1")];
            let client = Client { secrets, ..fixtures::client(&tenant, "svc") };
            store.put_tenant(tenant);
            store.put_client(client);
        }
        let batch_writer = Arc::new(BatchWriter::new(Arc::clone(&uses), store.clone()));
        TestEnv { store, uses, batch_writer }
    }

    impl TestEnv {
        fn note(&self, tenant: &str, client: &str, address: &str, at: u64) {
            let source = CallerAddress::new(address.parse().ok());
            let (tenant, client) = (fixtures::tenant_id(tenant), fixtures::client_id(client));
            let (secret, at) = (SecretId::new("s1"), Timestamp::from_seconds(at));
            self.uses.note(&tenant, &client, &secret, UseOutcome::Accepted, &source, at);
        }

        async fn written(&self, tenant: &str) -> Vec<(String, u64)> {
            let svc = ClientId::parse("svc").unwrap();
            let uses = self.store.secret_usage(&fixtures::tenant_id(tenant), &svc).await.unwrap();
            let at = |from: &UsedFrom| from.last_used_at.unwrap().0.seconds();
            let mut uses: Vec<_> =
                uses.into_iter().map(|used| (used.from.address.clone(), at(&used.from))).collect();
            uses.sort();
            uses
        }
    }

    fn rows(rows: &[(&str, u64)]) -> Vec<(String, u64)> {
        rows.iter().map(|(address, at)| ((*address).to_owned(), *at)).collect()
    }

    #[tokio::test]
    async fn buffered_uses_are_written_once_for_their_tenant() {
        let test_env = test_env();
        test_env.note("acme", "svc", "192.0.2.1", 10);
        test_env.note("acme", "svc", "2001:db8::7", 12);
        test_env.note("globex", "svc", "", 11);
        test_env.batch_writer.flush(Duration::ZERO).await;
        assert_eq!(test_env.written("acme").await, rows(&[("192.0.2.1", 10), ("2001:db8::/64", 12)]));
        assert_eq!(test_env.written("globex").await, rows(&[("unknown", 11)]));
        assert_eq!(test_env.uses.0.drain(), []);
    }

    #[tokio::test]
    async fn failed_writes_are_repeated_with_later_uses() {
        let test_env = test_env();
        test_env.note("acme", "svc", "192.0.2.1", 10);
        test_env.note("acme", "svc", "192.0.2.2", 10);
        for failure in [Failure::Unavailable, Failure::Fault] {
            test_env.store.fail_with(failure);
            test_env.batch_writer.flush(Duration::ZERO).await;
        }
        test_env.note("acme", "svc", "192.0.2.1", 20);
        test_env.store.fail_with(None);
        test_env.batch_writer.flush(Duration::ZERO).await;
        assert_eq!(test_env.written("acme").await, rows(&[("192.0.2.1", 20), ("192.0.2.2", 10)]));
    }

    /// More rows than fit into one transaction, most of them for deleted clients.
    #[tokio::test]
    async fn many_uses_are_written_in_batches() {
        let test_env = test_env();
        for number in 0..2 * BATCH {
            test_env.note("acme", &format!("client-{number}"), "192.0.2.1", 10);
        }
        test_env.note("acme", "svc", "192.0.2.1", 10);
        test_env.batch_writer.flush(Duration::ZERO).await;
        assert_eq!(test_env.written("acme").await, rows(&[("192.0.2.1", 10)]));
        assert_eq!(test_env.uses.0.drain(), []);
    }

    #[tokio::test(start_paused = true)]
    async fn uses_are_written_every_ten_seconds() {
        let test_env = test_env();
        let running = tokio::spawn(Arc::clone(&test_env.batch_writer).run());
        for at in [1, 2] {
            test_env.note("acme", "svc", "192.0.2.1", at);
            tokio::time::sleep(Duration::from_secs(11)).await;
            assert_eq!(test_env.written("acme").await, rows(&[("192.0.2.1", at)]));
        }
        running.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_does_not_wait_long_for_a_hung_store() {
        let test_env = test_env();
        test_env.note("acme", "svc", "192.0.2.1", 1);
        let held = test_env.store.hold_answers().await;
        let began = tokio::time::Instant::now();
        test_env.batch_writer.finish().await;
        assert_eq!(began.elapsed(), AT_THE_END);
        assert_eq!(test_env.uses.0.drain().len(), 1, "given up half way, it is not forgotten");
        drop(held);
    }
}
