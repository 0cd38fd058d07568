//! Every route of the console for every kind of administrator, at both tenants. The snapshot shows
//! which routes each administrator may use. A unit test of the routes checks that the snapshot is
//! complete.

use std::fmt::Write as _;

use crate::administrators::settle;
use crate::console::{begun, form_token, home};
use crate::prelude::*;

/// Paths of the platform's and of a tenant's pages with their methods. Signing out is last, because
/// it ends the session.
const OF_PLATFORM: &[(&str, &str)] = &[
    ("/sign-in", "GET"),
    ("/link", "GET"),
    ("/link", "POST"),
    ("/account", "POST"),
    ("", "GET"),
    ("/advice", "GET"),
    ("/tenants", "GET"),
    ("/tenants/new", "GET"),
    ("/tenants/new", "POST"),
    ("/audit", "GET"),
    ("/audit/export", "GET"),
    ("/sign-out", "POST"),
];
const OF_TENANT: &[(&str, &str)] = &[
    ("/sign-in", "GET"),
    ("/link", "GET"),
    ("/link", "POST"),
    ("/account", "POST"),
    ("", "GET"),
    ("", "POST"),
    ("/advice", "GET"),
    ("/applications", "GET"),
    ("/applications/new", "GET"),
    ("/applications/new", "POST"),
    ("/applications/{client}", "GET"),
    ("/applications/{client}", "POST"),
    ("/applications/{client}/edit", "GET"),
    ("/applications/{client}/edit", "POST"),
    ("/applications/{client}/try", "GET"),
    ("/applications/{client}/try", "POST"),
    ("/applications/{client}/credentials", "GET"),
    ("/applications/{client}/credentials", "POST"),
    ("/people", "GET"),
    ("/people/new", "GET"),
    ("/people/new", "POST"),
    ("/people/{account}", "GET"),
    ("/people/{account}", "POST"),
    ("/keys", "GET"),
    ("/keys", "POST"),
    ("/audit", "GET"),
    ("/audit/export", "GET"),
    ("/sign-out", "POST"),
    ("/applications/nobody", "GET"),
];

/// The number of a person of the tenant.
pub(crate) const PERSON: u8 = 9;
const CHIEF: &str = "chief";
const LEAVER: &str = "leaver";
const ALL: [&str; 5] =
    ["latchkey:tenants", "latchkey:clients", "latchkey:accounts", "latchkey:keys", "latchkey:audit"];

/// Name in the table, tenant of the client, id, and scope.
type Holder = (String, &'static str, &'static str, String);

/// Leaves out administrators who have no session any more.
fn holders(tenant: &'static str, other: &'static str) -> Vec<Holder> {
    let without = |left: &str| ALL.into_iter().filter(|scope| *scope != left).collect::<Vec<_>>().join(" ");
    let of = |who: &str, tenant, left: &str| {
        let name = if left.is_empty() { who.to_owned() } else { format!("{who} without {left}") };
        (name, tenant, CHIEF, without(left))
    };
    let mut holders = vec![of("own", tenant, "")];
    holders.extend(ALL[1..].iter().map(|left| of("own", tenant, left)));
    holders.push(of("other", other, ""));
    holders.push(of("operator", PLATFORM, ""));
    holders.extend(ALL.iter().map(|left| of("operator", PLATFORM, left)));
    holders
}

// [attacks #41]: A page of the console without a session, with one of another tenant, or without the
//   permission for it; a form from another session or origin | A session of an administrator is a row, and
//   ends with its credential and its client; its cookie `lk-c.{tenant}` is `HttpOnly` and `SameSite=Strict`.
//   Two administrators in one browser see their own tenants
#[tokio::test]
async fn route_access_of_each_administrator_matches_the_snapshot() {
    let tables = [table(ACME, GLOBEX).await, table(GLOBEX, ACME).await];
    assert_eq!(tables[0], tables[1], "the tenants are equal");
    insta::assert_snapshot!("console_routes", tables[0]);
}

async fn table(tenant: &'static str, other: &'static str) -> String {
    let test_env = TestEnv::start();
    let mut columns = Vec::new();
    add_someone(&test_env.app, tenant, PERSON, EMAIL);
    for (at, id) in [(tenant, CHIEF), (tenant, LEAVER), (other, CHIEF), (PLATFORM, CHIEF)] {
        settle(&test_env.app, at, id, &ALL.join(" "));
    }
    columns.push(("nobody".to_owned(), answers(&mut Browser::new(&test_env.app), tenant).await));
    for (name, at, client, scope) in holders(tenant, other) {
        let mut browser = begun(&test_env, at, &forged(at, client, &scope)).await;
        columns.push((name, answers(&mut browser, tenant).await));
        // The last request has ended the session. Another administrator's browser keeps its
        // cookies.
    }
    let all = async |at, client| begun(&test_env, at, &forged(at, client, &ALL.join(" "))).await;
    let mut ended = all(tenant, CHIEF).await;
    let mut leaver = all(tenant, LEAVER).await;
    let mut suspended = all(tenant, CHIEF).await;
    let mut operator = all(PLATFORM, CHIEF).await;
    let ops = test_env.token(PLATFORM, OPS).await;
    test_env.step(&ops, &format!("{}/{LEAVER}/suspend", clients_path(tenant))).await.assert_status(200);
    columns.push(("own, suspended".to_owned(), answers(&mut leaver, tenant).await));
    test_env.step(&ops, &format!("{TENANTS}/{tenant}/suspend")).await.assert_status(200);
    columns.push(("own, tenant suspended".to_owned(), answers(&mut suspended, tenant).await));
    columns.push(("operator, tenant suspended".to_owned(), answers(&mut operator, tenant).await));
    test_env.step(&ops, &format!("{TENANTS}/{tenant}/resume")).await.assert_status(200);
    test_env.app.pass(1_800);
    columns.push(("own, ended".to_owned(), answers(&mut ended, tenant).await));
    drawn(&columns, tenant)
}

/// The id of the tenant's person.
pub(crate) fn person() -> String {
    accounts::AccountId::from_bytes([PERSON; 16]).to_string()
}

/// The status of each route. Sends the forms of the session's own pages, with empty fields.
async fn answers(browser: &mut Browser<'_>, tenant: &str) -> Vec<u16> {
    let mut form = String::new();
    for path in [home(tenant), home(PLATFORM)] {
        let page = browser.get(&path).await;
        if page.status == 200 && form.is_empty() {
            form = form_token(&page);
        }
    }
    let mut statuses = Vec::new();
    for (path, method) in paths(tenant) {
        let path = path.replace("{client}", SVC).replace("{account}", &person());
        let answer = match method {
            "GET" => browser.get(&path).await,
            _ => browser.post(&path, &[("form", &*form)]).await,
        };
        let other = if tenant == ACME { GLOBEX } else { ACME };
        assert!(!(path.starts_with(&home(tenant)) && answer.body.contains(other)), "{path}: {}", answer.body);
        statuses.push(answer.status);
    }
    statuses
}

/// Signing out at one of the two places also ends the session at the other, so both come last.
pub(crate) fn paths(tenant: &str) -> Vec<(String, &'static str)> {
    let of = |place: &str, routes: &[(&'static str, &'static str)]| {
        routes.iter().map(|(path, method)| (format!("{}{path}", home(place)), *method)).collect::<Vec<_>>()
    };
    let mut all = [of(PLATFORM, OF_PLATFORM), of(tenant, OF_TENANT)].concat();
    all.sort_by_key(|(path, _)| path.ends_with("/sign-out"));
    all
}

fn drawn(columns: &[(String, Vec<u16>)], tenant: &str) -> String {
    let mut text = String::new();
    for (at, (name, _)) in columns.iter().enumerate() {
        writeln!(text, "{:>2} {name}", at + 1).unwrap();
    }
    let heads: Vec<_> = (1..=columns.len()).map(|at| format!("{at:>3}")).collect();
    writeln!(text, "\n{:<56}{}", "", heads.join(" ")).unwrap();
    for (row, (path, method)) in paths(tenant).into_iter().enumerate() {
        let path = path.replace(&format!("/t/{tenant}"), "/t/{id}");
        let cells: Vec<_> = columns.iter().map(|(_, statuses)| statuses[row].to_string()).collect();
        writeln!(text, "{:<56}{}", format!("{method} {path}"), cells.join(" ")).unwrap();
    }
    text
}
