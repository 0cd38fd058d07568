//! Faults of PostgreSQL, Patroni and etcd.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::files::{self, local, replaced};
use crate::machines::{Machines, Replication};
use crate::outcome::Names;
use crate::process::{Process, give, unprivileged};
use crate::scene::{Scene, Storage};
use testkit::{free_port, server_variable};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_is_replaced() {
    let mut scene = Scene::on(Replication::Synchronous).await;
    check_kill(&mut scene, "primary and its Patroni killed").await;
}

/// With `postgres://login@10.0.0.1:5432,10.0.0.2:5432,10.0.0.3:5432/latchkey` no HAProxy is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_primary_is_replaced_without_haproxy() {
    let machines = Machines::start(Replication::Synchronous).await;
    let mut scene = Scene::start(machines, None, Machines::without_haproxy).await;
    check_kill(&mut scene, "the same, with three hosts in the URL").await;
}

async fn check_kill(scene: &mut Scene, fault: &'static str) {
    let (primary, before) = (scene.machines.primary().await, scene.machines.timeline().unwrap());
    let standby = scene.machines.synchronous_standby().await;
    let began = Instant::now();
    scene.machines.kill(primary);
    let promoted = scene.promoted(&before).await;
    assert_eq!(scene.machines.primary().await, standby, "only the synchronous standby has every commit");
    scene.pause(3).await;
    let returned = scene.machines.return_of(primary).await;
    eprintln!("measured: the killed machine is a standby {returned:.1?} after its start");
    scene.check_nothing_lost(fault, began, Some(promoted)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_can_be_switched_over() {
    let mut scene = Scene::on(Replication::Synchronous).await;
    check_switchover(&mut scene, "switchover").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_behind_pgbouncer_can_be_switched_over() {
    let machines = Machines::start(Replication::Synchronous).await;
    let mut pgbouncer = None;
    let through = |machines: &Machines, url: &str| {
        let (process, pooled) =
            start_pgbouncer(&machines.folder().join("pgbouncer"), machines.ports().database, url);
        pgbouncer = Some(process);
        Storage { url: pooled, direct_url: Some(url.to_owned()) }
    };
    let mut scene = Scene::start(machines, None, through).await;
    check_switchover(&mut scene, "switchover behind PgBouncer, transaction mode").await;
    drop(scene);
    drop(pgbouncer);
}

/// Starts PgBouncer for the login and the database of the URL. Returns the URL that leads through it.
fn start_pgbouncer(folder: &Path, database: u16, url: &str) -> (Process, String) {
    let (login, rest) = url.trim_start_matches("postgres://").split_once('@').unwrap();
    let (user, password) = login.split_once(':').unwrap();
    let (name, port) = (rest.split_once('/').unwrap().1, free_port());
    fs::create_dir(folder).unwrap();
    let place = folder.to_str().unwrap();
    let settings = [
        (
            "latchkey = host=127.0.0.1 port=5000 dbname=latchkey user=latchkey password=LATCHKEY-PASSWORD",
            format!("{name} = host=127.0.0.1 port={database} dbname={name} user={user} password={password}"),
        ),
        ("listen_port = 6432", format!("listen_port = {port}")),
        ("/etc/pgbouncer", place.to_owned()),
    ];
    let settings = settings.map(|(printed, served)| (printed.to_owned(), served));
    fs::write(folder.join("pgbouncer.ini"), replaced(files::PGBOUNCER, &settings)).unwrap();
    fs::write(folder.join("userlist.txt"), format!("\"{user}\" \"{password}\"\n")).unwrap();
    give(folder);
    let mut command = unprivileged(Path::new(&server_variable("LATCHKEY_TEST_PGBOUNCER")));
    command.arg(folder.join("pgbouncer.ini"));
    let process = Process::start(&mut command, &folder.join("log"));
    while std::net::TcpStream::connect(local(port)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    (process, format!("postgres://{login}@{}/{name}", local(port)))
}

async fn check_switchover(scene: &mut Scene, fault: &'static str) {
    let (primary, before) = (scene.machines.primary().await, scene.machines.timeline().unwrap());
    let standby = scene.machines.synchronous_standby().await;
    let began = Instant::now();
    let promoted = {
        let (switched, promoted) =
            tokio::join!(scene.machines.switch_over(primary, standby), scene.promoted(&before));
        let () = switched;
        promoted
    };
    scene.machines.is_standby(primary).await;
    // Long enough for the connections that were idle meanwhile.
    scene.pause(15).await;
    scene.check_nothing_lost(fault, began, Some(promoted)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_without_etcd_and_peers_demotes_itself() {
    let mut scene = Scene::on(Replication::Synchronous).await;
    let (primary, before) = (scene.machines.primary().await, scene.machines.timeline().unwrap());
    let began = Instant::now();
    scene.machines.cut_off(primary);
    let promoted = scene.promoted(&before).await;
    scene.pause(3).await;
    scene.machines.join(primary).await;
    scene.machines.is_standby(primary).await;
    scene.check_nothing_lost("primary cut off from etcd and from the others", began, Some(promoted)).await;
}

/// As in the file, Patroni goes on without etcd while the primary reaches its standbys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_goes_on_without_etcd() {
    let mut scene = Scene::on(Replication::Synchronous).await;
    let (primary, before) = (scene.machines.primary().await, scene.machines.timeline().unwrap());
    let began = Instant::now();
    scene.machines.kill_etcd();
    // Longer than ttl.
    scene.pause(35).await;
    scene.machines.start_etcd();
    scene.pause(5).await;
    assert_eq!(scene.machines.primary().await, primary);
    assert_eq!(scene.machines.timeline().as_ref(), Some(&before), "nobody was promoted");
    let outcome = scene.check_nothing_lost("all of etcd away for 35 s", began, None).await;
    let refused = outcome.asked.cold.iter().filter(|asked| asked.status() != 200).count();
    assert_eq!(refused, 0, "the store answers throughout");
}

/// Stops the connections to both standbys, and kills the primary after 4 s. Returns the times of the stop, of
/// the kill and of the promotion.
async fn hang_and_kill_primary(scene: &mut Scene) -> [Instant; 3] {
    let (primary, before) = (scene.machines.primary().await, scene.machines.timeline().unwrap());
    scene.machines.stop_replication(primary);
    let stopped = Instant::now();
    scene.pause(4).await;
    let began = Instant::now();
    scene.machines.kill(primary);
    let promoted = scene.promoted(&before).await;
    scene.pause(3).await;
    // The previous primary may have transactions that no other machine has. It discards them.
    let returned = scene.machines.return_of(primary).await;
    eprintln!("measured: the previous primary is a standby {returned:.1?} after its start");
    [stopped, began, promoted]
}

/// The promoted standby does not have the last transactions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asynchronous_standby_loses_what_it_lacks() {
    let mut scene = Scene::on(Replication::Asynchronous).await;
    let [stopped, began, promoted] = hang_and_kill_primary(&mut scene).await;
    let reached = scene.check_recovered().await;
    let outcome = scene.end("asynchronous standby promoted with a lag", began, Some(promoted)).await;
    let (acknowledged, stored) = (outcome.acknowledged(), scene.stored().await);
    let lost: Names = acknowledged.difference(&stored).cloned().collect();
    let done = stored.difference(&acknowledged).count();
    outcome.print(lost.len(), done, &format!("a suspension reaches the other replica in {reached:.2?}"));
    outcome.check_answers();
    outcome.check_working_again();
    // A write at the moment of the stop may be lost or not.
    let surely = outcome.acknowledged_between(stopped, began);
    assert!(surely.len() > 10, "{} lost writes are too few to mean anything", surely.len());
    let unsure = outcome.acknowledged_between(stopped - std::time::Duration::from_secs(2), promoted);
    assert!(lost.is_superset(&surely), "stored though no standby had it: {:?}", surely.difference(&lost));
    assert!(lost.is_subset(&unsure), "lost though a standby had it: {:?}", lost.difference(&unsure));
    scene.check_told(&surely, &lost);
    scene.check_repeats(&outcome, &lost).await;
}

/// The same with a synchronous standby: what no standby has is not acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn synchronous_standby_loses_nothing() {
    let mut scene = Scene::on(Replication::Synchronous).await;
    let [stopped, began, promoted] = hang_and_kill_primary(&mut scene).await;
    let fault = "synchronous standby promoted after its connection hung";
    let outcome = scene.check_nothing_lost(fault, began, Some(promoted)).await;
    let meanwhile = outcome.acknowledged_between(stopped, began);
    assert!(meanwhile.is_empty(), "acknowledged though no standby had it: {meanwhile:?}");
}
