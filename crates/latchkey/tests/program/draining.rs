//! The end of one instance while another one takes over: no request is dropped, whoever waits is told, and whoever asks twice is
//! not made to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::program::{Mark, Program};
use crate::running::tenant_path;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

/// What callers and their load balancer share.
struct Traffic {
    urls: [String; 2],
    /// The instance that was last found ready.
    to: AtomicUsize,
    ended: AtomicBool,
    answered: [AtomicUsize; 2],
}

/// Callers keep their connections, as services do; one in three opens a new one for each request, as scripts do.
const CALLERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_another_instance_takes_over() {
    let folder = Folder::with(TWO_TENANTS);
    let programs = [Program::start(&folder), Program::start(&folder)];
    let traffic = Arc::new(Traffic {
        urls: [0, 1].map(|index: usize| programs[index].url("")),
        to: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
        answered: Default::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(balance(Arc::clone(&traffic)));
    for caller in 0..CALLERS {
        tasks.spawn(call(Arc::clone(&traffic), caller));
    }
    traffic.until_answered_by(0).await;
    let [first, second] = programs;
    let mark = first.mark();
    let stopped = tokio::task::spawn_blocking(move || {
        first.signal("TERM");
        first.log_after(mark, "not ready any more");
        first.stop_after_signal();
    });
    stopped.await.unwrap();
    assert_eq!(traffic.to.load(Ordering::SeqCst), 1);
    traffic.until_answered_by(1).await;
    traffic.ended.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    second.stop();
}

/// A load balancer, as far as callers see it: asks the one in use often, and turns to the other when it is not ready.
async fn balance(traffic: Arc<Traffic>) {
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    while !traffic.ended.load(Ordering::SeqCst) {
        let to = traffic.to.load(Ordering::SeqCst);
        let answer = http.get(format!("{}/health/ready", traffic.urls[to])).send().await.unwrap();
        if answer.status() != 200 {
            assert_eq!((to, answer.status().as_u16()), (0, 503));
            traffic.to.store(1, Ordering::SeqCst);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn call(traffic: Arc<Traffic>, caller: usize) {
    let kept = usize::from(!caller.is_multiple_of(3));
    let http = reqwest::Client::builder().pool_max_idle_per_host(kept).build().unwrap();
    let (tenant, secret) = [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)][caller % 2];
    let form = [("grant_type", "client_credentials"), ("client_id", "svc"), ("client_secret", secret)];
    while !traffic.ended.load(Ordering::SeqCst) {
        let to = traffic.to.load(Ordering::SeqCst);
        let url = format!("{}{}", traffic.urls[to], tenant_path(tenant, "/oauth/token"));
        // Nothing is tried twice: whatever is dropped fails the test.
        let answer = http.post(url).form(&form).send().await.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(answer.status(), 200, "{tenant}");
        answer.bytes().await.unwrap();
        traffic.answered[to].fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(5)).await;
    }
}

impl Traffic {
    async fn until_answered_by(&self, instance: usize) {
        let before = self.answered[instance].load(Ordering::SeqCst);
        while self.answered[instance].load(Ordering::SeqCst) < before + 100 {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_program_tells_that_it_ends_before_it_does() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    assert_eq!(program.get("/health/ready").await.status, 200);
    let healthy = folder.run(&["health", "--address", &program.address().to_string()]);
    assert_eq!(healthy.code, Some(0), "{healthy:?}");
    assert!(healthy.out.starts_with("{\"status\":\"ready\",\"checks\":{"), "{healthy:?}");

    let mark = program.mark();
    program.signal("TERM");
    program.log_after(mark, "not ready any more");
    let answer = program.get("/health/ready").await;
    assert_eq!((answer.status, answer.header("connection")), (503, "close"), "{answer:?}");
    assert_eq!(answer.json()["checks"]["draining"]["status"], "failed", "{answer:?}");
    let ending = folder.run(&["health", "--address", &program.address().to_string()]);
    assert_eq!(ending.code, Some(1), "{ending:?}");
    assert!(ending.out.contains("draining"), "{ending:?}");
    assert_eq!(program.get("/health/live").await.status, 200);
    program.token("acme", "svc", ACME_SECRET).await;
    program.token("globex", "svc", GLOBEX_SECRET).await;
    let address = program.address().to_string();
    program.stop_after_signal();

    let gone = folder.run(&["health", "--address", &address]);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.err.contains("no server answers at"), "{gone:?}");
}

/// Where nobody probes nobody would notice, so nobody is waited for.
#[test]
fn a_program_that_nobody_probes_ends_without_notice() {
    let folder = Folder::with(TWO_TENANTS);
    let program = Program::start(&folder);
    program.signal("TERM");
    program.log_after(Mark::START, "\"ended\"");
    assert!(!program.log().iter().any(|line| line["message"].as_str().unwrap().starts_with("not ready")));
    program.stop_after_signal();
}

#[tokio::test]
async fn a_second_request_to_end_ends_at_once() {
    let folder = Folder::with(TWO_TENANTS);
    for signals in [["TERM", "TERM"], ["INT", "TERM"]] {
        let program = Program::start(&folder);
        // A request that stays open would be waited for, and a probe is waited for.
        let mut open = TcpStream::connect(program.address()).await.unwrap();
        let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
        open.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(Answer::to(program.request(Method::GET, "/health/ready")).await.status, 200);
        let mark = program.mark();
        program.signal(signals[0]);
        program.log_after(mark, "not ready any more");
        let asked = Instant::now();
        program.signal(signals[1]);
        program.assert_ends_with(1);
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    }
    // Nothing of it is lost.
    Program::start(&folder).stop();
}
