//! An installation: a database, an optional Redis, its own secrets, and any number of programs with the same
//! settings, each in its own folder.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use keys::SealingKey;
use reqwest::Method;
use secrets::GeneratedSecret;
use testkit::RedisServer;
use tokio::task::JoinSet;

use crate::administrator::Administrator;
use crate::answer::Answer;
use crate::database::{Database, Server};
use crate::folder::Folder;
use crate::program::Program;
use crate::running::tenant_path;
use crate::test_servers::{LONGEST, eventually};

/// Two tenants with clients of the same names and different signing algorithms. `CLIENTS` is the
/// placeholder for the clients.
const SETTINGS: &str = "\
server: { listeners: [{ address: 127.0.0.1:0 }], default_tenant: acme }
keys: { sealing_key: { env: LATCHKEY_SEALING_KEY } }
reconcile: { max_retired: { tenants: 1, clients: 10 } }
protected_resource: { tenant: acme, audience: api, required_scope: api:read }
tenants:
  acme:
    strategies: { oauth2: { enabled: true } }
    resource_servers: { api: { scopes: [api:read] } }
    clients:
CLIENTS-OF-ACME
  globex:
    strategies: { oauth2: { enabled: true } }
    signing: { algorithm: ES256 }
    resource_servers: { api: { scopes: [api:read] } }
    clients:
CLIENTS-OF-GLOBEX
";

pub(crate) const TENANTS: [&str; 2] = ["acme", "globex"];

pub(crate) struct TestEnv {
    pub(crate) database: Database,
    pub(crate) sealing_key: String,
    pub(crate) redis_url: Option<String>,
    /// The values of the variables ACME_SECRET, GLOBEX_SECRET and NEW_SECRET.
    secrets: [String; 3],
}

/// A program and its folder.
pub(crate) struct Replica {
    pub(crate) program: Program,
    pub(crate) folder: Folder,
}

/// The settings with this many clients per tenant, `svc-0` and so on.
pub(crate) fn settings(clients: usize) -> String {
    let clients_of = |tenant: &str| {
        (0..clients).fold(String::new(), |mut text, number| {
            let secret = format!("client_secret: {{ env: {tenant}_SECRET }}");
            writeln!(text, "      svc-{number}: {{ {secret}, audiences: [api], scopes: [api:read] }}")
                .unwrap();
            text
        })
    };
    SETTINGS
        .replace("CLIENTS-OF-ACME\n", &clients_of("ACME"))
        .replace("CLIENTS-OF-GLOBEX\n", &clients_of("GLOBEX"))
}

impl TestEnv {
    pub(crate) fn new(redis_url: Option<String>) -> Self {
        Self::on(&Server::shared(), redis_url)
    }

    /// Creates an installation with its own Redis.
    pub(crate) fn with_redis() -> (RedisServer, Self) {
        let redis = RedisServer::started();
        let test_env = Self::new(Some(redis.url()));
        (redis, test_env)
    }

    pub(crate) fn on(server: &Server, redis_url: Option<String>) -> Self {
        let sealing_key = SealingKey::generate().unwrap().to_base64().expose().to_owned();
        let secrets = [(); 3].map(|()| GeneratedSecret::generate().secret.expose().to_owned());
        Self { database: Database::on(server), sealing_key, redis_url, secrets }
    }

    pub(crate) fn secret_of(&self, tenant: &str) -> &str {
        &self.secrets[TENANTS.iter().position(|known| *known == tenant).unwrap()]
    }

    /// The secret of a client whose settings name NEW_SECRET.
    pub(crate) fn new_secret(&self) -> &str {
        &self.secrets[2]
    }

    pub(crate) fn start(&self, settings: &str) -> Replica {
        let folder = Folder::with(settings);
        let mut command = self.command(&folder, &["serve"]);
        Replica { program: Program::spawn(&folder, &mut command), folder }
    }

    /// Starts another build of the program.
    pub(crate) fn start_other(&self, program: &Path, settings: &str) -> Replica {
        let folder = Folder::with(settings);
        let mut command = self.other_command(program, &folder, &["serve"]);
        Replica { program: Program::spawn(&folder, &mut command), folder }
    }

    /// A command of another build of the program.
    pub(crate) fn other_command(&self, program: &Path, folder: &Folder, arguments: &[&str]) -> Command {
        let own = self.command(folder, arguments);
        let mut command = Command::new(program);
        command.args(own.get_args()).current_dir(own.get_current_dir().unwrap()).env_clear();
        command.envs(own.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// A command of the program that uses this installation.
    pub(crate) fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.program(arguments);
        command.env("LATCHKEY__STORAGE__URL", self.database.url());
        command.env("LATCHKEY_SEALING_KEY", &self.sealing_key);
        folder.canaries.add(&self.sealing_key);
        if let Some(url) = &self.redis_url {
            command.env("LATCHKEY__CACHE__REDIS_URL", url);
        }
        for (name, secret) in ["ACME_SECRET", "GLOBEX_SECRET", "NEW_SECRET"].iter().zip(&self.secrets) {
            command.env(name, secret);
            folder.canaries.add(secret);
        }
        command
    }

    /// Creates the first administrator.
    pub(crate) async fn administrator(&self, replica: &Replica) -> Administrator {
        let mut init = self.command(&replica.folder, &["admin", "init", "--json"]);
        Administrator::init(&replica.program, &mut init, &replica.folder.canaries).await
    }

    /// Starts two programs at the same time, and waits until they have served for a while.
    pub(crate) async fn start_two(&self, settings: &str) -> [Replica; 2] {
        let replicas = thread::scope(|scope| {
            let starts = [(); 2].map(|()| scope.spawn(|| self.start(settings)));
            starts.map(|start| start.join().unwrap())
        });
        for replica in &replicas {
            replica.open_connections().await;
        }
        replicas
    }
}

impl Replica {
    /// Sends requests for unknown tenants until the store's connection pool is full. On a busy machine,
    /// opening a connection may take longer than a request waits, which these tests are not about.
    pub(crate) async fn open_connections(&self) {
        let mut round = 0;
        let all_answered = async || {
            round += 1;
            let mut requests = JoinSet::new();
            for number in 0..16 {
                let path = tenant_path(&format!("unknown-{round}-{number}"), "/strategies");
                requests.spawn(Answer::to(self.program.request(Method::GET, &path)));
            }
            requests.join_all().await.iter().all(|answer| answer.status == 404)
        };
        eventually("connections to the store are open", LONGEST, all_answered).await;
    }
}
