//! Lists of tenants and clients, page by page.

use administration::kinds::TenantState;
use administration::kinds::change::ChangeKind;
use administration::store::query::{
    AuditQuery, ClientQuery, RelatedClients, TenantCursor, TenantQuery, search_terms,
};
use administration::store::readable;
use registry::Client;
use tenancy::{Tenant, TenantId};

use super::{Stores, add, apply, commit};
use crate::fixtures;
use crate::requests::{self, CommitRequest};

/// Loads the given client, and one client for each listed name. All other parts of the tenant are complete.
pub async fn only_related_clients_are_loaded(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    for tenant in [&acme, &globex] {
        let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(tenant, "svc") };
        let listing = |id: &str, audiences: &[&str], resources: &[&str]| Client {
            audiences: audiences.iter().map(ToString::to_string).collect(),
            resources: resources.iter().map(ToString::to_string).collect(),
            ..fixtures::client(tenant, id)
        };
        let other = listing("other", &["x", "y", "x"], &["x"]);
        let resource = listing("resource", &[], &["y", "z"]);
        add(&stores, tenant, &[&svc, &other, &resource]).await;
    }
    let whole = stores.load_state(&acme.id).await.unwrap().unwrap();
    assert_eq!(ids(&whole), ["other", "resource", "svc"]);
    let related = async |ids: &[&str], listed: &[&str]| {
        stores.load_with_related_clients(&acme.id, RelatedClients { ids, listed }).await.unwrap().unwrap()
    };
    type Names<'a> = &'a [&'a str];
    let cases: [(Names<'_>, Names<'_>, Names<'_>); 8] = [
        (&[], &[], &[]),
        (&["svc"], &["svc"], &["svc"]),
        (&["y", "z"], &[], &[]),
        (&[], &["y"], &["other"]),
        (&[], &["z", "x"], &["other", "resource"]),
        (&["x", "svc", "nobody"], &["x"], &["other", "svc"]),
        (&["X", "%"], &["X", "%"], &[]),
        (&["resource", "resource"], &["z", "z"], &["resource"]),
    ];
    for (named, listed, expected) in cases {
        let found = related(named, listed).await;
        assert_eq!(ids(&found), expected, "{named:?} {listed:?}");
        for client in &found.clients {
            assert!(whole.clients.contains(client), "{client:?}");
        }
        assert_eq!(TenantState { clients: whole.clients.clone(), ..found }, whole);
    }
    // A name that the client no longer lists has no effect.
    let before = &whole.clients[0].client;
    let after = Client { audiences: vec!["new".to_owned()], resources: Vec::new(), ..before.clone() };
    apply(&stores, requests::client(ChangeKind::Changed, before, &after)).await;
    assert_eq!(ids(&related(&[], &["y", "x"]).await), ["resource"]);
    assert_eq!(ids(&related(&[], &["new"]).await), ["other"]);
    let svc = RelatedClients { ids: &["svc"], listed: &["new"] };
    assert_eq!(stores.load_with_related_clients(&fixtures::tenant_id("nobody"), svc).await.unwrap(), None);
    // A deleted client keeps its id and releases its names.
    apply(&stores, requests::client(ChangeKind::Deleted, &after, &after)).await;
    assert_eq!(ids(&related(&["other"], &[]).await), ["other"]);
    assert!(related(&[], &["new"]).await.clients.is_empty());
}

// [found 15]
/// The reads for one client are the same with ten and with two thousand other clients of its audience.
pub async fn related_clients_stay_few_for_a_large_audience(stores: Stores) {
    for (id, count) in [("few", 10), ("many", 2000)] {
        let tenant = fixtures::tenant(id);
        let clients: Vec<_> =
            (0..count).map(|nth| fixtures::client(&tenant, &format!("svc-{nth:04}"))).collect();
        assert!(clients.iter().all(|client| client.audiences.iter().any(|name| name == fixtures::AUDIENCE)));
        add(&stores, &tenant, &clients.iter().collect::<Vec<_>>()).await;
        let related = async |related| {
            let found = stores.load_with_related_clients(&tenant.id, related).await.unwrap().unwrap();
            ids(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let made = RelatedClients { ids: &[fixtures::AUDIENCE, "new"], listed: &["new"] };
        assert!(related(made).await.is_empty(), "{id}");
        let changed = RelatedClients { ids: &[fixtures::AUDIENCE, "svc-0007"], listed: &["svc-0007"] };
        assert_eq!(related(changed).await, ["svc-0007"], "{id}");
        let clashing = RelatedClients { ids: &[fixtures::AUDIENCE], listed: &[fixtures::AUDIENCE] };
        assert_eq!(related(clashing).await, ["svc-0000"], "{id}");
    }
}

/// No name contains a NUL, and some stores cannot search for one. The search must still not be an error.
pub async fn text_with_nul_is_never_found(stores: Stores) {
    let acme = fixtures::tenant("acme");
    let svc = Client { audiences: vec!["api".to_owned()], ..fixtures::client(&acme, "svc") };
    add(&stores, &acme, &[&svc]).await;
    for text in ["\0", "svc\0", "s\0vc", "\0api", "api\0", "acme\0", "test\0"] {
        let related = RelatedClients { ids: &[text], listed: &[text] };
        let related = stores.load_with_related_clients(&acme.id, related).await.unwrap().unwrap();
        assert!(related.clients.is_empty(), "{text:?}");
        let related = RelatedClients { ids: &[text], listed: &["api", text] };
        let related = stores.load_with_related_clients(&acme.id, related).await.unwrap().unwrap();
        assert_eq!(ids(&related), ["svc"], "{text:?}");
        let requested = || Some(text.to_owned());
        let clients = ClientQuery { search: requested(), after: None, limit: 9 };
        assert_eq!(stores.list_clients(&acme.id, &clients).await.unwrap(), [], "{text:?}");
        let tenants = TenantQuery { terms: vec![text.to_owned()], after: None, limit: 9 };
        assert_eq!(stores.list_tenants(&tenants).await.unwrap(), [], "{text:?}");
        let tenants = TenantQuery { terms: vec!["acme".to_owned(), text.to_owned()], ..tenants };
        assert_eq!(stores.list_tenants(&tenants).await.unwrap(), [], "{text:?}");
        assert_eq!(stores.find_application_named(&acme.id, text).await.unwrap(), None, "{text:?}");
        for tenant in [None, Some(acme.id.clone())] {
            let all = AuditQuery { tenant, limit: 9, ..AuditQuery::default() };
            for query in [
                AuditQuery { actor: requested(), ..all.clone() },
                AuditQuery { action: requested(), ..all.clone() },
                AuditQuery { subject: requested(), ..all.clone() },
            ] {
                assert_eq!(stores.list_audit(&query).await.unwrap(), [], "{query:?}");
            }
        }
    }
}

/// The tenants are in the order of their ids, each once, without their clients.
pub async fn tenants_are_listed_page_by_page(stores: Stores) {
    let mut expected = add_many(&stores, 260).await;
    expected.sort();
    let listed = pages(&stores, &TenantQuery { limit: 50, ..TenantQuery::default() }).await;
    assert_eq!(listed.iter().map(|(at, _)| at.tenant.clone()).collect::<Vec<_>>(), expected);
    for (at, state) in listed.iter().step_by(97) {
        assert_eq!(at.word, "");
        let whole = stores.load_state(&at.tenant).await.unwrap().unwrap();
        assert_eq!(*state, TenantState { clients: Vec::new(), ..whole });
    }
}

/// Each search term matches the beginning of a word, in any order.
pub async fn tenants_are_found_by_terms_of_id_and_name(stores: Stores) {
    let named = |id: &str, name: &str| Tenant { name: name.to_owned(), ..fixtures::tenant(id) };
    let all = [
        named("acme-prod", "ACME Production"),
        named("acme-test", "Acme (Test)"),
        named("globex", "Globex, a Straße in Ürümqi"),
        named("zz", "Production of zz"),
    ];
    for tenant in &all {
        add(&stores, tenant, &[]).await;
    }
    let found = async |terms: &str| {
        let query = TenantQuery { terms: search_terms(terms), limit: 10, after: None };
        let listed = stores.list_tenants(&query).await.unwrap();
        listed.into_iter().map(|(at, _)| (at.word, at.tenant.to_string())).collect::<Vec<_>>()
    };
    let cases: [(&str, &[(&str, &str)]); 11] = [
        ("acme", &[("acme", "acme-prod"), ("acme", "acme-test")]),
        ("PROD", &[("prod", "acme-prod"), ("production", "zz")]),
        ("produ", &[("production", "acme-prod"), ("production", "zz")]),
        ("p acme", &[("acme", "acme-prod")]),
        ("test acme", &[("test", "acme-test")]),
        ("ürüm", &[("ürümqi", "globex")]),
        ("STRASSE", &[]),
        ("straß", &[("straße", "globex")]),
        ("cme", &[]),
        ("acme globex", &[]),
        ("%", &[("", "acme-prod"), ("", "acme-test"), ("", "globex"), ("", "zz")]),
    ];
    for (terms, expected) in cases {
        let expected: Vec<_> =
            expected.iter().map(|(word, id)| ((*word).to_owned(), (*id).to_owned())).collect();
        assert_eq!(found(terms).await, expected, "{terms}");
    }
    let renamed = Tenant { name: "Initech".to_owned(), ..all[3].clone() };
    apply(&stores, requests::tenant(ChangeKind::Changed, &all[3], &renamed)).await;
    assert_eq!(found("produ").await, [("production".to_owned(), "acme-prod".to_owned())]);
    assert_eq!(found("init zz").await, [("initech".to_owned(), "zz".to_owned())]);
}

/// Each match is listed once, whether its words are common or rare.
pub async fn search_continues_page_by_page(stores: Stores) {
    let all = add_many(&stores, 260).await;
    for (terms, matches) in [
        ("t", 260),
        ("tenant", 260),
        ("number", 260),
        ("1", 260 - 10 - 148),
        ("tenant 25", 11),
        ("tenant 7 number", 11),
        ("even tenant", 130),
        ("odd even", 0),
    ] {
        let query = TenantQuery { terms: search_terms(terms), limit: 7, after: None };
        let listed = pages(&stores, &query).await;
        assert!(listed.is_sorted_by(|(left, _), (right, _)| place(left) < place(right)), "{terms}");
        let mut found: Vec<_> = listed.into_iter().map(|(at, _)| at.tenant).collect();
        found.sort();
        found.dedup();
        let mut expected: Vec<_> = all.iter().filter(|id| matches_all(id, &query.terms)).cloned().collect();
        expected.sort();
        assert_eq!(found, expected, "{terms}");
        if terms != "1" {
            assert_eq!(found.len(), matches, "{terms}");
        }
    }
}

/// The clients are in the order of their ids, and only those of the tenant.
pub async fn clients_are_listed_page_by_page(stores: Stores) {
    let [acme, globex] = ["acme", "globex"].map(fixtures::tenant);
    for tenant in [&acme, &globex] {
        let named = |nth: u32| Client {
            name: format!("{} Service {}", tenant.id, ["even", "ODD"][nth as usize % 2]),
            secrets: vec![fixtures::secret("s1")],
            ..fixtures::client(tenant, &format!("svc-{nth:03}"))
        };
        let clients: Vec<_> = (0..30).map(named).collect();
        add(&stores, tenant, &clients.iter().collect::<Vec<_>>()).await;
    }
    let gone = fixtures::client(&acme, "svc-007");
    apply(&stores, requests::client(ChangeKind::Deleted, &gone, &gone)).await;
    let whole = stores.load_state(&acme.id).await.unwrap().unwrap();
    let live: Vec<_> = whole.clients.iter().filter(|row| row.client.id != gone.id).cloned().collect();
    let cases = [(None, 29), (Some("odd"), 14), (Some("SVC-01"), 10), (Some("globex"), 0), (Some("%"), 0)];
    for (search, expected) in cases {
        let mut query = ClientQuery { search: search.map(str::to_owned), after: None, limit: 4 };
        let mut listed = Vec::new();
        loop {
            let page = readable(stores.list_clients(&acme.id, &query).await.unwrap());
            assert!(page.len() <= 4);
            let Some(last) = page.last() else { break };
            query.after = Some(last.client.id.clone());
            listed.extend(page);
        }
        assert_eq!(listed.len(), expected, "{search:?}");
        assert!(listed.is_sorted_by(|left, right| left.client.id < right.client.id));
        assert!(listed.iter().all(|row| live.contains(row)));
    }
    let query = ClientQuery { limit: 100, ..ClientQuery::default() };
    assert_eq!(readable(stores.list_clients(&acme.id, &query).await.unwrap()), live);
    let unknown = fixtures::tenant_id("nobody");
    assert!(stores.list_clients(&unknown, &query).await.unwrap().is_empty());
}

fn name_of(nth: u32) -> String {
    format!("Tenant number {nth} {}", ["even", "odd"][nth as usize % 2])
}

fn matches_all(id: &TenantId, terms: &[String]) -> bool {
    let nth = id.as_str().trim_start_matches("t-").parse().unwrap();
    let of_tenant = search_terms(&format!("{id} {}", name_of(nth)));
    terms.iter().all(|word| of_tenant.iter().any(|own| own.starts_with(word)))
}

async fn add_many(stores: &Stores, count: u32) -> Vec<TenantId> {
    let mut request: Option<CommitRequest> = None;
    let mut ids = Vec::new();
    for nth in 0..count {
        let tenant = Tenant { name: name_of(nth), ..fixtures::tenant(&format!("t-{nth}")) };
        let clients = [fixtures::client(&tenant, "svc")];
        let added = requests::added(&tenant, &clients.iter().collect::<Vec<_>>());
        ids.push(tenant.id);
        match &mut request {
            None => request = Some(added),
            Some(request) => {
                request.edit.changes.extend(added.edit.changes);
                request.edit.tenant_metadata.extend(added.edit.tenant_metadata);
            }
        }
    }
    commit(stores, &request.unwrap()).await;
    ids
}

async fn pages(stores: &Stores, query: &TenantQuery) -> Vec<(TenantCursor, TenantState)> {
    let mut query = query.clone();
    let mut listed = Vec::new();
    loop {
        let page = stores.list_tenants(&query).await.unwrap();
        assert!(page.len() <= query.limit as usize);
        let Some((last, _)) = page.last() else { return listed };
        query.after = Some(last.clone());
        listed.extend(page);
    }
}

fn place(at: &TenantCursor) -> (&str, &str) {
    (&at.word, at.tenant.as_str())
}

fn ids(state: &TenantState) -> Vec<&str> {
    state.clients.iter().map(|row| row.client.id.as_str()).collect()
}
