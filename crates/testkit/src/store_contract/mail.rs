//! Mail to people: limits, attempts, turns, and what is stored of a message.

use accounts::Account;
use administration::audit::AuditRecord;
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::mail::{MailLane, MailOutcome, MailRecord, QueuedMail};
use administration::store::CommitOutcome;
use administration::store::query::AuditQuery;
use tenancy::TenantId;
use values::{LetterKind, Lifetime, Timestamp};

use super::audit::record;
use super::people::{at, person};
use super::{Stores, apply, planned_commit};
use crate::requests::CommitRequest;
use crate::{at_once, fixtures, requests};

/// A message to the account of [`requests::account`] with the number 1.
#[must_use]
pub fn message(tenant: &TenantId, number: u32, letter: LetterKind, created_at: Timestamp) -> QueuedMail {
    let expires_at = created_at + QueuedMail::KEPT;
    QueuedMail {
        tenant: tenant.clone(),
        slot: QueuedMail::RING.slot(expires_at),
        id: format!("{number:032x}"),
        account: requests::account(tenant, 1, &[]).id,
        letter,
        sealed: format!("sealed for {tenant}").into_bytes(),
        attempts: 0,
        created_at,
        deliver_by: created_at + QueuedMail::TRIED_FOR,
        expires_at,
    }
}

async fn queue(stores: &Stores, mail: &QueuedMail, most: u32, since: Timestamp) -> bool {
    let audit = queued_record(&mail.tenant);
    stores.queue_mail(mail, &audit, most, since).await.unwrap()
}

fn queued_record(tenant: &TenantId) -> AuditRecord {
    record(tenant.as_str(), "service:mail", "mail.queued", "ada", 0)
}

async fn due(stores: &Stores, now: Timestamp) -> Vec<QueuedMail> {
    stores.due_mail(now, (100, 100), &MailLane::Except(Vec::new()), None).await.unwrap()
}

async fn listed(stores: &Stores, account: &Account) -> Vec<MailRecord> {
    stores.list_mail(&account.tenant, &account.id, 100).await.unwrap()
}

async fn audited(stores: &Stores, tenant: &TenantId, action: &str) -> usize {
    let (tenant, action) = (Some(tenant.clone()), Some(action.to_owned()));
    let query = AuditQuery { tenant, action, limit: 1_000, ..AuditQuery::default() };
    stores.list_audit(&query).await.unwrap().len()
}

/// Of concurrent requests, even at two replicas, only as many add a message as the limit allows. Other kinds
/// of letters and other tenants have their own limit.
pub async fn messages_of_an_account_are_limited_by_kind(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let requests = (0..20).map(|number| {
        let (stores, mail) = (stores.clone(), message(&ada.tenant, number, LetterKind::Recovery, at(100)));
        async move { queue(&stores, &mail, 3, at(40)).await }
    });
    assert_eq!(at_once(requests).await.into_iter().filter(|is_queued| *is_queued).count(), 3);
    assert_eq!(audited(&stores, &ada.tenant, "mail.queued").await, 3);
    let recovery = |number, now| message(&ada.tenant, number, LetterKind::Recovery, now);
    assert!(!queue(&stores, &recovery(30, at(160)), 3, at(99)).await);
    assert!(queue(&stores, &recovery(30, at(160)), 3, at(100)).await, "the earlier messages are older");
    let verification = message(&ada.tenant, 31, LetterKind::Verification, at(160));
    assert!(queue(&stores, &verification, 1, at(99)).await);
    let of_other = message(&other.tenant, 30, LetterKind::Recovery, at(160));
    assert!(queue(&stores, &of_other, 1, at(99)).await);
    let bob = requests::account(&ada.tenant, 2, &[]).id;
    assert!(queue(&stores, &QueuedMail { account: bob, ..recovery(32, at(160)) }, 1, at(99)).await);

    let records = listed(&stores, &ada).await;
    assert_eq!(records.len(), 5);
    assert!(records.is_sorted_by(|one, next| one.created_at >= next.created_at), "{records:?}");
    assert_eq!(stores.list_mail(&ada.tenant, &ada.id, 2).await.unwrap(), records[..2]);
    assert_eq!(listed(&stores, &other).await.len(), 1);

    let acme = fixtures::tenant("acme");
    apply(&stores, requests::tenant(ChangeKind::Deleted, &acme, &acme)).await;
    assert_eq!(listed(&stores, &ada).await, []);
    assert!(!queue(&stores, &recovery(40, at(200)), 3, at(199)).await, "the tenant is deleted");
    assert_eq!(listed(&stores, &other).await.len(), 1);
}

/// One replica makes each attempt. A message whose last attempt was lost is found again when it is too late
/// to send it.
pub async fn each_message_attempt_is_claimed_once(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let mail = message(&ada.tenant, 1, LetterKind::Recovery, at(0));
    assert!(queue(&stores, &mail, 1, at(0)).await);
    let mut now = at(0);
    for attempt in 0..QueuedMail::MOST_ATTEMPTS {
        let [queued] = due(&stores, now).await.try_into().unwrap();
        assert_eq!(queued.attempts, attempt);
        assert_eq!(queued, QueuedMail { attempts: attempt, ..mail.clone() });
        let next = now + queued.wait();
        let claims = (0..20).map(|_| {
            let (stores, queued) = (stores.clone(), queued.clone());
            async move { stores.claim_mail(&queued, next).await.unwrap() }
        });
        assert_eq!(at_once(claims).await.into_iter().filter(|is_claimed| *is_claimed).count(), 1);
        assert_eq!(due(&stores, now).await, []);
        now = next;
    }
    let last_moment = mail.deliver_by.saturating_sub(Lifetime::from_seconds(1));
    assert_eq!(due(&stores, last_moment).await, [], "no attempt is left");
    let late = due(&stores, now.max(mail.deliver_by)).await;
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].attempts, QueuedMail::MOST_ATTEMPTS);
}

/// The answers of earlier attempts are replaced. An ended message does not change any more.
pub async fn message_ends_once_with_an_audit_record(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let mail = message(&ada.tenant, 1, LetterKind::Invitation, at(0));
    assert!(queue(&stores, &mail, 1, at(0)).await);
    let [queued] = due(&stores, at(0)).await.try_into().unwrap();
    assert!(stores.claim_mail(&queued, at(120)).await.unwrap());
    stores.note_mail(&queued, "451 try\0 again", None, at(1)).await.unwrap();
    let waiting = MailRecord {
        letter: LetterKind::Invitation,
        created_at: at(0),
        attempts: 1,
        next_attempt_at: Some(at(120)),
        ended_at: None,
        outcome: None,
        answer: "451 try again".to_owned(),
    };
    assert_eq!(listed(&stores, &ada).await, std::slice::from_ref(&waiting));

    let ends = [("250 ok", MailOutcome::Delivered), ("550 unknown", MailOutcome::Refused)];
    for (answer, outcome) in ends {
        let ended = record("acme", "service:mail", "mail.ended", "ada", 130);
        stores.note_mail(&queued, answer, Some((outcome, ended)), at(130)).await.unwrap();
    }
    stores.note_mail(&queued, "late", None, at(131)).await.unwrap();
    let claimed = QueuedMail { attempts: 1, ..queued };
    assert!(!stores.claim_mail(&claimed, at(140)).await.unwrap());
    let ended = MailRecord {
        next_attempt_at: None,
        ended_at: Some(at(130)),
        outcome: Some(MailOutcome::Delivered),
        answer: "250 ok".to_owned(),
        ..waiting
    };
    assert_eq!(listed(&stores, &ada).await, [ended]);
    assert_eq!(audited(&stores, &ada.tenant, "mail.ended").await, 1);
    assert_eq!(due(&stores, mail.deliver_by).await, []);
    let again = QueuedMail { id: "2".to_owned(), created_at: at(200), ..mail };
    assert!(queue(&stores, &again, 1, at(0)).await);
    let another = QueuedMail { id: "3".to_owned(), ..again };
    assert!(!queue(&stores, &another, 1, at(0)).await);
}

/// Even if very many messages of a tenant have waited for long, the next message of another tenant is among
/// the first. Each lane has its own tenants.
pub async fn due_messages_alternate_between_tenants_of_a_lane(stores: Stores) {
    let mut tenants = Vec::new();
    for (tenant, messages) in [("acme", 1), ("globex", 40), ("initech", 1)] {
        let tenant = person(&stores, tenant).await.tenant;
        for number in 0..messages {
            let mail = message(&tenant, number, LetterKind::Verification, at(100 - u64::from(number)));
            assert!(queue(&stores, &mail, messages, at(0)).await);
        }
        tenants.push(tenant);
    }
    let due = async |most: (u32, u32), lane: &MailLane, after: Option<&TenantId>| {
        let due = stores.due_mail(at(100), most, lane, after).await.unwrap();
        due.into_iter().map(|queued| queued.tenant.to_string()).collect::<Vec<_>>()
    };
    let all = MailLane::Except(Vec::new());
    let few = ["acme", "globex", "globex", "globex", "initech"];
    assert_eq!(due((100, 3), &all, None).await, few, "at most three of a tenant");
    assert_eq!(due((3, 100), &all, None).await, ["acme", "globex", "initech"]);
    for (after, first) in [(0, "globex"), (1, "initech"), (2, "acme")] {
        assert_eq!(due((1, 100), &all, Some(&tenants[after])).await, [first]);
    }
    let own = vec![tenants[0].clone(), tenants[2].clone()];
    assert_eq!(due((100, 100), &MailLane::Only(own.clone()), None).await, ["acme", "initech"]);
    assert_eq!(due((100, 2), &MailLane::Except(own), None).await, ["globex", "globex"]);
    assert_eq!(due((100, 2), &MailLane::Only(Vec::new()), None).await, [""; 0]);

    // The longest overdue message is the first.
    let lane = MailLane::Only(vec![tenants[1].clone()]);
    let [first] = stores.due_mail(at(100), (1, 1), &lane, None).await.unwrap().try_into().unwrap();
    assert_eq!(first.id, message(&tenants[1], 39, LetterKind::Verification, at(0)).id);
    assert_eq!(stores.due_mail(at(60), (9, 9), &lane, None).await.unwrap(), []);
}

/// A commit queues messages together with its rows, or neither. A deleted account keeps no messages.
pub async fn committed_messages_are_deleted_with_their_account(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    for person in [&ada, &other] {
        let mail = message(&person.tenant, 1, LetterKind::PasswordChanged, at(5));
        let sign_out = Change::Sessions(person.tenant.clone(), person.id.clone(), None);
        let mut request = super::accounts::request(&stores, at(5), vec![sign_out]).await;
        request.edit.mail = vec![mail.clone(), message(&person.tenant, 2, LetterKind::AddressChanged, at(5))];
        let mut stale = request.clone();
        stale.expected_revisions[0].1 += 1;
        planned_commit(&stores, &stale).await;
        assert_eq!(listed(&stores, person).await, []);
        planned_commit(&stores, &request).await;
        assert_eq!(listed(&stores, person).await.len(), 2);
    }
    assert_eq!(due(&stores, at(5)).await.len(), 4);
    let deleted = Change::Account(requests::row(ChangeKind::Deleted, Some(&ada), &ada));
    let request = super::accounts::request(&stores, at(6), vec![deleted]).await;
    let outcome = planned_commit(&stores, &CommitRequest { managed_by: ManagedBy::Config, ..request }).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }));
    assert_eq!(listed(&stores, &ada).await, []);
    assert_eq!(listed(&stores, &other).await.len(), 2);

    // Messages to a tenant that the commit does not change are refused.
    let sign_out = Change::Sessions(other.tenant.clone(), other.id.clone(), None);
    let mut request = super::accounts::request(&stores, at(7), vec![sign_out]).await;
    request.edit.mail = vec![message(&ada.tenant, 3, LetterKind::PasswordChanged, at(7))];
    assert!(request.decide().is_none());
}

pub async fn expired_messages_are_deleted(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let mail = message(&ada.tenant, 1, LetterKind::Recovery, at(0));
    assert!(queue(&stores, &mail, 1, at(0)).await);
    stores.delete_expired_sign_ins(at(QueuedMail::KEPT.seconds() - 120)).await.unwrap();
    assert_eq!(listed(&stores, &ada).await.len(), 1);
    // In PostgreSQL a partition is emptied after its last row has expired.
    stores.delete_expired_sign_ins(at(QueuedMail::KEPT.seconds() + 22 * 86_400)).await.unwrap();
    assert_eq!(listed(&stores, &ada).await, []);
}
