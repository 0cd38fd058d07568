//! Tests events after which the numbers of the log and of transactions are used again for other changes: a
//! failover to a standby that had not received all transactions, a crash, a restore, and a change to a copy.
//! Every change after such an event must still take effect at every replica, and callers with cached rows get
//! tokens in the meantime.

use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use crate::administrator::Administrator;
use crate::database::Server;
use crate::forwarder::Forwarder;
use crate::host::run;
use crate::load::Load;
use crate::postgres_server::PostgresServer;
use crate::program::Mark;
use crate::revocation::{NOTIFIED, introspect, revoke};
use crate::running::tenant_path;
use crate::store_copy::patiently;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// How many transactions are lost, more than there are after the promotion.
const LOST: usize = 60;
/// How often a client of acme is suspended and resumed in transactions that are lost.
const LOST_SUSPENSIONS: i64 = 3;
const AUDIT: &str = "audit.jsonl";

/// Two replicas that reach their server through a forwarder, while callers with cached rows get tokens.
struct Scene {
    forwarder: Forwarder,
    test_env: TestEnv,
    replicas: [Replica; 2],
    load: Load,
}

type Tokens = Vec<(&'static str, String)>;

impl Scene {
    async fn before(postgres: &PostgresServer) -> Self {
        let (forwarder, url) = Forwarder::new(postgres.server().0.as_str()).await;
        let test_env = TestEnv::on(&Server(url.parse().unwrap()), None);
        let stream = format!("default_tenant: acme, audit: {{ stream: {{ file: {AUDIT} }} }}");
        let replicas = test_env.start_two(&settings(2).replace("default_tenant: acme", &stream)).await;
        let load = Load::of(2, &test_env, &replicas, 1).await;
        Self { forwarder, test_env, replicas, load }
    }

    /// Tokens of each tenant, which both replicas have found active.
    async fn tokens(&self) -> Tokens {
        let mut tokens = Vec::new();
        for tenant in TENANTS {
            let secret = self.test_env.secret_of(tenant);
            let token = self.replicas[1].program.token(tenant, "svc-0", secret).await;
            self.eventually_active(tenant, &token, true).await;
            tokens.push((tenant, token));
        }
        tokens
    }

    /// Whether the token is active. `None` if the replica does not know, and says when to ask again.
    async fn judged(&self, replica: &Replica, tenant: &str, token: &str) -> Option<bool> {
        let answer = introspect(&self.test_env, replica, tenant, token).await;
        if answer.status == 503 {
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
            return None;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["active"].as_bool()
    }

    async fn eventually_active(&self, tenant: &str, token: &str, is_active: bool) {
        for replica in &self.replicas {
            let is_so = async || self.judged(replica, tenant, token).await == Some(is_active);
            eventually("a replica says whether a token is active", LONGEST, is_so).await;
        }
    }

    /// Revokes each token at the first replica as soon as the store accepts writes.
    async fn check_revocations(&self, event: &str, began: Instant, tokens: &Tokens) {
        let [one, other] = &self.replicas;
        for (tenant, token) in tokens {
            let is_revoked = async || revoke(&self.test_env, one, tenant, token).await == 200;
            eventually("the store takes writes", LONGEST, is_revoked).await;
            let (revoked, mut unknown) = (Instant::now(), 0);
            let is_ended = async || {
                let judged = self.judged(other, tenant, token).await;
                unknown += u32::from(judged.is_none());
                judged == Some(false)
            };
            eventually("the other replica knows", NOTIFIED, is_ended).await;
            eprintln!(
                "measured: {event}: a revocation counts at the other replica {:?} after it and {:?} after the \
                 event, {unknown} introspections of it answer 503",
                revoked.elapsed(),
                began.elapsed()
            );
        }
        for (tenant, token) in tokens {
            self.eventually_active(tenant, token, false).await;
            for replica in self.replicas.iter().cycle().take(6) {
                assert_eq!(self.judged(replica, tenant, token).await, Some(false), "the facts are there");
            }
        }
    }

    /// The last number of the audit of acme.
    fn last_number(&self, server: &PostgresServer) -> i64 {
        let number = "SELECT MAX(position) FROM audit_records WHERE tenant_id = 'acme'";
        server.server().query(&self.test_env.database.name, number).parse().unwrap()
    }

    /// The lines of the audit stream about acme. One of the replicas wrote them.
    fn stream(&self) -> Vec<Value> {
        let folders = self.replicas.iter().map(|replica| &replica.folder);
        let texts: Vec<_> = folders.filter(|of| of.exists(AUDIT)).map(|folder| folder.read(AUDIT)).collect();
        let lines = texts.iter().flat_map(|text| text.lines());
        lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["audit"]["tenant"] == "acme")
            .collect()
    }

    /// Waits until the audit stream contains such a line about acme.
    async fn eventually_streamed(&self, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let found = || self.stream().into_iter().find(&is_wanted);
        eventually("the audit stream has the line", LONGEST, async || found().is_some()).await;
        found().unwrap()
    }

    /// Asserts that both replicas say what acme lost, and nothing about globex, and that the audit stream
    /// withdraws the lost numbers. New records have the first of these numbers.
    async fn check_loss(&self, kept: i64, lost: i64, reused: i64) {
        let expected = format!("{}-{lost}", kept + 1);
        for replica in &self.replicas {
            replica.program.log_after(Mark::START, "the store lost changes");
            let is_loss =
                |line: &Value| line["message"].as_str().is_some_and(|text| text.contains("the store lost"));
            let losses: Vec<_> = replica.program.log().into_iter().filter(is_loss).collect();
            // The platform's own tenant may lose a change of its keys, which has a revision but no
            // record.
            let is_declared = |line: &&Value| line["tenant"] != "platform";
            let told: Vec<_> = losses
                .iter()
                .filter(is_declared)
                .map(|line| (line["tenant"].as_str(), line["audit_numbers"].as_str()))
                .collect();
            assert_eq!(told, [(Some("acme"), Some(expected.as_str()))]);
            // Keys have changes without a record.
            let counts = losses.iter().map(|line| {
                let [before, now] =
                    ["before", "now"].map(|when| line[format!("revision_{when}")].as_i64().unwrap());
                let records = if line["tenant"] == "acme" { lost - kept } else { 0 };
                records.max(before - now)
            });
            let counted: i64 = counts.sum();
            let metrics = replica.program.get("/metrics").await.body;
            let count = format!("latchkey_lost_changes_total {counted}\n");
            assert!(metrics.contains(&count), "{metrics}");
        }
        let withdrawn = self.eventually_streamed(|line| line["audit"]["action"] == "audit.withdrawn").await;
        let numbers = &withdrawn["audit"]["detail"]["numbers"];
        assert!(numbers["from"].as_i64().unwrap() <= kept + 1 && numbers["to"] == lost, "{withdrawn}");
        let is_reused = |line: &Value| line["chain"] == withdrawn["chain"] && line["position"] == reused;
        self.eventually_streamed(is_reused).await;
        let old = self.stream().into_iter().rfind(|line| line["position"] == lost).unwrap();
        assert_eq!(old["chain"], withdrawn["audit"]["detail"]["chain"]);
        let files: Vec<_> = self.replicas.iter().map(|replica| replica.folder.path(AUDIT)).collect();
        let files = files.iter().filter(|file| file.exists()).map(|file| file.to_str().unwrap());
        let verify = [&["audit", "verify"], &*files.collect::<Vec<_>>()].concat();
        run(&mut self.test_env.command(&self.replicas[0].folder, &verify)).output();
    }

    /// The parts of the identity of the history, followed by the identity.
    fn history(&self, server: &PostgresServer) -> Vec<String> {
        let parts = format!(
            "SELECT concat_ws('|', {}, latchkey_history()) FROM pg_control_system()",
            PARTS.join(", ")
        );
        server.server().query(&self.test_env.database.name, &parts).split('|').map(str::to_owned).collect()
    }

    /// Asserts that exactly these parts of the identity differ, and that the identity differs.
    fn assert_differs(&self, server: &PostgresServer, before: &[String], expected: &[&str]) {
        let now = self.history(server);
        let differs = |(place, _): &(usize, &&str)| before[*place] != now[*place];
        let differing: Vec<_> = PARTS.iter().enumerate().filter(differs).map(|(_, part)| *part).collect();
        assert_eq!(differing, expected, "{before:?} {now:?}");
        assert_ne!(before[PARTS.len()], now[PARTS.len()]);
    }
}

const SERVER: &str = "system_identifier";
const TIMELINE: &str = "left(pg_walfile_name(pg_current_wal_lsn()), 8)";
const START: &str = "pg_postmaster_start_time()";
const DATABASE: &str = "(SELECT oid FROM pg_database WHERE datname = current_database())";
const INCARNATION: &str = "latchkey_incarnation()";
/// The parts of the identity, as in the migration.
const PARTS: [&str; 5] = [SERVER, TIMELINE, START, DATABASE, INCARNATION];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_take_effect_after_a_lossy_failover() {
    let mut primary = PostgresServer::started();
    let mut scene = Scene::before(&primary).await;
    let administrator = scene.test_env.administrator(&scene.replicas[0]).await;
    let (tokens, before) = (scene.tokens().await, scene.history(&primary));
    let standby = primary.standby();
    primary.signal_process("walsender", "STOP");
    let kept_number = scene.last_number(&primary);
    for _ in 0..LOST_SUSPENSIONS {
        suspend_and_resume(&administrator).await;
    }
    let lost_number = scene.last_number(&primary);
    assert_eq!(lost_number - kept_number, 2 * LOST_SUSPENSIONS);
    let mut lost = Vec::new();
    for _ in 0..LOST {
        let token = scene.replicas[0].program.token("acme", "svc-0", scene.test_env.secret_of("acme")).await;
        assert_eq!(revoke(&scene.test_env, &scene.replicas[0], "acme", &token).await, 200);
        lost.push(token);
    }
    scene.eventually_active("acme", &lost[LOST - 1], false).await;
    for (tenant, token) in &tokens {
        scene.eventually_active(tenant, token, true).await;
    }
    scene.eventually_streamed(|line| line["position"] == lost_number).await;
    primary.kill();
    // No checkpoint may end before the identity is read.
    standby.signal_process("checkpointer", "STOP");
    standby.server().query("postgres", "SELECT pg_promote()");
    let promoted = Instant::now();
    scene.forwarder.turn_to(standby.server().0.as_str()).await;
    suspend_and_resume(&administrator).await;
    scene.check_revocations("failover", promoted, &tokens).await;
    scene.check_loss(kept_number, lost_number, kept_number + 2).await;
    scene.eventually_active("acme", &lost[LOST - 1], true).await;
    // The other server has another start time.
    scene.assert_differs(&standby, &before, &[TIMELINE, START]);
    check_that_each_part_counts(&scene);
    standby.signal_process("checkpointer", "CONT");
    scene.load.assert_none_failed(100).await;
    for tenant in TENANTS {
        let path = format!("{}/clients/svc-1/suspend", tenant_path(tenant, ""));
        administrator.send_request(Method::POST, &path, None).await;
        let (secret, other) = (scene.test_env.secret_of(tenant), &scene.replicas[1].program);
        let is_refused = async || other.request_token(tenant, "svc-1", secret).await.status == 401;
        eventually("a suspension counts", NOTIFIED, is_refused).await;
    }
}

/// Adds two records to the audit of acme.
async fn suspend_and_resume(administrator: &Administrator) {
    for step in ["suspend", "resume"] {
        let path = tenant_path("acme", &format!("/clients/svc-1/{step}"));
        let is_done = async || matches!(administrator.send(Method::POST, &path, None).await, Some((200, _)));
        eventually("the store takes writes", LONGEST, is_done).await;
    }
}

/// If the timeline or the server differs, so does the start time. To test each part alone, this computes the
/// identity at one server with another value instead of one part. The last checkpoint still contains the
/// previous timeline.
fn check_that_each_part_counts(scene: &Scene) {
    let database = &scene.test_env.database;
    let checkpoint = "SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint()";
    let timelines = [database.query(checkpoint), database.query(&format!("SELECT {TIMELINE}"))];
    assert_eq!(timelines, ["00000001", "00000002"]);
    let identity = database.query("SELECT prosrc FROM pg_proc WHERE proname = 'latchkey_history'");
    let of_now = database.query("SELECT latchkey_history()");
    assert_eq!(database.query(&identity), of_now);
    for part in PARTS {
        let other = if part == TIMELINE { timelines[0].as_str() } else { "another" };
        let changed = identity.replace(part, &format!("'{other}'"));
        assert_ne!(changed, identity, "{part} is a part");
        assert_ne!(database.query(&changed), of_now, "{part} counts");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_take_effect_after_crash_restore_and_swap() {
    let (mut postgres, second) = (PostgresServer::started(), PostgresServer::started());
    let mut scene = Scene::before(&postgres).await;

    let (tokens, before) = (scene.tokens().await, scene.history(&postgres));
    postgres.kill();
    postgres.start();
    scene.check_revocations("crash", Instant::now(), &tokens).await;
    scene.assert_differs(&postgres, &before, &[START]);

    let (tokens, before) = (scene.tokens().await, scene.history(&postgres));
    let command = |scene: &Scene, arguments: &[&str]| {
        patiently(|| scene.test_env.command(&scene.replicas[0].folder, arguments)).output()
    };
    command(&scene, &["backup", "rows.backup"]);
    scene.forwarder.refuse().await;
    let direct = scene.test_env.database.url_at(&postgres.server());
    scene.test_env.database.empty_at(&postgres.server());
    command(&scene, &["restore", "rows.backup", "--to", &direct]);
    scene.forwarder.accept().await;
    let restored = Instant::now();
    for (tenant, token) in &tokens {
        scene.eventually_active(tenant, token, false).await;
    }
    eprintln!(
        "measured: restore: what was issued before has ended at both replicas {:?} after it",
        restored.elapsed()
    );
    let tokens = scene.tokens().await;
    scene.check_revocations("restore", restored, &tokens).await;
    scene.assert_differs(&postgres, &before, &[INCARNATION]);

    let (tokens, before) = (scene.tokens().await, scene.history(&postgres));
    let copy = scene.test_env.database.namesake_on(&second.server());
    command(&scene, &["store", "copy", "--from", &direct, "--to", &copy.url()]);
    scene.forwarder.turn_to(second.server().0.as_str()).await;
    scene.check_revocations("swap to a copy", Instant::now(), &tokens).await;
    scene.assert_differs(&second, &before, &[SERVER, START, INCARNATION]);

    let answered = scene.load.assert_none_failed(300).await;
    eprintln!("measured: {answered} requests of warm clients, 0 failed");
}
