//! What everyone knows opens nothing on a listener that others can reach, whichever door it came in by: another file at a reload, a
//! later generation in the store, the administration API.

use crate::folder::Folder;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS, edited};

const SAMPLE: &str = "your-client-secret";
const REFUSED: &str = "settings not taken over; the last good ones go on";

fn beyond_loopback(settings: &str) -> String {
    edited(settings, "address: 127.0.0.1:0", "address: 0.0.0.0:0")
}

#[tokio::test]
async fn a_reload_is_judged_by_the_listeners_that_are_served() {
    let folder = Folder::with(&beyond_loopback(TWO_TENANTS));
    let program = Program::start(&folder);
    // A listener takes effect at the next start, tenants and administrators at once.
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
        assert!(line.contains(expected) && line.contains("beyond loopback"), "{expected} in {line}");
        assert_eq!(program.ask_for_token("acme", "svc", ACME_SECRET).await.status, 200);
        program.ask_for_token("acme", "svc", SAMPLE).await.assert_refused(401, "invalid_client");
    }
    // The other way round, a file for the next start is not taken over either.
    let program = {
        program.stop();
        folder.write("config.yaml", TWO_TENANTS);
        Program::start(&folder)
    };
    let mark = program.mark();
    folder.replace("config.yaml", &beyond_loopback(&edited(TWO_TENANTS, GLOBEX_SECRET, SAMPLE)));
    program.log_after(mark, REFUSED);
    assert_eq!(program.ask_for_token("globex", "svc", GLOBEX_SECRET).await.status, 200);
}

#[tokio::test]
async fn a_sample_secret_in_the_store_authenticates_on_loopback_only() {
    let folder = Folder::with(&beyond_loopback(TWO_TENANTS));
    assert_eq!(folder.run(&["apply"]).code, Some(0));
    folder.write("config.yaml", &edited(TWO_TENANTS, ACME_SECRET, SAMPLE));
    assert_eq!(folder.run(&["apply"]).code, Some(0));
    let program = Program::start(&folder);
    assert_eq!(program.ask_for_token("acme", "svc", SAMPLE).await.status, 200, "it is the client's secret");
    program.stop();

    // These settings are an older generation, so the store is served as it is.
    folder.write("config.yaml", &beyond_loopback(TWO_TENANTS));
    let program = Program::start(&folder);
    let mark = program.mark();
    let refused = program.ask_for_token("acme", "svc", SAMPLE).await;
    refused.assert_refused(401, "invalid_client");
    let wrong = program.ask_for_token("acme", "svc", "wrong").await;
    assert_eq!((refused.status, &refused.body), (wrong.status, &wrong.body));
    program.log_after(mark, "a client came with a secret that the samples print");
    assert_eq!(program.introspect("globex", "svc", GLOBEX_SECRET, "x").await["active"], false);
    until_status(&program, ("globex", "svc", GLOBEX_SECRET), 200).await;
}
