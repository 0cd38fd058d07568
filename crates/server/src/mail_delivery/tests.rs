//! Tests deliveries from an outbox in memory to servers that accept, refuse or cannot be reached. The
//! runtime's clock is simulated.

use std::sync::Mutex;

use accounts::EmailAddress;
use administration::mail::{MailRecord, Message};
use async_trait::async_trait;
use secrets::Pepper;
use tokio::time::{sleep, timeout};
use values::{Letter, LetterKind, Lifetime};

use super::*;

struct Row {
    queued: QueuedMail,
    next: Timestamp,
    answer: String,
    ended: Option<(MailOutcome, AuditRecord, Timestamp)>,
}

#[derive(Default)]
struct FakeOutbox(Mutex<Vec<Row>>);

#[async_trait]
impl MailOutbox for FakeOutbox {
    async fn queue_mail(&self, _: &QueuedMail, _: &AuditRecord, _: u32, _: Timestamp) -> Stored<bool> {
        unreachable!("deliveries queue nothing")
    }

    async fn due_mail(
        &self,
        now: Timestamp,
        (most, of_tenant): (u32, u32),
        lane: &MailLane,
        after: Option<&TenantId>,
    ) -> Stored<Vec<QueuedMail>> {
        let rows = self.0.lock().unwrap();
        let is_in_lane = |tenant: &TenantId| match lane {
            MailLane::Only(tenants) => tenants.contains(tenant),
            MailLane::Except(tenants) => !tenants.contains(tenant),
        };
        let mut tenants: Vec<_> = rows.iter().map(|row| row.queued.tenant.clone()).collect();
        tenants.sort_by_key(|tenant| (after.is_some_and(|after| tenant <= after), tenant.clone()));
        tenants.dedup();
        let due = tenants.iter().filter(|tenant| is_in_lane(tenant)).flat_map(|tenant| {
            let of_one = rows.iter().filter(|row| row.queued.tenant == *tenant);
            let due = of_one.filter(|row| row.next <= now && row.ended.is_none());
            due.take(of_tenant as usize).map(|row| row.queued.clone())
        });
        Ok(due.take(most as usize).collect())
    }

    async fn claim_mail(&self, queued: &QueuedMail, next: Timestamp) -> Stored<bool> {
        let mut rows = self.0.lock().unwrap();
        let row = rows.iter_mut().find(|row| row.queued == *queued);
        let Some(row) = row else { return Ok(false) };
        (row.queued.attempts, row.next) = (queued.attempts + 1, next);
        Ok(true)
    }

    async fn note_mail(
        &self,
        queued: &QueuedMail,
        answer: &str,
        ended: Option<(MailOutcome, AuditRecord)>,
        now: Timestamp,
    ) -> Stored<()> {
        let mut rows = self.0.lock().unwrap();
        let row = rows.iter_mut().find(|row| row.queued.id == queued.id).unwrap();
        row.answer = answer.to_owned();
        row.ended = ended.map(|(outcome, audit)| (outcome, audit, now));
        Ok(())
    }

    async fn list_mail(&self, _: &TenantId, _: &accounts::AccountId, _: u32) -> Stored<Vec<MailRecord>> {
        unreachable!("deliveries list nothing")
    }
}

/// Answers by the name of the recipient, and records tenants and recipients with the seconds of each attempt.
#[derive(Default)]
struct FakeSender {
    sent: Mutex<Vec<(String, String, u64)>>,
    most_at_once: Mutex<(usize, usize)>,
}

#[async_trait]
impl SendLetter for FakeSender {
    async fn is_current(&self, _: &QueuedMail, letter: &Letter, _: Timestamp) -> Stored<bool> {
        Ok(letter.link.as_ref().is_none_or(|(link, _)| link != "#used"))
    }

    async fn send(
        &self,
        queued: &QueuedMail,
        message: Message,
        now: Timestamp,
    ) -> Stored<Result<String, MailError>> {
        let name = message.to.split('@').next().unwrap().to_owned();
        self.sent.lock().unwrap().push((queued.tenant.to_string(), name.clone(), now.seconds()));
        let under_way = |by: isize| {
            let mut counted = self.most_at_once.lock().unwrap();
            counted.0 = counted.0.saturating_add_signed(by);
            counted.1 = counted.1.max(counted.0);
        };
        under_way(1);
        let answer = match name.as_str() {
            "dead" => {
                sleep(Duration::from_secs(20)).await;
                Err(MailError::Unreachable("no answer within 20 s".to_owned()))
            }
            "unknown" => Err(MailError::Refused("550 no such user".to_owned())),
            "greylisted" if queued.attempts == 0 => Err(MailError::Failed("451 try again".to_owned())),
            "full" => Err(MailError::Failed("452 mailbox full".to_owned())),
            _ => {
                sleep(Duration::from_millis(200)).await;
                Ok("250 queued".to_owned())
            }
        };
        under_way(-1);
        Ok(answer)
    }
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn sealer() -> MailSealer {
    MailSealer::new(&Pepper::from_bytes([7; 32].into()))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// A message that can be delivered for six hours, with this link.
fn message(of: &str, to: &str, link: &str) -> Row {
    let account = "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
    let to = EmailAddress::parse(&format!("{to}@example.com")).unwrap();
    let letter = match link {
        "" => Letter::new(LetterKind::PasswordChanged, at(0)),
        link => {
            let link = Some((link.to_owned(), at(1_800)));
            Letter { link, ..Letter::new(LetterKind::Invitation, at(0)) }
        }
    };
    let queued = sealer().seal(&tenant(of), &account, &to, letter, at(0)).unwrap();
    Row { queued, next: at(0), answer: String::new(), ended: None }
}

/// Runs the deliveries for this many seconds. `own` are the tenants with their own server.
async fn deliver(rows: Vec<Row>, own: &[&str], span: u64) -> (Vec<Row>, Arc<FakeSender>) {
    let (outbox, sender) = (Arc::new(FakeOutbox(Mutex::new(rows))), Arc::<FakeSender>::default());
    let begun = Instant::now();
    let delivery = MailDelivery {
        outbox: outbox.clone(),
        sealer: Arc::new(sealer()),
        sender: sender.clone(),
        own: own.iter().map(|id| tenant(id)).collect(),
        clock: Arc::new(move || at(begun.elapsed().as_secs())),
    };
    let ended = timeout(Duration::from_secs(span), Arc::new(delivery).run()).await;
    assert!(ended.is_err(), "it goes on");
    let rows = std::mem::take(&mut *outbox.0.lock().unwrap());
    (rows, sender)
}

fn outcome(row: &Row) -> Option<&'static str> {
    row.ended.as_ref().map(|(outcome, _, _)| outcome.as_str())
}

#[tokio::test(start_paused = true)]
async fn each_answer_ends_a_message_as_it_should() {
    for (to, link, expected, sent, answer) in [
        ("ada", "", Some("delivered"), vec![0], "250 queued"),
        ("unknown", "", Some("refused"), vec![0], "550 no such user"),
        ("greylisted", "", Some("delivered"), vec![0, 120], "250 queued"),
        ("full", "", Some("failed"), vec![0, 120, 720, 4_320, 18_720], "452 mailbox full"),
        ("ada", "#used", Some("superseded"), vec![], "the link is no longer valid"),
        ("full", "#new", Some("failed"), vec![0, 120, 720], "it is too late to send the message"),
    ] {
        let (rows, sender) = deliver(vec![message("acme", to, link)], &[], 20_000).await;
        let (row, sent_at) = (&rows[0], sender.sent.lock().unwrap());
        assert_eq!((outcome(row), row.answer.as_str()), (expected, answer), "{to}");
        assert_eq!(sent_at.len(), sent.len(), "{to}: {sent_at:?}");
        for (found, wanted) in sent_at.iter().map(|sent| sent.2).zip(sent) {
            assert!((wanted..wanted + 10).contains(&found), "{to}: {found} instead of {wanted}");
        }
        let audit = &row.ended.as_ref().unwrap().1;
        let said = serde_json::to_string(&audit).unwrap();
        assert_eq!(audit.action, format!("account.mail_{}", expected.unwrap()));
        assert!(!said.contains('@') && said.contains(answer), "{said}");
        assert_eq!(audit.detail["attempts"], sent_at.len(), "{to}");
    }
}

#[tokio::test(start_paused = true)]
async fn message_of_another_installation_ends() {
    let mut row = message("acme", "ada", "");
    row.queued.tenant = tenant("globex");
    let (rows, sender) = deliver(vec![row], &[], 5).await;
    assert_eq!(outcome(&rows[0]), Some("failed"));
    assert!(sender.sent.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dead_server_of_a_tenant_delays_nobody() {
    let own = ["dead1", "dead2", "alive"];
    let mut rows = Vec::new();
    for number in 0..50 {
        rows.extend(own[..2].iter().map(|of| message(of, "dead", "")));
        rows.push(message("alive", &format!("a{number}"), ""));
        rows.push(message("shared", &format!("s{number}"), ""));
    }
    let (rows, sender) = deliver(rows, &own, 60).await;
    for row in rows.iter().filter(|row| !row.queued.tenant.as_str().starts_with("dead")) {
        let at = row.ended.as_ref().map(|(_, _, at)| at.seconds());
        assert!(at.is_some_and(|at| at <= 25), "{} {at:?}", row.queued.tenant);
    }
    let sent = sender.sent.lock().unwrap();
    let to_dead = sent.iter().filter(|(tenant, _, _)| tenant == "dead1").count();
    assert!((2..=4).contains(&to_dead), "the server is paused: {to_dead} attempts");
}

#[tokio::test(start_paused = true)]
async fn platform_server_is_paused_and_tenants_take_turns() {
    let busy = (0..200).map(|number| message("busy", &format!("b{number}"), ""));
    let rows = busy.chain([message("quiet", "ada", "")]).collect();
    let (rows, sender) = deliver(rows, &[], 10).await;
    assert!(outcome(rows.last().unwrap()).is_some());
    assert!(sender.most_at_once.lock().unwrap().1 <= 3, "two of the busy tenant, one of the other");

    let rows = (0..40).map(|number| message(&format!("t{number}"), "dead", "")).collect();
    let (_, sender) = deliver(rows, &[], 300).await;
    let sent = sender.sent.lock().unwrap();
    assert!((16..24).contains(&sent.len()), "{}", sent.len());
    assert_eq!(QueuedMail::TRIED_FOR, Lifetime::from_seconds(21_600));
}
