//! Tests deliveries from an outbox in memory to clients that answer, refuse or hang. The runtime's clock is
//! simulated.

use std::sync::Mutex;

use async_trait::async_trait;
use grants::LogoutAddress;
use tenancy::TenantId;
use tokio::time::{Instant, sleep, timeout};
use values::Timestamp;

use super::*;

/// Notices with the time of their next attempt, in the order in which they were queued.
struct FakeOutbox {
    rows: Mutex<Vec<(QueuedLogout, Timestamp)>>,
    looks: Mutex<u32>,
    claims: Mutex<u32>,
}

#[async_trait]
impl LogoutOutbox for FakeOutbox {
    /// The notice that is due for the longest time comes first. Tenants take no turns here, because this test
    /// checks the turns of the deliveries themselves.
    async fn due_logouts(&self, now: Timestamp, most: u32, turn: &LogoutTurn) -> Stored<Vec<QueuedLogout>> {
        *self.looks.lock().unwrap() += 1;
        let rows = self.rows.lock().unwrap();
        let due =
            rows.iter().filter(|(queued, next)| *next <= now && !turn.except.contains(&queued.address()));
        let mut of_client = std::collections::HashMap::<LogoutAddress, u32>::new();
        let due = due.filter(|(queued, _)| {
            let count = of_client.entry(queued.address()).or_default();
            *count += 1;
            *count <= QueuedLogout::MOST_AT_ONCE
        });
        Ok(due.take(most as usize).map(|(queued, _)| queued.clone()).collect())
    }

    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<bool> {
        *self.claims.lock().unwrap() += 1;
        let mut rows = self.rows.lock().unwrap();
        let row = rows.iter_mut().find(|(row, _)| row == queued).unwrap();
        row.0.attempts += 1;
        row.1 = next;
        Ok(true)
    }

    async fn return_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<()> {
        let mut rows = self.rows.lock().unwrap();
        let row =
            rows.iter_mut().find(|(row, _)| row.session == queued.session && row.client == queued.client);
        let row = row.unwrap();
        (row.0.attempts, row.1) = (queued.attempts, next);
        Ok(())
    }

    async fn delete_logout(&self, queued: &QueuedLogout) -> Stored<()> {
        self.rows
            .lock()
            .unwrap()
            .retain(|(row, _)| (&row.session, &row.client) != (&queued.session, &queued.client));
        Ok(())
    }

    async fn delete_ended_logouts(&self, _: &LogoutAddress, _: Timestamp) -> Stored<()> {
        Ok(())
    }
}

/// Tenants, clients and times of sent notices, and the largest number of concurrent attempts.
#[derive(Default)]
struct FakeSender {
    begun: Instant0,
    sent: Mutex<Vec<(String, String, Duration)>>,
    under_way: Mutex<(usize, usize)>,
}

struct Instant0(Instant);

impl Default for Instant0 {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl SendLogout for FakeSender {
    async fn send(&self, queued: &QueuedLogout, _: Timestamp) -> Stored<DeliveryResult> {
        let (tenant, client) = (queued.tenant.to_string(), queued.client.to_string());
        self.sent.lock().unwrap().push((tenant, client.clone(), self.begun.0.elapsed()));
        {
            let mut under_way = self.under_way.lock().unwrap();
            under_way.0 += 1;
            under_way.1 = under_way.1.max(under_way.0);
        }
        let attempt = match client.split('-').next() {
            Some("dead") => {
                sleep(Duration::from_secs(5)).await;
                DeliveryResult::Failed("no complete response in time".to_owned())
            }
            Some("slow") => {
                sleep(Duration::from_secs(4)).await;
                DeliveryResult::Delivered
            }
            Some("postponed") if self.begun.0.elapsed() < Duration::from_secs(30) => {
                DeliveryResult::Postponed
            }
            Some("strict") => DeliveryResult::Refused("the response has status 400".to_owned()),
            _ => {
                sleep(Duration::from_millis(20)).await;
                DeliveryResult::Delivered
            }
        };
        self.under_way.lock().unwrap().0 -= 1;
        Ok(attempt)
    }
}

impl FakeSender {
    fn times(&self, tenant: &str, client: &str) -> Vec<Duration> {
        let sent = self.sent.lock().unwrap();
        sent.iter()
            .filter(|(t, c, _)| (t.as_str(), c.as_str()) == (tenant, client))
            .map(|sent| sent.2)
            .collect()
    }
}

fn notices(tenant: &str, client: &str, count: u32) -> Vec<(QueuedLogout, Timestamp)> {
    let notice = |number: u32| QueuedLogout {
        tenant: TenantId::parse(tenant).unwrap(),
        slot: 0,
        session: format!("{number:A>21}A").parse().unwrap(),
        client: client.parse().unwrap(),
        account: "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
        attempts: 0,
    };
    (0..count).map(|number| (notice(number), Timestamp::from_seconds(0))).collect()
}

/// Runs the deliveries for this many seconds.
async fn deliver(rows: Vec<(QueuedLogout, Timestamp)>, seconds: u64) -> (Arc<FakeOutbox>, Arc<FakeSender>) {
    let outbox = FakeOutbox { rows: Mutex::new(rows), looks: Mutex::default(), claims: Mutex::default() };
    let (outbox, sender) = (Arc::new(outbox), Arc::<FakeSender>::default());
    let begun = Instant::now();
    let clock = Arc::new(move || Timestamp::from_seconds(begun.elapsed().as_secs()));
    let delivery = LogoutDelivery { outbox: outbox.clone(), sender: sender.clone(), clock };
    let ended = timeout(Duration::from_secs(seconds), Arc::new(delivery).run()).await;
    assert!(ended.is_err(), "it goes on");
    (outbox, sender)
}

// [shared 2.3]: Back-channel logout was one queue of 32 notices at a time for all tenants, and each round
//   waited for its slowest: dead addresses of one tenant delayed all others' notices (0.8 s to 50 s with 400
//   notices) | fixed | The store gives due notices by tenant in turn, at most 8 of a client. An attempt
//   begins as soon as there is room: 64 of a replica, 32 of a tenant, 8 of a client. A client that twice did
//   not answer is paused alone, 10 s up to 5 min. 5 000 notices wait for a client at most
#[tokio::test(start_paused = true)]
async fn dead_address_does_not_delay_another_tenant() {
    let mut rows = notices("b", "dead", 400);
    rows.extend(notices("a", "web", 1));
    let (outbox, sender) = deliver(rows, 60).await;
    assert_eq!(sender.times("a", "web"), [Duration::ZERO], "in the first look");
    // The address is tried once more, then once after each pause. The other notices need no attempts.
    let tried = sender.times("b", "dead");
    let seconds: Vec<_> =
        tried[QueuedLogout::MOST_AT_ONCE as usize..].iter().map(Duration::as_secs).collect();
    assert_eq!(tried[..QueuedLogout::MOST_AT_ONCE as usize], [Duration::ZERO; 8]);
    assert!(seconds.len() <= 4, "{seconds:?}");
    let rows = outbox.rows.lock().unwrap();
    assert_eq!(rows.iter().map(|(queued, _)| queued.attempts as usize).sum::<usize>(), tried.len());
    assert_eq!(*outbox.claims.lock().unwrap(), 1 + u32::try_from(tried.len()).unwrap());
}

/// Forty clients receive notices at the same time, more than one tenant's share.
#[tokio::test(start_paused = true)]
async fn dead_addresses_use_only_the_share_of_their_tenant() {
    let mut rows: Vec<_> = (0..40).flat_map(|number| notices("b", &format!("dead-{number}"), 10)).collect();
    rows.extend(notices("a", "web", 1));
    // The outbox of this test has no turns, and this tenant's notice comes last.
    rows.rotate_right(1);
    let (_, sender) = deliver(rows, 2).await;
    assert_eq!(sender.times("a", "web"), [Duration::ZERO]);
    assert_eq!(sender.under_way.lock().unwrap().1, AT_ONCE_OF_TENANT + 1);
}

// [shared 2.3]
#[tokio::test(start_paused = true)]
async fn new_attempts_begin_during_slow_ones() {
    let mut rows = notices("a", "slow", 8);
    rows.extend(notices("a", "web", 40));
    let (outbox, sender) = deliver(rows, 3).await;
    assert_eq!(sender.times("a", "web").len(), 40, "the slow ones are answered after four seconds");
    assert_eq!(outbox.rows.lock().unwrap().len(), 8);
}

/// The client answers, so notices that it accepts are sent immediately.
#[tokio::test(start_paused = true)]
async fn refusing_client_is_not_paused() {
    let (outbox, sender) = deliver(notices("a", "strict", 40), 20).await;
    assert_eq!(sender.times("a", "strict").len(), 40);
    assert!(outbox.rows.lock().unwrap().iter().all(|(queued, _)| queued.attempts == 1));
}

/// Name lookups for other clients are slow. That pauses no client and counts as no attempt.
#[tokio::test(start_paused = true)]
async fn postponed_notice_is_sent_later() {
    let (outbox, sender) = deliver(notices("a", "postponed", 1), 34).await;
    let tried = sender.times("a", "postponed");
    assert!(tried.len() >= 8 && tried.last().unwrap().as_secs() <= 32, "{tried:?}");
    assert!(outbox.rows.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn idle_outbox_is_queried_rarely() {
    let (outbox, _) = deliver(Vec::new(), 20).await;
    assert!(*outbox.looks.lock().unwrap() <= 11);
}
