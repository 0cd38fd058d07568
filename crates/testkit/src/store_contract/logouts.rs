//! Logout notices of sessions that have ended.

use std::collections::BTreeSet;

use accounts::{Account, AccountStatus};
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::CommitOutcome;
use grants::{LogoutAddress, LogoutTurn, OneTime, QueuedLogout};
use tenancy::{SessionPolicy, TenantId};
use values::{Lifetime, Timestamp};

use super::people::{at, person};
use super::sign_ins::{begin, numbered, sessions, write_code};
use super::{Stores, planned_commit};
use crate::{at_once, requests};

async fn due(stores: &Stores, now: Timestamp) -> Vec<QueuedLogout> {
    let mut due = stores.due_logouts(now, 100, &LogoutTurn::default()).await.unwrap();
    due.sort_by(|one, other| (&one.tenant, &one.client).cmp(&(&other.tenant, &other.client)));
    due
}

fn named(due: &[QueuedLogout]) -> Vec<(&TenantId, &str)> {
    due.iter().map(|queued| (&queued.tenant, queued.client.as_str())).collect()
}

// [back-channel §2.5]: Each client of the session that registered a URI is told, by a form with
//   `logout_token`
// [V7 7.6.1]
/// Each client gets one notice, however the session ends. A session of another tenant, or a session that has
/// already ended, causes none.
pub async fn ended_session_queues_one_notice_per_client(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let of = sessions(&stores);
    let mut begun = Vec::new();
    for person in [&ada, &other] {
        let (write, token) = begin(&stores, person, None, at(0));
        for (client, digest) in [("web", 1), ("web", 2), ("shop", 3)] {
            let code = OneTime { client: client.parse().unwrap(), ..numbered(digest, &write) };
            let session = (digest == 1).then_some(&write);
            write_code(&stores, &code, session, None).await;
        }
        begun.push(of.find(&person.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap().unwrap());
    }
    assert_eq!(due(&stores, at(10)).await, []);
    of.end(&ada.tenant, &begun[0], at(10)).await.unwrap();
    let queued = due(&stores, at(10)).await;
    assert_eq!(named(&queued), [(&ada.tenant, "shop"), (&ada.tenant, "web")]);
    let session = begun[0].session();
    assert!(queued.iter().all(|queued| queued.session == session.id && queued.account == session.account));
    for queued in &queued {
        stores.delete_logout(queued).await.unwrap();
    }
    of.end(&ada.tenant, &begun[0], at(11)).await.unwrap();
    assert_eq!(due(&stores, at(11)).await, [], "it has ended before");

    // The same person continues the session.
    let (again, _) = begin(&stores, &other, Some(&begun[1]), at(700_000));
    of.write(&again).await.unwrap();
    assert_eq!(due(&stores, at(700_000)).await, []);
    of.end(&other.tenant, &again.signed_in(), at(700_001)).await.unwrap();
    assert_eq!(named(&due(&stores, at(700_001)).await), [(&other.tenant, "shop"), (&other.tenant, "web")]);
}

// [back-channel §2.5], [V7 7.6.1]
/// Tests one session, and every method that ends all sessions of an account. Each session causes one notice.
pub async fn administrator_sign_out_queues_notices(stores: Stores) {
    let (ada, other) = (person(&stores, "acme").await, person(&stores, "globex").await);
    let of = sessions(&stores);
    let mut begun = Vec::new();
    for number in 0..3 {
        for person in [&ada, &other] {
            let (write, token) = begin(&stores, person, None, at(0));
            let code = numbered(number, &write);
            write_code(&stores, &code, Some(&write), None).await;
            let found = of.find(&person.tenant, SessionPolicy::default(), &token, at(1)).await;
            begun.push(found.unwrap().unwrap().session().id.clone());
        }
    }
    let told = async |now| {
        let due = due(&stores, now).await;
        for queued in &due {
            stores.delete_logout(queued).await.unwrap();
        }
        due.into_iter().map(|queued| (queued.tenant, queued.session)).collect::<BTreeSet<_>>()
    };
    let of_ada = |sessions: &[usize]| {
        sessions.iter().map(|at| (ada.tenant.clone(), begun[*at].clone())).collect::<BTreeSet<_>>()
    };
    let end = async |session: Option<usize>, now| {
        let session = session.map(|at| begun[at].clone());
        let change = Change::Sessions(ada.tenant.clone(), ada.id.clone(), session);
        super::accounts::change(&stores, now, vec![change]).await;
    };
    end(Some(0), at(5)).await;
    assert_eq!(told(at(5)).await, of_ada(&[0]));
    end(Some(1), at(6)).await;
    assert_eq!(told(at(6)).await, of_ada(&[]), "a session of another tenant");
    end(None, at(7)).await;
    assert_eq!(told(at(7)).await, of_ada(&[2, 4]));
    end(None, at(8)).await;
    assert_eq!(told(at(8)).await, of_ada(&[]), "they have ended before");
    let suspended = Account { status: AccountStatus::Suspended, ..other.clone() };
    let change = Change::Account(requests::row(ChangeKind::Suspended, Some(&other), &suspended));
    super::accounts::change(&stores, at(9), vec![change]).await;
    let all = [1, 3, 5].map(|at| (other.tenant.clone(), begun[at].clone()));
    assert_eq!(told(at(9)).await, BTreeSet::from(all));
}

// [back-channel §2.8]: Another status than one of success is a failure; here it is tried again, three times
//   in all
/// One replica makes each attempt. After three failed attempts the notice is given up.
pub async fn each_notice_attempt_is_claimed_once(stores: Stores) {
    let ada = person(&stores, "acme").await;
    let of = sessions(&stores);
    let (write, token) = begin(&stores, &ada, None, at(0));
    write_code(&stores, &numbered(0, &write), Some(&write), None).await;
    let signed_in = of.find(&ada.tenant, SessionPolicy::default(), &token, at(1)).await.unwrap().unwrap();
    of.end(&ada.tenant, &signed_in, at(1)).await.unwrap();
    let mut now = at(1);
    for attempt in 0..QueuedLogout::MOST_ATTEMPTS {
        let [queued] = due(&stores, now).await.try_into().unwrap();
        assert_eq!(queued.attempts, attempt);
        let next = now + Lifetime::from_seconds(30);
        let claims = (0..20).map(|_| {
            let (stores, queued) = (stores.clone(), queued.clone());
            async move { stores.claim_logout(&queued, next).await.unwrap() }
        });
        assert_eq!(at_once(claims).await.into_iter().filter(|is_claimed| *is_claimed).count(), 1);
        assert_eq!(due(&stores, now).await, []);
        if attempt == 1 {
            // A replica that cannot make its attempt returns the notice, and the attempt does not count.
            for _ in 0..2 {
                stores.return_logout(&queued, now).await.unwrap();
            }
            assert_eq!(due(&stores, now).await, std::slice::from_ref(&queued));
            assert!(stores.claim_logout(&queued, next).await.unwrap());
        }
        now = next;
    }
    assert_eq!(due(&stores, now).await, [], "it is given up");
}

// [shared 2.3]
/// Even if very many notices of a tenant have waited for long, the next notice of another tenant is among the
/// first.
pub async fn due_notices_alternate_between_tenants(stores: Stores) {
    for (tenant, times) in [("globex", 40), ("acme", 1)] {
        let request = super::sign_ins::sign_out_everywhere(&stores, tenant, times).await;
        let outcome = planned_commit(&stores, &request).await;
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
    }
    let due = async |most, turn: &LogoutTurn| {
        let due = stores.due_logouts(at(2_000), most, turn).await.unwrap();
        due.into_iter().map(|queued| queued.tenant.as_str().to_owned()).collect::<Vec<_>>()
    };
    let count = |due: &[String], of: &str| due.iter().filter(|tenant| *tenant == of).count();
    let most_at_once = QueuedLogout::MOST_AT_ONCE as usize;
    let all = due(100, &LogoutTurn::default()).await;
    assert_eq!((count(&all, "acme"), count(&all, "globex")), (1, most_at_once), "{all:?}");
    // With two places each tenant gets one. With one place, the tenant whose turn it is gets it.
    assert_eq!(count(&due(2, &LogoutTurn::default()).await, "acme"), 1);
    for (after, first) in [(None, "acme"), (Some("acme"), "globex"), (Some("globex"), "acme")] {
        let after = after.map(|tenant| TenantId::parse(tenant).unwrap());
        assert_eq!(due(1, &LogoutTurn { after, except: Vec::new() }).await, [first]);
    }
    // A paused client of a tenant is skipped.
    let client = "web".parse().unwrap();
    let paused = LogoutAddress { tenant: TenantId::parse("globex").unwrap(), client };
    let turn = LogoutTurn { except: vec![paused.clone()], after: None };
    assert_eq!(due(100, &turn).await, ["acme"]);
    // The notices of the client have not expired and have attempts left, so they stay.
    stores.delete_ended_logouts(&paused, at(2_000)).await.unwrap();
    assert_eq!(due(100, &LogoutTurn::default()).await.len(), 1 + most_at_once);
}
