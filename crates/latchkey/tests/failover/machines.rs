//! Three machines with etcd and PostgreSQL under Patroni, and one HAProxy, all on the loopback interface.
//! Patroni reaches etcd and the other Patronis through forwarders, so that a test can cut off a machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::free_port;

use crate::database::Server;
use crate::files::{self, MACHINES, local, name_of, printed, replaced};
use crate::forwarder::Forwarder;
use crate::host::run;
use crate::process::{Process, give, guarded, unprivileged};
use crate::scene::Storage;
use crate::test_servers::{LONGEST, eventually, server_path};

/// The first start creates three databases.
const START: Duration = Duration::from_secs(90);
/// The longest time for a failover or for a return of a machine: ttl, and a margin for a busy machine.
pub(crate) const FAILOVER: Duration = Duration::from_secs(60);

/// How commits are replicated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replication {
    /// As in the file.
    Synchronous,
    Asynchronous,
}

pub(crate) struct Machines {
    // Fields drop in this order: the folder last.
    _haproxy: Process,
    nodes: Vec<Node>,
    etcds: Vec<Etcd>,
    ports: Ports,
    folder: TempDir,
}

/// Patroni and its PostgreSQL.
struct Node {
    patroni: Option<Process>,
    folder: PathBuf,
    /// Between this Patroni and each etcd.
    to_etcd: Vec<Forwarder>,
    /// Between the other Patronis and this one.
    to_patroni: Forwarder,
    postgres: u16,
    /// Where HAProxy asks.
    rest: u16,
}

struct Etcd {
    process: Process,
    settings: PathBuf,
}

#[derive(Clone, Copy)]
pub(crate) struct Ports {
    /// HAProxy's port for PostgreSQL.
    pub(crate) database: u16,
    /// HAProxy's port for Latchkey.
    pub(crate) front: u16,
    /// The ports of the replicas. Nothing listens at the last one, as on a machine without Latchkey.
    pub(crate) latchkey: [u16; MACHINES],
}

impl Machines {
    /// Starts everything but Latchkey, and waits until the primary has two standbys.
    pub(crate) async fn start(replication: Replication) -> Self {
        let folder = TempDir::new().unwrap();
        let clients = [(); MACHINES].map(|()| free_port());
        let etcds = start_etcds(folder.path(), clients);
        for client in clients {
            is_decided(client).await;
        }
        let mut nodes = Vec::new();
        for machine in 0..MACHINES {
            nodes.push(Node::prepare(folder.path(), machine, clients, replication).await);
        }
        give(folder.path());
        let ports = Ports {
            database: free_port(),
            front: free_port(),
            latchkey: [(); MACHINES].map(|()| free_port()),
        };
        let haproxy = start_haproxy(folder.path(), ports, &nodes);
        for node in &mut nodes {
            node.start();
        }
        let machines = Self { _haproxy: haproxy, nodes, etcds, ports, folder };
        let (began, standbys) = (
            Instant::now(),
            match replication {
                Replication::Synchronous => vec!["replica", "sync_standby"],
                Replication::Asynchronous => vec!["replica", "replica"],
            },
        );
        loop {
            let mut roles = machines.members().await.into_iter().map(|(_, role)| role).collect::<Vec<_>>();
            roles.sort_unstable();
            if roles == [&["leader"], &standbys[..]].concat() && machines.timeline().is_some() {
                return machines;
            }
            assert!(began.elapsed() < START, "the machines are not ready: {roles:?}");
            sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The PostgreSQL behind HAProxy.
    pub(crate) fn server(&self) -> Server {
        let url = format!("postgres://postgres:SUPERUSER-PASSWORD@{}/postgres", local(self.ports.database));
        Server(url.parse().unwrap())
    }

    /// The URL of a database, with all machines instead of HAProxy.
    pub(crate) fn without_haproxy(&self, url: &str) -> Storage {
        let all: Vec<_> = self.nodes.iter().map(|node| local(node.postgres)).collect();
        let haproxy = local(self.ports.database);
        assert!(url.contains(&haproxy), "{url}");
        Storage::of_sessions(url.replace(&haproxy, &all.join(",")))
    }

    /// The timeline of the primary behind HAProxy. `None` if there is no primary.
    pub(crate) fn timeline(&self) -> Option<String> {
        let sql = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) WHERE NOT pg_is_in_recovery()";
        let ran = self.server().command("postgres", sql);
        Some(ran.out.trim().to_owned()).filter(|found| ran.code == Some(0) && !found.is_empty())
    }

    /// Machines and their roles, as any Patroni sees them.
    async fn members(&self) -> Vec<(usize, String)> {
        for node in &self.nodes {
            if let Ok(answer) = node.ask(Method::GET, "/cluster").send().await
                && let Ok(said) = answer.json::<Value>().await
            {
                let member = |member: &Value| {
                    let machine = (0..MACHINES).find(|number| member["name"] == name_of(*number).as_str())?;
                    let is_running = matches!(member["state"].as_str()?, "running" | "streaming");
                    Some((machine, member["role"].as_str()?.to_owned())).filter(|_| is_running)
                };
                return said["members"].as_array().unwrap().iter().filter_map(member).collect();
            }
        }
        Vec::new()
    }

    pub(crate) async fn primary(&self) -> usize {
        self.with_role("leader").await.expect("there is a primary")
    }

    pub(crate) async fn synchronous_standby(&self) -> usize {
        self.with_role("sync_standby").await.expect("there is a synchronous standby")
    }

    async fn with_role(&self, role: &str) -> Option<usize> {
        self.members().await.into_iter().find(|(_, known)| known == role).map(|(machine, _)| machine)
    }

    /// Kills Patroni and all processes of its PostgreSQL.
    pub(crate) fn kill(&mut self, machine: usize) {
        let node = &mut self.nodes[machine];
        node.patroni.take().unwrap().kill();
        node.signal_postgres("KILL", |_| true);
    }

    /// Starts a killed machine again, and waits until it is a standby.
    pub(crate) async fn return_of(&mut self, machine: usize) -> Duration {
        self.nodes[machine].start();
        self.is_standby(machine).await
    }

    pub(crate) async fn is_standby(&self, machine: usize) -> Duration {
        let began = Instant::now();
        while !self.members().await.iter().any(|(known, role)| *known == machine && role != "leader") {
            assert!(began.elapsed() < FAILOVER, "{} is no standby", name_of(machine));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        began.elapsed()
    }

    /// Asks Patroni to make the other machine the primary.
    pub(crate) async fn switch_over(&self, from: usize, to: usize) {
        let wish = json!({ "leader": name_of(from), "candidate": name_of(to) });
        let request = self.nodes[from].ask(Method::POST, "/switchover").json(&wish).timeout(FAILOVER);
        let answer = request.basic_auth("patroni", Some("PATRONI-PASSWORD")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.text().await);
    }

    /// Patroni on this machine reaches neither etcd nor another Patroni, and answers none. So that the other
    /// two need no forwarder for each other, they do not reach each other either, which they do not need.
    pub(crate) fn cut_off(&self, machine: usize) {
        self.nodes[machine].to_etcd.iter().for_each(Forwarder::hang);
        self.nodes.iter().for_each(|node| node.to_patroni.hang());
    }

    /// Ends [`Machines::cut_off`].
    pub(crate) async fn join(&mut self, machine: usize) {
        for forwarder in &mut self.nodes[machine].to_etcd {
            forwarder.refuse().await;
            forwarder.accept().await;
        }
        for node in &mut self.nodes {
            node.to_patroni.refuse().await;
            node.to_patroni.accept().await;
        }
    }

    pub(crate) fn kill_etcd(&mut self) {
        self.etcds.iter_mut().for_each(|etcd| etcd.process.kill());
    }

    pub(crate) fn start_etcd(&mut self) {
        self.etcds.iter_mut().for_each(Etcd::start);
    }

    /// Stops the processes of a primary that send its log to standbys, as a lost network would.
    pub(crate) fn stop_replication(&self, machine: usize) {
        let began = Instant::now();
        let node = &self.nodes[machine];
        while node.signal_postgres("STOP", |line| line.contains("walsender")) < MACHINES - 1 {
            assert!(began.elapsed() < LONGEST, "two standbys are connected");
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            if let Some(mut patroni) = node.patroni.take() {
                patroni.kill();
            }
            // A stopped process would keep its server from stopping.
            node.signal_postgres("CONT", |_| true);
            node.signal_postgres("QUIT", |_| true);
        }
        let began = Instant::now();
        while began.elapsed() < LONGEST
            && self.nodes.iter().any(|node| node.signal_postgres("QUIT", |_| true) > 0)
        {
            sleep(Duration::from_millis(100));
        }
    }
}

impl Node {
    async fn prepare(
        folder: &Path,
        machine: usize,
        etcds: [u16; MACHINES],
        replication: Replication,
    ) -> Self {
        let own = folder.join(name_of(machine));
        fs::create_dir(&own).unwrap();
        let [postgres, rest] = [free_port(), free_port()];
        let mut to_etcd = Vec::new();
        let mut hosts = Vec::new();
        for port in etcds {
            let (forwarder, address) = forwarder_to(port).await;
            to_etcd.push(forwarder);
            hosts.push(address);
        }
        let (to_patroni, peers) = forwarder_to(rest).await;
        let place = own.to_str().unwrap();
        let mut replacements = vec![
            ("name: node1".to_owned(), format!("name: {}", name_of(machine))),
            ("listen: 10.0.0.1:8008".to_owned(), format!("listen: {}", local(rest))),
            ("connect_address: 10.0.0.1:8008".to_owned(), format!("connect_address: {peers}")),
            (
                "hosts: 10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379".to_owned(),
                // Otherwise Patroni asks etcd for its addresses, and goes around the forwarders.
                format!("hosts: {}\n  use_proxies: true", hosts.join(",")),
            ),
            ("10.0.0.1:5432".to_owned(), local(postgres)),
            ("/var/lib/postgresql/15/latchkey".to_owned(), format!("{place}/data")),
            (
                "/usr/lib/postgresql/15/bin".to_owned(),
                server_path("LATCHKEY_TEST_POSTGRES_BIN").to_str().unwrap().to_owned(),
            ),
            ("/var/lib/postgresql/.pgpass-patroni".to_owned(), format!("{place}/pgpass")),
            ("/var/run/postgresql".to_owned(), place.to_owned()),
            ("10.0.0.0/24".to_owned(), "127.0.0.1/32".to_owned()),
            // Nothing may restart the machine that runs tests.
            ("mode: automatic".to_owned(), "mode: off".to_owned()),
        ];
        if replication == Replication::Asynchronous {
            replacements.push(("synchronous_mode: true".to_owned(), "synchronous_mode: false".to_owned()));
            // A checkpoint makes the log of a few writes this large.
            let lag = "maximum_lag_on_failover: ";
            replacements.push((format!("{lag}1048576"), format!("{lag}16777216")));
        }
        fs::write(own.join("patroni.yaml"), replaced(files::PATRONI, &replacements)).unwrap();
        Self { patroni: None, folder: own, to_etcd, to_patroni, postgres, rest }
    }

    fn start(&mut self) {
        let mut command = unprivileged(Path::new("/usr/bin/patroni"));
        command.arg(self.folder.join("patroni.yaml")).current_dir(&self.folder).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
        self.patroni = Some(Process::start(&mut command, &self.folder.join("log")));
    }

    fn ask(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        http.request(method, format!("http://{}{path}", local(self.rest))).timeout(Duration::from_secs(2))
    }

    /// Sends a signal to those processes of this PostgreSQL whose command line passes the filter. Returns
    /// their number.
    fn signal_postgres(&self, signal: &str, is_meant: impl Fn(&str) -> bool) -> usize {
        let first = fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let Some(server) = first.ok().and_then(|text| text.lines().next().map(str::to_owned)) else {
            return 0;
        };
        // The number may belong to another process if this server has ended.
        let line = |id: &str| fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        if !line(&server).contains(self.folder.to_str().unwrap()) {
            return 0;
        }
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.unwrap_or_default();
        let processes = [server.as_str()].into_iter().chain(children.split_whitespace());
        let meant: Vec<_> = processes.filter(|id| is_meant(&line(id))).collect();
        if !meant.is_empty() {
            // A child that has just ended is not an error.
            drop(run(Command::new("kill").arg(format!("-{signal}")).args(&meant)));
        }
        meant.len()
    }
}

impl Etcd {
    fn start(&mut self) {
        self.process = start_etcd(&self.settings);
    }
}

fn start_etcd(settings: &Path) -> Process {
    let mut command = guarded();
    command.arg("etcd").arg("--config-file").arg(settings);
    Process::start(&mut command, &settings.with_extension("log"))
}

fn start_etcds(folder: &Path, clients: [u16; MACHINES]) -> Vec<Etcd> {
    let peers = [(); MACHINES].map(|()| free_port());
    let start = |machine: usize| {
        let name = name_of(machine);
        let data = folder.join(format!("etcd-{name}"));
        // The list of all peers first, because it contains the address of this one.
        let all = |address: &dyn Fn(usize) -> String| {
            let named = |number| format!("{}=http://{}", name_of(number), address(number));
            (0..MACHINES).map(named).collect::<Vec<_>>().join(",")
        };
        let replacements = [
            (all(&|number| printed(number, 2380)), all(&|number| local(peers[number]))),
            ("name: node1".to_owned(), format!("name: {name}")),
            ("/var/lib/etcd/latchkey".to_owned(), data.to_str().unwrap().to_owned()),
            (printed(0, 2379), local(clients[machine])),
            (printed(0, 2380), local(peers[machine])),
        ];
        let settings = folder.join(format!("etcd-{name}.yaml"));
        fs::write(&settings, replaced(files::ETCD, &replacements)).unwrap();
        Etcd { process: start_etcd(&settings), settings }
    };
    (0..MACHINES).map(start).collect()
}

/// Patroni ends if it asks etcd before the members have agreed on their version.
async fn is_decided(client: u16) {
    let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let is_so = async || {
        let asked = http.get(format!("http://{}/version", local(client))).timeout(LONGEST).send().await;
        let Ok(answer) = asked else { return false };
        answer.text().await.is_ok_and(|said| said.contains("\"etcdcluster\":\"3."))
    };
    eventually("etcd knows its version", LONGEST, is_so).await;
}

fn start_haproxy(folder: &Path, ports: Ports, nodes: &[Node]) -> Process {
    let mut replacements = vec![
        ("127.0.0.1:5000".to_owned(), local(ports.database)),
        ("bind :8080".to_owned(), format!("bind {}", local(ports.front))),
    ];
    for (machine, node) in nodes.iter().enumerate() {
        replacements.push((
            format!("{} check port 8008", printed(machine, 5432)),
            format!("{} check port {}", local(node.postgres), node.rest),
        ));
        replacements.push((printed(machine, 3000), local(ports.latchkey[machine])));
    }
    let settings = folder.join("haproxy.cfg");
    fs::write(&settings, replaced(files::HAPROXY, &replacements)).unwrap();
    let mut command = guarded();
    command.args(["/usr/sbin/haproxy", "-db", "-f"]).arg(settings);
    Process::start(&mut command, &folder.join("haproxy.log"))
}

/// A forwarder to a port of this machine, and its address.
async fn forwarder_to(port: u16) -> (Forwarder, String) {
    let (forwarder, url) = Forwarder::new(&format!("none@{}/none", local(port))).await;
    (forwarder, url.trim_start_matches("none@").trim_end_matches("/none").to_owned())
}
