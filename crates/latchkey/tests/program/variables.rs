//! Tests settings that come from environment variables.

use crate::folder::Folder;
use crate::host::run;
use crate::program::Program;
use crate::running::credentials;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};
use crate::test_servers::{LONGEST, eventually};

const SEALING_KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

#[tokio::test]
async fn variables_override_settings_of_the_file() {
    let folder = Folder::with(TWO_TENANTS);
    let mut serve = folder.program(&["serve"]);
    serve.envs([
        ("LATCHKEY__SERVER__DEFAULT_TENANT", "globex"),
        ("LATCHKEY__SERVER__WORKERS", "1"),
        ("LATCHKEY__SERVER__LISTENERS", r#"[{"address": "127.0.0.1:0", "serves": ["public", "admin"]}]"#),
        ("LATCHKEY__SERVER__OUTBOUND__ALLOWED_NETWORKS", "127.0.0.0/8, ::1"),
        ("LATCHKEY__SERVER__AUDIT__STREAM", r#"{"file": "audit.jsonl"}"#),
        ("LATCHKEY__KEYS__SEALING_KEY__ENV", "SEALING"),
        ("SEALING", SEALING_KEY),
    ]);
    let program = Program::spawn(&folder, &mut serve);
    let of_globex = program.post("/oauth/token", &credentials("svc", GLOBEX_SECRET)).await;
    assert_eq!(of_globex.status, 200, "the default tenant is that of the variable");
    let of_acme = program.post("/oauth/token", &credentials("svc", ACME_SECRET)).await;
    assert_eq!(of_acme.status, 401);
    assert!(!folder.exists("keys/sealing.key"), "the variable replaces the whole object of the file");
    eventually("the audit is written", LONGEST, async || folder.exists("audit.jsonl")).await;
    program.stop();
}

#[test]
fn unknown_variable_is_refused_with_the_nearest_name() {
    let folder = Folder::with(TWO_TENANTS);
    let ran = run(folder.program(&["check"]).env("LATCHKEY__SERVER__WORKER", "hunter2"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("did you mean LATCHKEY__SERVER__WORKERS?"), "{}", ran.err);
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
}
