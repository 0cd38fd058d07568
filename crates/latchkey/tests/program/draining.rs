//! Tests the shutdown of one instance while another takes over: no request is dropped, load balancers are
//! notified, and a second signal stops the program immediately.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::program::{Mark, Program};
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};
use crate::taking_over::assert_none_dropped;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_dropped_while_another_instance_takes_over() {
    let folder = Folder::with(TWO_TENANTS);
    let programs = [Program::start(&folder), Program::start(&folder)];
    assert_none_dropped(programs, [("acme", ACME_SECRET), ("globex", GLOBEX_SECRET)]).await;
}

#[tokio::test]
async fn program_reports_not_ready_before_it_ends() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    assert_eq!(program.get("/health/ready").await.status, 200);
    let healthy = folder.run(&["health", "--address", &program.address().to_string()]);
    assert_eq!(healthy.code, Some(0), "{healthy:?}");
    assert!(healthy.out.starts_with("{\"status\":\"ready\",\"checks\":{"), "{healthy:?}");

    let mark = program.mark();
    program.signal("TERM");
    program.log_after(mark, "not ready: serving requests");
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

    folder.run(&["health", "--address", &address]).assert_ends(1, &["no server responds at"]);
}

/// Without probes, no load balancer needs time to notice, so the program stops immediately.
#[test]
fn unprobed_program_ends_without_delay() {
    let (_folder, program) = Program::serving(TWO_TENANTS);
    program.signal("TERM");
    program.log_after(Mark::START, "\"ended\"");
    assert!(!program.log().iter().any(|line| line["message"].as_str().unwrap().starts_with("not ready")));
    program.stop_after_signal();
}

#[tokio::test]
async fn second_signal_ends_the_program_immediately() {
    let folder = Folder::with(TWO_TENANTS);
    for signals in [["TERM", "TERM"], ["INT", "TERM"]] {
        let program = Program::start(&folder);
        // The drain waits for an open request, and for the next probe.
        let mut open = TcpStream::connect(program.address()).await.unwrap();
        let head = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
        open.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(Answer::to(program.request(Method::GET, "/health/ready")).await.status, 200);
        let mark = program.mark();
        program.signal(signals[0]);
        program.log_after(mark, "not ready: serving requests");
        let requested = Instant::now();
        program.signal(signals[1]);
        program.assert_ends_with(1);
        assert!(requested.elapsed() < Duration::from_secs(4), "{:?}", requested.elapsed());
    }
    // All data survives.
    Program::start(&folder).stop();
}
