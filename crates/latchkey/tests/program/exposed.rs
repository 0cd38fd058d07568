//! Tests that published sample secrets are never valid on a listener that other machines can reach, wherever
//! they come from: another file at a reload, a later generation in the store, or the admin API.

use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

const SAMPLE: &str = "your-client-secret";
const REFUSED: &str = "settings not loaded; the previous settings stay in effect";

fn beyond_loopback(settings: &str) -> String {
    edited(settings, "address: 127.0.0.1:0", "address: 0.0.0.0:0")
}

/// Settings with a loopback listener and a public URL that a proxy makes reachable for other machines.
fn behind_a_proxy(settings: &str) -> String {
    edited(settings, "server:\n", "server:\n  public_url: http://auth.example.com\n")
}

#[tokio::test]
async fn reload_is_checked_against_current_listeners() {
    let (folder, program) = Program::serving(&beyond_loopback(TWO_TENANTS));
    // A changed listener takes effect at the next start, tenants and administrators immediately.
    for (settings, expected) in [
        (
            edited(TWO_TENANTS, ACME_SECRET, SAMPLE),
            "config.yaml:12:29: tenants.acme.clients.svc.client_secret",
        ),
        (
            format!(
                "{TWO_TENANTS}admin: {{ users: {{ ann: {{ password: {{ value: ann-canary-7c1e }} }} }} }}\n"
            ),
            "admin.users.ann.password.value",
        ),
    ] {
        let mark = program.mark();
        folder.replace("config.yaml", &settings);
        let line = program.log_after(mark, REFUSED);
        assert!(line.contains(expected) && line.contains("not on loopback"), "{expected} in {line}");
        assert_eq!(program.request_token("acme", "svc", ACME_SECRET).await.status, 200);
        program.request_token("acme", "svc", SAMPLE).await.assert_refused(401, "invalid_client");
    }
    // The program now listens on loopback only. A reload also refuses a sample secret if the changed file has
    // a listener beyond loopback for the next start.
    let program = {
        program.stop();
        folder.write("config.yaml", TWO_TENANTS);
        Program::start(&folder)
    };
    let mark = program.mark();
    folder.replace("config.yaml", &beyond_loopback(&edited(TWO_TENANTS, GLOBEX_SECRET, SAMPLE)));
    program.log_after(mark, REFUSED);
    assert_eq!(program.request_token("globex", "svc", GLOBEX_SECRET).await.status, 200);
}

// [oauth RFC 6749 §2.3.1, §3.2], [V13 13.2.3], [found 12]
#[tokio::test]
async fn stored_sample_secret_authenticates_on_loopback_only() {
    let folder = Folder::with(TWO_TENANTS);
    let exposed = [beyond_loopback(TWO_TENANTS), behind_a_proxy(TWO_TENANTS)];
    for settings in exposed.iter().chain([&edited(TWO_TENANTS, ACME_SECRET, SAMPLE)]) {
        folder.write("config.yaml", settings);
        assert_eq!(folder.run(&["apply"]).code, Some(0));
    }
    let program = Program::start(&folder);
    assert_eq!(program.request_token("acme", "svc", SAMPLE).await.status, 200, "it is the client's secret");
    program.stop();

    // These settings are earlier generations, so the program uses the store's state.
    for settings in exposed {
        folder.write("config.yaml", &settings);
        let program = Program::start(&folder);
        let mark = program.mark();
        let refused = program.request_token("acme", "svc", SAMPLE).await;
        refused.assert_refused(401, "invalid_client");
        let wrong = program.request_token("acme", "svc", "wrong").await;
        assert_eq!((refused.status, &refused.body), (wrong.status, &wrong.body));
        program.log_after(mark, "a client used a published sample secret");
        assert_eq!(program.introspect("globex", "svc", GLOBEX_SECRET, "x").await["active"], false);
        until_status(&program, ("globex", "svc", GLOBEX_SECRET), 200).await;
        program.stop();
    }
}

// [V13 13.4.5]: 2 | Monitoring and internal documents are served only where intended | `/metrics` and the
//   administration are on listeners that serve `admin`: on loopback by default, beyond it only if `serves`
//   says so, and under no foreign `Host` name. `/docs` is on purpose on each listener, and shows what that
//   listener serves
// [found 17]
#[tokio::test]
async fn administration_beyond_loopback_must_be_configured() {
    for (listener, status, reported) in [
        ("address: 127.0.0.1:0", 200, 0),
        ("address: 0.0.0.0:0", 404, 1),
        ("address: 0.0.0.0:0, serves: [public]", 404, 0),
        ("address: 0.0.0.0:0, serves: [public, admin]", 200, 0),
    ] {
        let (_folder, program) = Program::serving(&edited(TWO_TENANTS, "address: 127.0.0.1:0", listener));
        assert_eq!(program.get("/metrics").await.status, status, "{listener}");
        for (tenant, secret) in [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)] {
            assert_eq!(program.request_token(tenant, "svc", secret).await.status, 200, "{listener}");
        }
        let of_paths = |line: &&serde_json::Value| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.contains("does not serve /metrics, /flow/execute"))
        };
        assert_eq!(program.log().iter().filter(of_paths).count(), reported, "{listener}");
        program.stop();
    }
}
