//! Tests a tenant that moves to another installation, and back. Its tokens, secrets, API keys, refresh
//! tokens, people and revocations stay valid there. The other tenants of both installations are not affected.

use crate::host::Ran;
use crate::person::{Browser, settings_with_people};
use crate::store_copy::{Held, patiently, start};
use crate::test_env::{Replica, TestEnv};

/// An installation with its own sealing key, pepper and store.
struct Installation {
    test_env: TestEnv,
    url: String,
    replica: Replica,
}

impl Installation {
    fn start(test_env: TestEnv, settings: &str, url: String) -> Self {
        Self { replica: start(&test_env, settings, &url), test_env, url }
    }

    fn cli(&self, arguments: &[&str]) -> Ran {
        patiently(|| {
            let mut command = self.test_env.command(&self.replica.folder, arguments);
            command.env("LATCHKEY__STORAGE__URL", &self.url);
            command
        })
    }

    fn refuses(&self, arguments: &[&str], why: &str) {
        self.cli(arguments).assert_ends(1, &[why]);
    }

    /// Writes `acme` to a file in the other installation's folder.
    fn export_to(&self, other: &Self) {
        let key = other.cli(&["tenant", "recipient"]).output();
        let file = other.replica.folder.path("acme.tenant");
        _ = std::fs::remove_file(&file);
        let exported =
            self.cli(&["tenant", "export", "acme", &file.display().to_string(), "--to", key.trim()]);
        assert!(
            exported.code == Some(0) && exported.err.contains("The tenant is now suspended here"),
            "{exported:?}"
        );
    }

    async fn status(&self, of: &TestEnv, tenant: &str) -> u16 {
        self.replica.program.request_token(tenant, "svc-0", of.secret_of(tenant)).await.status
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenant_moves_to_another_installation_and_back() {
    let [home, abroad] = [(); 2].map(|()| TestEnv::new(None));
    let settings = settings_with_people().replace(
        "\n    clients:",
        "\n    api_keys: { max_lifetime: 365d, default_lifetime: 90d }\n    clients:",
    ) + "cache: { l1_lifetime: 1s }\n";
    let url = home.database.url();
    let home = Installation::start(home, &settings, url);
    let others = settings.replace("acme", "initech");
    assert_ne!(others, settings);
    let file = format!("sqlite://{}", home.replica.folder.path("abroad.db").display());
    let mut abroad = Installation::start(abroad, &others, file);
    let mut held = Held::new(&home.test_env, &home.replica, "acme").await;

    home.export_to(&abroad);
    assert_eq!(home.status(&home.test_env, "acme").await, 404);
    assert_eq!(home.status(&home.test_env, "globex").await, 200);
    let exported = abroad.replica.folder.path("acme.tenant");
    let exported = exported.display().to_string();
    home.refuses(&["tenant", "import", &exported, "--replace"], "sealed for another installation");
    abroad.refuses(&["tenant", "import", "config.yaml"], "config.yaml is not an exported tenant");
    let imported = abroad.cli(&["tenant", "import", &exported]).output();
    assert!(imported.contains("The tenant now serves requests"), "{imported}");
    held.check_tokens(&home.test_env, &abroad.replica).await;
    Browser::signed_in(&home.test_env, "acme", &abroad.replica).await;
    // The other tenants of both installations are unchanged, and a token of one is invalid at the other.
    for (installation, tenant) in [(&home, "globex"), (&abroad, "globex"), (&abroad, "initech")] {
        let secret = if tenant == "initech" { "acme" } else { tenant };
        let secret = installation.test_env.secret_of(secret);
        assert_eq!(installation.replica.program.request_token(tenant, "svc-0", secret).await.status, 200);
    }
    assert_eq!(abroad.status(&home.test_env, "globex").await, 401);
    abroad.refuses(&["tenant", "import", &exported], "is active here; suspend it first");

    // Rows that are created there are valid after a restart, and here when the tenant is back.
    let made = abroad.cli(&["secret", "add", "acme", "svc-0", "--json"]).json();
    let made = made["client_secret"].as_str().unwrap().to_owned();
    abroad.replica.program.stop();
    abroad.replica = start(&abroad.test_env, &others, &abroad.url);
    held.check_tokens(&home.test_env, &abroad.replica).await;
    abroad.export_to(&home);
    let exported = home.replica.folder.path("acme.tenant").display().to_string();
    home.refuses(&["tenant", "import", &exported], "--replace replaces its rows");
    home.cli(&["tenant", "import", &exported, "--replace"]).output();
    held.check_tokens(&home.test_env, &home.replica).await;
    assert_eq!(home.replica.program.request_token("acme", "svc-0", &made).await.status, 200);
    assert_eq!(abroad.status(&home.test_env, "acme").await, 404);
    assert_eq!(home.status(&home.test_env, "globex").await, 200);
}
