//! `latchkey dev`: a server for development. It is only reachable from this machine, and its store is deleted
//! when it stops. It has a tenant with a service, an application and a person, and prints everything that is
//! needed to use them.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use values::{ShellCommand, with_commands};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use gateway::snippets::{curl_line, filled};
use secrets::GeneratedSecret;
use settings::{Environment, files};
use tempfile::TempDir;

use crate::serve;

const CONFIG: &str = include_str!("dev/config.yaml");
const GREETING: &str = include_str!("dev/greeting.txt");

/// Of `dev`.
#[derive(Args)]
pub(crate) struct DevArguments {
    /// Address of this machine to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

/// Runs the server until SIGTERM or SIGINT, then deletes the store.
pub(crate) fn run(config: &Path, arguments: &DevArguments) -> anyhow::Result<ExitCode> {
    let address = arguments.listen;
    ensure!(
        address.ip().is_loopback() && address.port() != 0,
        "`latchkey dev` is for development and only listens on 127.0.0.1 or [::1], not on {address}"
    );
    ensure!(
        config == Path::new("config.yaml"),
        with_commands(
            "`latchkey dev` uses its own settings and store. Omit --config, or run `latchkey --config=FILE`",
            &[("FILE", &config.display().to_string())],
        )
    );
    let environment = Environment::of_process();
    for prefix in ["LATCHKEY__", "LATCHKEY_LISTEN"] {
        if let Some((name, _)) = environment.beginning_with(prefix).next() {
            bail!("`latchkey dev` uses its own settings and store. Unset the variable {name}");
        }
    }
    let folder = folder().context("cannot create a temporary folder")?;
    let config = folder.path().join("config.yaml");
    let development = Development::new(address);
    files::create(&config, development.filled(CONFIG).as_bytes(), 0o600)
        .context("cannot write the settings")?;
    let config_text = config.display().to_string();
    let console = ShellCommand::new("latchkey --config=FILE console", &[("FILE", &config_text)]);
    let greeting = development
        .filled(GREETING)
        .replace("{config}", &config_text)
        .replace("{console}", &console.to_string());
    serve::start(&config, environment, false, Some(greeting))
}

/// A folder that only its owner can read.
fn folder() -> std::io::Result<TempDir> {
    tempfile::Builder::new().prefix("latchkey-dev-").permissions(Permissions::from_mode(0o700)).tempdir()
}

/// The values that differ in each run.
struct Development {
    address: SocketAddr,
    url: String,
    /// The secrets of the service, the application and the person. The greeting prints them.
    secrets: [String; 3],
}

impl Development {
    fn new(address: SocketAddr) -> Self {
        let port = address.port();
        let url =
            if address.is_ipv4() { format!("http://localhost:{port}") } else { format!("http://{address}") };
        let secrets = [(); 3].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
        Self { address, url, secrets }
    }

    /// Replaces the placeholders in a text by the values.
    fn filled(&self, text: &str) -> String {
        let [service, web, person] = &self.secrets;
        let endpoint = format!("{}/api/v1/tenant/dev/oauth/token", self.url);
        let token = curl_line(&endpoint, "service").replace("$CLIENT_SECRET", service);
        let values = [
            ("{url}", self.url.clone()),
            ("{address}", self.address.to_string()),
            ("{token}", token.trim_end().to_owned()),
            ("{service}", service.clone()),
            ("{web}", web.clone()),
            ("{person}", person.clone()),
        ];
        filled(text, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for address in ["0.0.0.0:3000", "192.0.2.1:3000", "[::]:3000", "127.0.0.1:0"] {
            let arguments = DevArguments { listen: address.parse().unwrap() };
            let refused = run(Path::new("config.yaml"), &arguments).unwrap_err().to_string();
            assert!(refused.contains("is for development") && refused.ends_with(address), "{refused}");
        }
    }

    #[test]
    fn placeholders_are_filled_and_secrets_differ() {
        let address = "[::1]:4000".parse().unwrap();
        let [first, second] = [(); 2].map(|()| Development::new(address));
        for text in [CONFIG, GREETING] {
            let filled = first.filled(text).replace("{config}", "").replace("{console}", "");
            assert!(filled.contains("http://[::1]:4000"), "{filled}");
            for name in
                ["{url}", "{address}", "{token}", "{service}", "{web}", "{person}", "{config}", "{console}"]
            {
                assert!(!filled.contains(name), "{name} in {filled}");
            }
            assert_ne!(first.filled(text), second.filled(text));
        }
    }
}
