//! Tests that a conflict between the file and rows from the admin API leaves one tenant unchanged. The
//! program starts and applies all other tenants. It applies the remaining tenant as soon as the conflict is
//! resolved.

use serde_json::json;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::assert_has;
use crate::program::{Mark, Program};
use crate::reload::{eventually, until_status};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, NEW_SECRET, TWO_TENANTS, edited};

const NEW_GLOBEX: &str = "globex-new-canary-84d0";

/// Settings with new secrets for both tenants.
fn changed() -> String {
    edited(&edited(TWO_TENANTS, ACME_SECRET, NEW_SECRET), GLOBEX_SECRET, NEW_GLOBEX)
}

/// Settings with one more client of acme, in line 12.
fn declaring(settings: &str, client: &str) -> String {
    let svc = "      svc: { client_secret: { value: acme";
    let declared = format!("      {client}: {{ client_secret: {{ value: acme-more-canary-1b7e }} }}\n{svc}");
    edited(settings, svc, &declared)
}

async fn degraded(program: &Program) -> Option<String> {
    let ready = program.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{ready:?}");
    let check = &ready.json()["checks"]["settings"];
    assert!(check.is_null() || check["status"] == "degraded", "{check}");
    check["reason"].as_str().map(str::to_owned)
}

fn count_in_log(program: &Program, message: &str) -> usize {
    program.log().iter().filter(|line| line["message"] == message).count()
}

// [found 6]: A tenant's administrator who took one client id could keep the settings of all tenants from
//   being applied, and the program from starting | fixed | A conflict leaves its tenant as it was, is named
//   with file and line, and shows in readiness as degraded; all others are applied and the start continues.
//   The tenant is tried again each minute and after changes
#[tokio::test]
async fn conflict_of_one_tenant_does_not_stop_the_others() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["apply"]).output();
    // Acme's administrator registers an id before the file declares it.
    Cli::store(&folder).run(&["client", "add", "acme", "acme-billing"]).output();
    folder.write("config.yaml", &declaring(&changed(), "acme-billing"));
    let conflict = "! client acme/acme-billing was created through the administration API, so you cannot declare it; tenant acme stays unchanged\n";
    let place = "config.yaml:12:7: tenants.acme.clients.acme-billing: client acme/acme-billing was created";
    let plan = folder.run(&["plan"]);
    assert_eq!(plan.code, Some(1), "{plan:?}");
    assert!(plan.out.contains("+ secret globex/svc/") && plan.out.contains(&format!("{conflict}\n")));
    assert!(!plan.out.contains("secret acme"), "{}", plan.out);
    folder.run(&["drift"]).assert_ends(1, &[place]);
    let parts = [place, "run `latchkey client show acme acme-billing`", "until you fix this): acme\n"];
    assert_has(&plan.err, &parts);
    let view = folder.run(&["plan", "--json"]);
    view.assert_ends(1, &[]);
    let view = view.document();
    assert_eq!(view["conflicts"][0]["tenant"], "acme", "{view}");

    let program = Program::start(&folder);
    let line = program.log_after(Mark::START, "tenants left out; all other tenants are applied");
    assert!(line.contains(place) && line.contains("\"tenants\":\"acme\""), "{line}");
    assert_eq!(program.request_token("globex", "svc", NEW_GLOBEX).await.status, 200);
    assert_eq!(program.request_token("globex", "svc", GLOBEX_SECRET).await.status, 401);
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
    assert_eq!(program.request_token("acme", "svc", NEW_SECRET).await.status, 401);
    let reason = "tenants left out because of a conflict or an unreadable secret: 1; the log names them, and all other tenants are applied";
    assert_eq!(degraded(&program).await.as_deref(), Some(reason));
    assert!(program.get("/metrics").await.body.contains("\nlatchkey_tenants_left_out 1\n"));

    // Repeating apply reports the same, and adds no generation.
    let apply = folder.run(&["apply"]);
    apply.assert_ends(1, &[place]);
    assert_eq!(apply.out, format!("{conflict}\n0 added, 0 changed, 0 retired, 1 skipped.\nNo changes.\n"));
    let generations = || {
        let list = Cli::store(&folder).json(&["rollback", "--list"]);
        list["items"].as_array().unwrap().iter().map(|item| item["generation"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(generations(), [json!(1)]);
    folder.run(&["rollback", "2", "--yes"]).assert_ends(1, &["except those that left out a tenant"]);

    // The id belongs to the API's client, so the file must change.
    folder.replace("config.yaml", &declaring(&changed(), "acme-invoices"));
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    assert_eq!(program.request_token("acme", "acme-invoices", "acme-more-canary-1b7e").await.status, 200);
    program.log_after(Mark::START, "no tenant is left out any longer");
    eventually("no tenant is left out", async || degraded(&program).await.is_none()).await;
    assert_eq!(folder.run(&["plan"]).code, Some(0));
    assert_eq!(generations(), [json!(3), json!(1)]);
    assert_eq!(count_in_log(&program, "tenants left out; all other tenants are applied"), 1);
}

// [found 6]
/// The tenant is applied without another file, a restart or a command: a notification from the store triggers
/// a new attempt.
#[tokio::test]
async fn tenant_is_applied_when_its_conflict_is_resolved() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let cli = Cli::store(&folder);
    cli.run(&["client", "add", "acme", "other", "--audience", "reports"]).output();
    folder.replace("config.yaml", &declaring(&changed(), "reports"));
    until_status(&program, ("globex", "svc", NEW_GLOBEX), 200).await;
    let line = program.log_after(Mark::START, "tenants left out; all other tenants are applied");
    assert!(line.contains("reports is both a client id and an audience, resource or issuer"), "{line}");
    eventually("acme is left out", async || degraded(&program).await.is_some()).await;
    assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);

    cli.run(&["client", "set", "acme", "other", "--patch", r#"{"audiences":["papers"]}"#]).output();
    until_status(&program, ("acme", "svc", NEW_SECRET), 200).await;
    eventually("no tenant is left out", async || degraded(&program).await.is_none()).await;
    assert_eq!(program.request_token("acme", "reports", "acme-more-canary-1b7e").await.status, 200);
    assert_eq!(folder.run(&["plan"]).code, Some(0));
    let list = folder.run(&["rollback", "--list"]).output();
    assert_eq!(list.lines().count(), 3, "the first and the whole one: {list}");
}
