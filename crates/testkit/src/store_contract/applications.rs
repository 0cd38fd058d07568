//! Applications of the Thunder-compatible API.

use administration::documents::application::{Application, ApplicationId};
use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::CommitOutcome;
use serde_json::json;
use tenancy::Tenant;
use values::Timestamp;

use super::{Stores, add, commit, commit_now};
use crate::fixtures::{self, NOW};
use crate::requests;

/// The order is that of creation, even within one second. A changed application keeps its position.
pub async fn applications_are_listed_in_creation_order(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    add(&stores, &acme, &[&svc]).await;
    let mut all: Vec<_> = (0..7).map(|nth| application(&acme, &format!("app {nth}"))).collect();
    all[0].client = Some(svc.id.clone());
    all[0].document = json!({ "name": "app 0", "nested": { "b": [1, null, "ü"], "a": true } });
    for pair in all.chunks(2) {
        let changes = pair.iter().map(|new| row(ChangeKind::Added, new)).collect();
        commit(&stores, &requests::declared(changes)).await;
    }
    assert_eq!(stores.list_applications(&acme.id, 0, 100).await.unwrap(), (7, all.clone()));
    assert_eq!(stores.list_applications(&acme.id, 2, 3).await.unwrap(), (7, all[2..5].to_vec()));
    assert_eq!(stores.list_applications(&acme.id, 9, 3).await.unwrap(), (7, Vec::new()));

    all[1].name = "renamed".to_owned();
    all[1].document = json!({ "name": "renamed" });
    let later = Application { created_at: Timestamp::from_seconds(NOW.seconds() + 9), ..all[1].clone() };
    commit(&stores, &requests::declared(vec![row(ChangeKind::Changed, &later)])).await;
    assert_eq!(stores.find_application(&acme.id, &all[1].id).await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(stores.find_application_named(&acme.id, "renamed").await.unwrap(), Some(all[1].id));
    assert_eq!(stores.find_application_named(&acme.id, "app 1").await.unwrap(), None);
    let gone = all.remove(6);
    commit(&stores, &requests::declared(vec![row(ChangeKind::Deleted, &gone)])).await;
    assert_eq!(stores.find_application(&acme.id, &gone.id).await.unwrap(), None);
    // The name of a deleted application is available immediately.
    all.push(application(&acme, "app 6"));
    commit(&stores, &requests::declared(vec![row(ChangeKind::Added, &all[6])])).await;
    assert_eq!(stores.list_applications(&acme.id, 0, 100).await.unwrap(), (7, all.clone()));

    for (kind, wrong) in [
        (ChangeKind::Added, application(&acme, "app 0")),
        (ChangeKind::Added, all[0].clone()),
        (ChangeKind::Changed, Application { name: "app 0".to_owned(), ..all[1].clone() }),
        (ChangeKind::Changed, application(&acme, "new")),
        (ChangeKind::Deleted, application(&acme, "new")),
    ] {
        let outcome = commit_now(&stores, &requests::declared(vec![row(kind, &wrong)])).await;
        assert_eq!(outcome, CommitOutcome::StaleRevision, "{kind:?} {wrong:?}");
    }
    assert_eq!(stores.list_applications(&acme.id, 0, 100).await.unwrap(), (7, all));
}

/// Two tenants may each have an application with the same name, and even with the same identifier.
pub async fn applications_belong_to_their_tenant(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    let ours = application(&acme, "shop");
    let theirs = Application { tenant: globex.id.clone(), document: json!({ "theirs": 1 }), ..ours.clone() };
    for (tenant, application) in [(&acme, &ours), (&globex, &theirs)] {
        add(&stores, tenant, &[]).await;
        commit(&stores, &requests::declared(vec![row(ChangeKind::Added, application)])).await;
    }
    for (tenant, expected) in [(&acme, &ours), (&globex, &theirs)] {
        assert_eq!(stores.find_application(&tenant.id, &ours.id).await.unwrap().as_ref(), Some(expected));
        assert_eq!(stores.find_application_named(&tenant.id, "shop").await.unwrap(), Some(ours.id));
        assert_eq!(stores.list_applications(&tenant.id, 0, 9).await.unwrap(), (1, vec![expected.clone()]));
    }
    commit(&stores, &requests::declared(vec![row(ChangeKind::Deleted, &ours)])).await;
    assert_eq!(stores.find_application(&acme.id, &ours.id).await.unwrap(), None);
    assert_eq!(stores.find_application(&globex.id, &ours.id).await.unwrap(), Some(theirs));
}

pub(super) fn application(tenant: &Tenant, name: &str) -> Application {
    Application {
        tenant: tenant.id.clone(),
        id: ApplicationId::random(),
        name: name.to_owned(),
        client: None,
        document: json!({ "name": name }),
        created_at: NOW,
    }
}

fn row(kind: ChangeKind, application: &Application) -> Change {
    Change::Application(requests::row(kind, Some(application), application))
}
