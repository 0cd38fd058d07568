//! The pictures of README, taken from a running server: the console and a sign-in page, light and dark.
//! `cargo xtask pictures` copies them to docs/images.

use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;

use crate::cli::administrator;
use crate::foreign::browser_within;
use crate::program::Program;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/pictures");
const MOST_BYTES: u64 = 150 * 1024;

const SETTINGS: &str = "
tenants:
  acme:
    name: Acme Ltd
    strategies: { oauth2: { enabled: true }, oidc: { enabled: true } }
    resource_servers:
      orders-api: { scopes: [orders:read, orders:write] }
    clients:
      billing: { client_secret: { value: a-sample-secret-1 }, audiences: [orders-api], scopes: [orders:read] }
      shipping: { client_secret: { value: a-sample-secret-2 }, audiences: [orders-api], scopes: [orders:read, orders:write] }
      storefront:
        name: Acme Store
        client_secret: { value: a-sample-secret-3 }
        grant_types: [authorization_code, refresh_token]
        redirect_uris: ['https://store.example.com/callback']
        scopes: [openid, profile, email]
        first_party: true
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readme_pictures_take_at_most_150_kb() {
    let (folder, program) = Program::serving(SETTINGS);
    let admin = administrator(&folder, &program).await;
    let made = admin.send_request(Method::POST, "/api/v1/admin/console-links", None).await;
    fs::create_dir_all(FOLDER).unwrap();
    let environment = [
        ("CONSOLE", &*program.url(made["path"].as_str().unwrap())),
        ("LIST", &program.url("/console/t/acme/applications")),
        ("SIGN_IN", &program.url("/api/v1/tenant/acme/account")),
        ("FOLDER", FOLDER),
    ];
    browser_within("pictures.cjs", &environment, Duration::from_secs(60)).output();
    for name in ["console-light", "console-dark", "sign-in-light", "sign-in-dark"] {
        let bytes = fs::metadata(Path::new(FOLDER).join(format!("{name}.png"))).unwrap().len();
        assert!((4_096..=MOST_BYTES).contains(&bytes), "{name}: {bytes} bytes");
    }
}
