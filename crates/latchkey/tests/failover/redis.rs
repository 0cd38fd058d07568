//! Faults of the Redis that replicas share, under Sentinel and as a cluster. PostgreSQL stays as it is.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{RedisServer, free_port};

use crate::files::{self, MACHINES, name_of, printed, replaced};
use crate::host::run;
use crate::machines::{Machines, Replication};
use crate::numbers::Numbers;
use crate::scene::{Scene, behind_haproxy};
use crate::test_servers::{LONGEST, eventually};

const PASSWORD: &str = "REDIS-PASSWORD";
/// The longest pause between two attempts to use Redis again, a failover of Sentinels, and a margin.
const USED_AGAIN: Duration = Duration::from_secs(40);

/// A server with this file, in its own folder. Its address and port are arguments, which override the file.
fn server(folder: &Path, name: &str, text: &str, more: &[&str]) -> RedisServer {
    let own = folder.join(name);
    fs::create_dir(&own).unwrap();
    let place = [("dir /var/lib/redis".to_owned(), format!("dir {}", own.display()))];
    let file = own.join("settings.conf");
    fs::write(&file, replaced(text, &place)).unwrap();
    RedisServer::with_arguments(&[&[file.to_str().unwrap()], more].concat())
}

fn ask(server: &RedisServer, words: &[&str]) -> String {
    let (host, port) =
        server.host().split_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let mut command = Command::new("redis-cli");
    command.args(["--no-auth-warning", "-a", PASSWORD, "-h", &host, "-p", &port]).args(words);
    run(&mut command).out
}

async fn until(server: &RedisServer, words: &[&str], text: &str) {
    eventually(text, LONGEST, async || ask(server, words).contains(text)).await;
}

/// Both replicas use Redis.
async fn used(scene: &Scene) -> Duration {
    let began = Instant::now();
    for replica in &scene.replicas {
        let is_up = async || Numbers::from_replica(replica).await.redis_is_up;
        eventually("Redis is used", USED_AGAIN, is_up).await;
    }
    began.elapsed()
}

/// Both replicas have noticed that Redis is missing.
async fn missed(scene: &Scene, outages: [u64; 2]) {
    for (replica, before) in scene.replicas.iter().zip(outages) {
        let is_noticed = async || Numbers::from_replica(replica).await.outages > before;
        eventually("the outage is noticed", LONGEST, is_noticed).await;
    }
}

async fn outages(scene: &Scene) -> [u64; 2] {
    let [one, other] = &scene.replicas;
    [Numbers::from_replica(one).await.outages, Numbers::from_replica(other).await.outages]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_redis_primary_is_replaced_by_sentinels() {
    let machines = Machines::start(Replication::Synchronous).await;
    let folder = machines.folder().to_owned();
    let mut primary = server(&folder, "redis-node1", files::REDIS, &[]);
    let (host, port) =
        primary.host().split_once(':').map(|(host, port)| (host.to_owned(), port.to_owned())).unwrap();
    let copies: Vec<_> = (1..MACHINES)
        .map(|machine| {
            // The line that the file's comment names.
            let line = format!("replicaof {}", printed(0, 6379).replace(':', " "));
            assert!(files::REDIS.contains(&line));
            let text = format!("{}\nreplicaof {host} {port}\n", files::REDIS);
            server(&folder, &format!("redis-{}", name_of(machine)), &text, &[])
        })
        .collect();
    for copy in &copies {
        until(copy, &["ROLE"], "connected").await;
    }
    let monitored = [(printed(0, 6379).replace(':', " "), format!("{host} {port}"))];
    let sentinels: Vec<_> = (0..MACHINES)
        .map(|machine| {
            let text = replaced(files::SENTINEL, &monitored);
            server(&folder, &format!("sentinel-{}", name_of(machine)), &text, &["--sentinel"])
        })
        .collect();
    for sentinel in &sentinels {
        until(sentinel, &["SENTINEL", "CKQUORUM", "latchkey"], "OK 3 usable Sentinels").await;
        until(sentinel, &["SENTINEL", "MASTER", "latchkey"], "num-slaves\n2").await;
    }
    let hosts: Vec<_> = sentinels.iter().map(RedisServer::host).collect();
    let url = format!("redis+sentinel://:{PASSWORD}@{}/latchkey", hosts.join(","));
    let mut scene = Scene::start(machines, Some(url), behind_haproxy).await;
    used(&scene).await;
    let before = outages(&scene).await;
    let began = Instant::now();
    primary.kill();
    missed(&scene, before).await;
    used(&scene).await;
    let again = began.elapsed();
    let is_master = |copy: &RedisServer| ask(copy, &["ROLE"]).starts_with("master");
    assert_eq!(copies.iter().filter(|copy| is_master(copy)).count(), 1, "one copy was promoted");
    eprintln!("measured: Redis is used again {again:.1?} after its primary was killed");
    scene.pause(15).await;
    let outcome = scene.check_nothing_lost("Redis primary killed under three Sentinels", began, None).await;
    let refused = outcome.asked.cold.iter().filter(|asked| asked.status() != 200).count();
    assert_eq!(refused, 0, "the store answers throughout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_node_of_a_redis_cluster_is_missed_by_nobody() {
    let machines = Machines::start(Replication::Synchronous).await;
    let folder = machines.folder().to_owned();
    let mut nodes: Vec<_> = (0..MACHINES)
        .map(|machine| {
            let (name, bus) = (name_of(machine), free_port().to_string());
            // The port of the file's bus is in the range that the system uses for connections.
            server(&folder, &format!("redis-{name}"), files::REDIS_CLUSTER, &["--cluster-port", &bus])
        })
        .collect();
    let hosts: Vec<_> = nodes.iter().map(RedisServer::host).collect();
    // As the file's comment says.
    let mut create = Command::new("redis-cli");
    create.args(["--no-auth-warning", "-a", PASSWORD, "--cluster-yes", "--cluster", "create"]);
    let made = run(create.args(&hosts)).output();
    assert!(made.contains("All 16384 slots covered"), "{made}");
    let url = format!("redis+cluster://:{PASSWORD}@{}", hosts.join(","));
    let mut scene = Scene::start(machines, Some(url), behind_haproxy).await;
    used(&scene).await;
    let began = Instant::now();
    for node in &mut nodes {
        node.kill();
        scene.pause(8).await;
        node.start();
        scene.pause(4).await;
    }
    let again = used(&scene).await;
    eprintln!("measured: all nodes are used {again:.1?} after the last one is back");
    let outcome = scene.check_nothing_lost("each node of a Redis Cluster killed for 8 s", began, None).await;
    let refused = outcome.asked.cold.iter().filter(|asked| asked.status() != 200).count();
    assert_eq!(refused, 0, "the store answers throughout");
}
