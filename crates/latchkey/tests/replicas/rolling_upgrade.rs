//! Tests an upgrade of two replicas, one after the other, behind HAProxy with the lines of
//! `deploy/proxies/haproxy.cfg` for several replicas: no token request and no administration fails.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use testkit::free_port;
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::folder::Folder;
use crate::load::Load;
use crate::program::Mark;
use crate::proxy_process::ProxyProcess;
use crate::running::tenant_path;
use crate::test_env::{TENANTS, TestEnv, settings};
use crate::test_servers::server_path;

const FILE: &str = include_str!("../../../../deploy/proxies/haproxy.cfg");
/// Pause between two clients that the administrator creates.
const PACE: Duration = Duration::from_millis(200);
const CALLERS: usize = 4;

/// `cargo xtask ci --only "version before"` builds the version before and runs this test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_upgrade_fails_no_request() {
    let test_env = TestEnv::new(None);
    let earlier = server_path("LATCHKEY_TEST_EARLIER_PROGRAM");
    let [front, ports @ ..] = [(); 3].map(|()| free_port());
    let settings_at = |port| settings(2).replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let mut replicas = Vec::from(ports.map(|port| test_env.start_other(&earlier, &settings_at(port))));
    for replica in &replicas {
        replica.open_connections().await;
    }
    let schema = || test_env.database.query("SELECT MAX(version) FROM _sqlx_migrations");
    let schema_before = schema();
    let mut init = test_env.other_command(&earlier, &replicas[0].folder, &["admin", "init", "--json"]);
    let (program, canaries) = (&replicas[0].program, &replicas[0].folder.canaries);
    let administrator = Administrator::init(program, &mut init, canaries).await;

    let folder = Folder::with("");
    let _haproxy = haproxy(&folder, front, ports);
    let origin = format!("http://127.0.0.1:{front}");
    let load = Load::at(vec![origin.clone()], CALLERS, &test_env, &replicas, 1).await;
    let ended = Arc::new(AtomicBool::new(false));
    let creating = tokio::spawn(create(administrator.at_origin(&origin), Arc::clone(&ended)));

    for port in ports {
        let began = Instant::now();
        replicas.remove(0).program.stop();
        let stopped = began.elapsed();
        let replica = test_env.start(&settings_at(port));
        replica.open_connections().await;
        replica.program.log_after(Mark::START, "/oauth/token");
        load.more(200).await;
        eprintln!("measured: a replica stops in {stopped:?}, and is replaced in {:?}", began.elapsed());
        replicas.push(replica);
    }
    ended.store(true, Ordering::Relaxed);
    let mut created = creating.await.unwrap();
    let answered = load.assert_none_failed(500).await;
    let schemas = (schema_before, schema());
    eprintln!(
        "measured: schemas {schemas:?}: {answered} token requests, {} clients, 0 failed",
        created.len()
    );
    assert_ne!(schemas.0, schemas.1);
    let mut stored = Vec::new();
    for tenant in TENANTS {
        let clients = administrator.at_origin(&origin).all(&tenant_path(tenant, "/clients")).await;
        stored.extend(clients.iter().map(|client| client["client_id"].as_str().unwrap().to_owned()));
    }
    stored.retain(|client| !client.starts_with("svc-"));
    assert!(created.len() > 10, "{created:?}");
    stored.sort_unstable();
    created.sort_unstable();
    assert_eq!(stored, created, "each acknowledged client is stored once");
}

/// HAProxy with the lines of the file that are for several replicas, without TLS.
fn haproxy(folder: &Folder, front: u16, [one, two]: [u16; 2]) -> ProxyProcess {
    let defaults = FILE.split("\ndefaults\n").nth(1).unwrap().split("\nfrontend ").next().unwrap();
    let replicas = FILE.split("# Several replicas:").nth(1).unwrap();
    let replicas = replicas.lines().skip(1).map_while(|line| line.trim().strip_prefix("#   "));
    let backend = replicas.map(|line| format!("    {line}\n")).collect::<String>();
    let backend = backend.replace("10.0.0.1:3000", &format!("127.0.0.1:{one}"));
    let backend = backend.replace("10.0.0.2:3000", &format!("127.0.0.1:{two}"));
    assert_eq!(backend.matches("127.0.0.1:").count(), 2, "{backend}");
    let text = format!(
        "defaults\n{defaults}\nfrontend front\n    bind 127.0.0.1:{front}\n    default_backend latchkey\n\
         backend latchkey\n{backend}"
    );
    folder.write("haproxy.cfg", &text);
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(folder.path("haproxy.cfg"));
    ProxyProcess::start(&mut command, folder.path("").as_path(), &[&format!("127.0.0.1:{front}")])
}

/// Creates clients of both tenants until the end, and returns their ids. Each creation must succeed.
async fn create(administrator: Administrator, ended: Arc<AtomicBool>) -> Vec<String> {
    let mut created = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let path = tenant_path(TENANTS[created.len() % TENANTS.len()], "/clients");
        let client = json!({ "audiences": ["api"], "scopes": ["api:read"] });
        let said = administrator.send_request(Method::POST, &path, Some(client)).await;
        created.push(said["client_id"].as_str().unwrap().to_owned());
        sleep(PACE).await;
    }
    created
}
