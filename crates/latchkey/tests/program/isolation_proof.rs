//! Tests `latchkey prove isolation` against running servers: one that isolates its tenants, and twenty with a
//! planted fault, which the command must find.

use serde_json::Value;

use crate::busy_once::BusyOnce;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::host::Ran;
use crate::program::Program;
use crate::settings::TWO_TENANTS;
use crate::shared_tenants::{self, Fault, What};

/// A server, and the result of a proof with some kinds of values.
struct Proof {
    folder: Folder,
    program: Program,
    ran: Ran,
}

impl Proof {
    async fn run(fault: Option<Fault>, only: &[&str]) -> Self {
        let (folder, program) = Program::serving(TWO_TENANTS);
        let mut cli = Cli::server(&folder, &program).await;
        if let Some(fault) = fault {
            cli = cli.at(&shared_tenants::start(program.url(""), fault).await);
        }
        let only: Vec<&str> = only.iter().flat_map(|kind| ["--only", kind]).collect();
        let ran = cli.run(&[&["prove", "isolation"][..], &only].concat());
        Self { folder, program, ran }
    }

    fn report(&self) -> Value {
        let written = self.folder.exists("isolation-report/isolation.json");
        assert!(written, "no report: {:?}", self.ran);
        serde_json::from_str(&self.folder.read("isolation-report/isolation.json")).unwrap()
    }
}

// [third 20], [attacks #16]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proof_tries_all_kinds_and_signs_its_report() {
    let proof = Proof::run(None, &[]).await;
    let report = proof.report();
    assert_eq!((proof.ran.code, &report["findings"]), (Some(0), &serde_json::json!([])), "{:?}", proof.ran);
    let tried = report["kinds"].as_array().unwrap();
    assert!(tried.iter().all(|kind| kind["cells"].as_u64() > Some(0)) && tried.len() > 30, "{tried:?}");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));

    let Proof { folder, program, .. } = &proof;
    let cli = Cli::as_client(folder, program, "platform", "admin", "admin.secret");
    let tenants = cli.json(&["tenant", "list", "--search", "isolation-proof"]);
    assert_eq!(tenants["items"], serde_json::json!([]), "the throw-away tenants are deleted");

    folder.write("platform.jwks.json", &program.jwks("platform").await.body);
    let verify = ["prove", "verify", "isolation-report", "--jwks", "platform.jwks.json"];
    let verified = folder.run(&verify).output();
    assert!(verified.contains("The report is unchanged") && verified.contains("no finding"), "{verified}");
    let (markdown, page) = ("isolation-report/isolation.md", folder.read("isolation-report/isolation.md"));
    folder.write(markdown, &format!("{page}\nNothing was left out.\n"));
    folder.run(&verify).assert_ends(1, &["isolation.md differs from the signed report"]);
    folder.write(markdown, &page);
    folder.run(&verify).output();
    let file = "isolation-report/isolation.json";
    let text = folder.read(file).replacen("\"seconds\": ", "\"seconds\": 1", 1);
    folder.write(file, &text);
    let refused = folder.run(&verify);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("changed after it was signed"), "{}", refused.err);
}

// [third 20]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proof_waits_for_a_busy_server() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let busy = BusyOnce::refusing("GET /api/v1/admin/tenants?", program.address());
    let cli = Cli::server(&folder, &program).await.at(&busy.url());
    let proven = cli.run(&["prove", "isolation", "--only", "id of an API key"]);
    assert_eq!((proven.code, busy.refused() > 0), (Some(0), true), "{proven:?}");
    program.stop();
}

/// Asserts that this kind of value finds the fault, and that the exit code says so.
async fn assert_found(fault: Fault, kind: &str) {
    let proof = Proof::run(Some(fault), &[kind]).await;
    let report = proof.report();
    let findings = report["findings"].as_array().unwrap();
    let is_accepted = |finding: &Value| {
        finding["kind"] == kind
            && finding["request"].as_str().is_some_and(|request| !request.ends_with("its own tenant"))
    };
    assert!(findings.iter().any(is_accepted), "{findings:?} {:?}", proof.ran);
    assert_eq!(proof.ran.code, Some(1), "{:?}", proof.ran);
}

/// A test for each fault: the affected requests, the fault, and the kind of value that finds it.
macro_rules! faults {
    ($($test:ident: $what:expr, at $at:literal with $sent:literal, by $kind:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            assert_found(Fault { at: $at, sent: $sent, what: $what }, $kind).await;
        }
    )+};
}

mod planted {
    use super::What::{AnyAdministrator, BothLists, OtherForm, OtherTenant};
    use super::{Fault, assert_found};

    faults! {
        session: OtherTenant, at "GET /oauth/authorize" with "lk-s.", by "session of a person";
        form: OtherTenant, at "POST /account" with "flow=", by "form of the account";
        authorization_code: OtherTenant, at "POST /oauth/token" with "&code=", by "authorization code";
        device_code: OtherTenant, at "POST /oauth/token" with "&device_code=", by "device code";
        user_code: OtherForm("/device"), at "POST /device" with "user_code=", by "user code";
        pushed_request: OtherTenant, at "GET /oauth/authorize" with "request_uri=", by "pushed request";
        refresh_token: OtherTenant, at "POST /oauth/token" with "&refresh_token=", by "refresh token";
        api_key: OtherTenant, at "POST /oauth/token" with "client_secret=", by "API key as a secret";
        api_key_in_a_path: OtherTenant, at "GET /clients/app/api-keys/" with "Bearer", by "id of an API key";
        client: OtherTenant, at "POST /oauth/token" with "client_id=only-", by "secret of a client that one tenant has";
        account_in_a_path: OtherTenant, at "GET /accounts/" with "Bearer", by "id of an account";
        identifier_of_an_account: OtherForm("/oauth/authorize"), at "POST /oauth/sign-in" with "identifier=", by "password of a person";
        list_of_clients: BothLists, at "GET /clients" with "Bearer", by "what an administrator can read";
        list_of_accounts: BothLists, at "GET /accounts" with "Bearer", by "what an administrator can read";
        list_of_api_keys: BothLists, at "GET /api-keys" with "Bearer", by "what an administrator can read";
        audit: BothLists, at "GET /audit" with "Bearer", by "what an administrator can read";
        audience_of_an_assertion: OtherTenant, at "POST /oauth/token" with "client_assertion=", by "client assertion by a key of both tenants";
        tenant_of_a_token: OtherTenant, at "GET /oauth/userinfo" with "Bearer", by "access token of a person";
        permission_of_the_platform: AnyAdministrator, at "GET /api/v1/admin/" with "Bearer", by "token of an administrator";
        tenant_of_an_administrator: AnyAdministrator, at "GET /clients" with "Bearer", by "token of an administrator";
    }
}
