//! Two replicas behind HAProxy with load on them, and the checks after each fault.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::time::sleep;

use crate::administrator::Administrator;
use crate::files::local;
use crate::folder::Folder;
use crate::load::{CLIENTS, Load, WARM, Write};
use crate::machines::{FAILOVER, Machines, Replication};
use crate::outcome::{Names, Outcome, WORKING_AGAIN};
use crate::program::{Mark, Program};
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};
use crate::verifier::Verifier;

pub(crate) struct Scene {
    // Fields drop in this order: the database of the environment needs the machines.
    pub(crate) replicas: [Replica; 2],
    pub(crate) administrator: Administrator,
    pub(crate) test_env: TestEnv,
    load: Option<Load>,
    /// The next client that no other check has used.
    spare: usize,
    pub(crate) machines: Machines,
}

/// How replicas reach PostgreSQL.
pub(crate) struct Storage {
    pub(crate) url: String,
    /// With `pooler: transaction`.
    pub(crate) direct_url: Option<String>,
}

impl Storage {
    pub(crate) const fn of_sessions(url: String) -> Self {
        Self { url, direct_url: None }
    }
}

/// Through HAProxy.
pub(crate) fn behind_haproxy(_: &Machines, url: &str) -> Storage {
    Storage::of_sessions(url.to_owned())
}

impl Scene {
    /// `storage` is made of HAProxy's URL.
    pub(crate) async fn start(
        machines: Machines,
        redis_url: Option<String>,
        storage: impl FnOnce(&Machines, &str) -> Storage,
    ) -> Self {
        let test_env = TestEnv::on(&machines.server(), redis_url);
        let (ports, storage) = (machines.ports(), storage(&machines, &test_env.database.url()));
        let settings = settings(CLIENTS);
        let start = |port: u16| {
            let settings = settings.replace("127.0.0.1:0", &local(port));
            let folder = Folder::with(&settings);
            let mut command = test_env.command(&folder, &["serve"]);
            command.env("LATCHKEY__STORAGE__URL", &storage.url);
            if let Some(direct) = &storage.direct_url {
                let pooler = ("LATCHKEY__STORAGE__POOLER", "transaction");
                command.env("LATCHKEY__STORAGE__DIRECT_URL", direct).env(pooler.0, pooler.1);
            }
            Replica { program: Program::spawn(&folder, &mut command), folder }
        };
        let replicas = thread::scope(|scope| {
            let starts = [ports.latchkey[0], ports.latchkey[1]].map(|port| scope.spawn(move || start(port)));
            starts.map(|start| start.join().unwrap())
        });
        let administrator = test_env.administrator(&replicas[0]).await;
        let mut scene = Self { replicas, administrator, test_env, load: None, spare: CLIENTS - 1, machines };
        for replica in &scene.replicas {
            replica.open_connections().await;
            for client in 0..WARM {
                for tenant in TENANTS {
                    scene.eventually_answers(replica, tenant, &format!("svc-{client}"), 200).await;
                }
            }
        }
        let front = format!("http://{}", local(ports.front));
        let is_served = async || {
            let front = scene.administrator.at_origin(&front);
            front.send(Method::GET, "/health/ready", None).await.is_some_and(|(status, _)| status == 200)
        };
        eventually("HAProxy serves", LONGEST, is_served).await;
        let verifier = Verifier::from_replica(&scene.replicas[0]).await;
        let administrator = scene.administrator.at_origin(&front);
        scene.load = Some(Load::start(&front, &scene.test_env, administrator, verifier));
        scene.pause(3).await;
        scene
    }

    pub(crate) async fn on(replication: Replication) -> Self {
        Self::start(Machines::start(replication).await, None, behind_haproxy).await
    }

    /// Lets the load go on.
    pub(crate) async fn pause(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits until a primary with another timeline takes writes behind HAProxy.
    pub(crate) async fn promoted(&self, before: &str) -> Instant {
        let began = Instant::now();
        loop {
            if self.machines.timeline().is_some_and(|timeline| timeline != before) {
                return Instant::now();
            }
            assert!(began.elapsed() < FAILOVER, "nobody is promoted");
            sleep(Duration::from_millis(30)).await;
        }
    }

    async fn eventually_answers(
        &self,
        replica: &Replica,
        tenant: &str,
        client: &str,
        status: u16,
    ) -> Duration {
        let secret = self.test_env.secret_of(tenant);
        let is_so = async || replica.program.request_token(tenant, client, secret).await.status == status;
        eventually("the client is answered so", LONGEST, is_so).await
    }

    /// LISTEN, pools and statements work at both replicas: a suspension at one reaches the other, more
    /// requests than there are connections are answered, and the store is in order. Returns how long the
    /// suspension took.
    pub(crate) async fn check_recovered(&mut self) -> Duration {
        let mut longest = Duration::ZERO;
        for from in [0, 1] {
            let client = format!("svc-{}", self.spare);
            self.spare -= 1;
            for tenant in TENANTS {
                let (at, other) = (&self.replicas[from], &self.replicas[1 - from]);
                self.eventually_answers(other, tenant, &client, 200).await;
                let path = tenant_path(tenant, &format!("/clients/{client}/suspend"));
                let administrator = self.administrator.at(&at.program);
                let is_suspended = async || {
                    let said = administrator.send(Method::POST, &path, None).await;
                    said.is_some_and(|(status, _)| status == 200)
                };
                eventually("the client is suspended", LONGEST, is_suspended).await;
                longest = longest.max(self.eventually_answers(other, tenant, &client, 401).await);
            }
        }
        for replica in &self.replicas {
            replica.open_connections().await;
            let is_in_order = async || {
                let ready = replica.program.get("/health/ready").await;
                ready.status == 200 && ready.json()["checks"]["store"]["status"] == "ok"
            };
            eventually("the store is in order", LONGEST, is_in_order).await;
        }
        longest
    }

    pub(crate) async fn end(
        &mut self,
        fault: &'static str,
        began: Instant,
        promoted: Option<Instant>,
    ) -> Outcome {
        let asked = self.load.take().unwrap().end().await;
        Outcome { fault, asked, began, promoted }
    }

    /// The clients that the load has created, as an administrator sees them.
    pub(crate) async fn stored(&self) -> Names {
        let mut stored = Names::new();
        for (number, tenant) in TENANTS.iter().enumerate() {
            for client in self.administrator.all(&tenant_path(tenant, "/clients")).await {
                let id = client["client_id"].as_str().unwrap();
                if id.starts_with("made-") {
                    assert!(stored.insert((number, id.to_owned())), "{id} is listed once");
                }
            }
        }
        stored
    }

    /// Repeats every write with its key. An acknowledged one has the same answer, all others are done now.
    /// Afterwards each client has one record in the audit, so nothing was done twice. Those in `lost` may
    /// have another answer.
    pub(crate) async fn check_repeats(&self, outcome: &Outcome, lost: &Names) {
        for Write { tenant, name, asked } in &outcome.asked.writes {
            let began = Instant::now();
            let repeated = loop {
                let repeated = Write::send(&self.administrator, *tenant, name).await;
                if repeated.status() != 503 || began.elapsed() > LONGEST {
                    break repeated.answer.unwrap();
                }
            };
            assert_eq!(repeated.status, 201, "{name}: {repeated:?}");
            if asked.status() == 201 && !lost.contains(&(*tenant, name.clone())) {
                assert_eq!(repeated.header("idempotency-replayed"), "true", "{name}");
                assert_eq!(repeated.body, asked.answer.as_ref().unwrap().body, "{name}");
            }
        }
        for (number, tenant) in TENANTS.iter().enumerate() {
            let sql = format!(
                "SELECT subject FROM audit_records WHERE tenant_id = '{tenant}' AND action = 'client.added' \
                 AND subject LIKE 'made-%'"
            );
            let mut records = BTreeMap::new();
            for subject in self.test_env.database.query(&sql).lines() {
                *records.entry(subject.to_owned()).or_insert(0) += 1;
            }
            let written = outcome.asked.writes.iter().filter(|write| write.tenant == number);
            let expected: BTreeMap<_, _> = written.map(|write| (write.name.clone(), 1)).collect();
            assert_eq!(records, expected, "each write has one record in the audit of {tenant}");
        }
    }

    /// Both replicas have said which audit numbers each tenant lost. They cannot know of the last changes
    /// before the kill, which they may not have read.
    pub(crate) fn check_told(&self, surely: &Names, lost: &Names) {
        let of = |names: &Names, tenant: usize| names.iter().filter(|(of, _)| *of == tenant).count();
        for replica in &self.replicas {
            replica.program.log_after(Mark::START, "the store lost changes");
            for (number, tenant) in TENANTS.iter().enumerate() {
                let told = replica.program.log().into_iter().find_map(|line| {
                    let is_of_tenant = line["tenant"] == **tenant;
                    let numbers = line["audit_numbers"].as_str().filter(|_| is_of_tenant)?;
                    let (first, last) = numbers.split_once('-')?;
                    Some(last.parse::<usize>().unwrap() + 1 - first.parse::<usize>().unwrap())
                });
                let told = told.unwrap_or_else(|| panic!("nothing is said about {tenant}"));
                // A client and its secret have a record each.
                let (least, most) = (of(surely, number), 2 * of(lost, number));
                assert!((least..=most).contains(&told), "{tenant} lost {least} to {most}, told are {told}");
                eprintln!("measured: {tenant} lost {most} records, {told} are told");
            }
        }
    }

    /// The end of a fault in which no acknowledged write may be lost.
    pub(crate) async fn check_nothing_lost(
        &mut self,
        fault: &'static str,
        began: Instant,
        promoted: Option<Instant>,
    ) -> Outcome {
        let reached = self.check_recovered().await;
        let outcome = self.end(fault, began, promoted).await;
        let (acknowledged, stored) = (outcome.acknowledged(), self.stored().await);
        let lost: Names = acknowledged.difference(&stored).cloned().collect();
        let done = stored.difference(&acknowledged).count();
        outcome.print(lost.len(), done, &format!("a suspension reaches the other replica in {reached:.2?}"));
        outcome.check_answers();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert!(reached < WORKING_AGAIN, "a suspension reaches the other replica in {reached:?}");
        if promoted.is_some() {
            outcome.check_working_again();
        }
        self.check_repeats(&outcome, &Names::new()).await;
        outcome
    }
}
