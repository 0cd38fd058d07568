//! Tests that an outage of Redis or PostgreSQL has one log line at its beginning and one at its end, however
//! many requests and attempts there are.

use serde_json::Value;
use testkit::RedisServer;

use crate::postgres_server::PostgresServer;
use crate::program::Mark;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};

const CLIENTS: usize = 60;

/// The log lines after the first `before` lines, without lines about requests.
fn said(replica: &Replica, before: usize) -> Vec<String> {
    let lines = replica.program.log().split_off(before);
    let about = |line: &Value| line["target"] != "access";
    lines.iter().filter(|line| about(line)).map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

async fn request(test_env: &TestEnv, replica: &Replica, clients: std::ops::Range<usize>, status: u16) {
    for number in clients {
        for tenant in TENANTS {
            let secret = test_env.secret_of(tenant);
            let answer = replica.program.request_token(tenant, &format!("svc-{number}"), secret).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
    }
}

#[track_caller]
fn assert_said(lines: &[String], expected: &[&str]) {
    let is_expected = lines.len() == expected.len()
        && lines.iter().zip(expected).all(|(line, expected)| line.starts_with(expected));
    assert!(is_expected, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage_is_logged_once_at_start_and_end() {
    let (mut postgres, mut redis) = (PostgresServer::started(), RedisServer::started());
    let test_env = TestEnv::on(&postgres.server(), Some(redis.url()));
    let replica = test_env.start(&settings(CLIENTS));
    replica.program.log_after(Mark::START, "Redis answers");
    replica.open_connections().await;
    request(&test_env, &replica, 0..1, 200).await;

    let mark = replica.program.mark();
    for round in 0..3 {
        redis.kill();
        request(&test_env, &replica, 1 + 5 * round..6 + 5 * round, 200).await;
        redis.start();
        request(&test_env, &replica, 20 + round..21 + round, 200).await;
    }
    replica.program.log_after(mark, "Redis answers again");
    // On a busy machine Redis may have been late before, which is an outage of its own. If each part logged
    // the outage itself, there would be three lines.
    let lines = said(&replica, 0);
    let count = |text: &str| lines.iter().filter(|line| line.starts_with(text)).count();
    let (begun, ended) = (count("Redis is out of reach"), count("Redis answers again"));
    assert!(begun == ended && (1..=2).contains(&begun), "{lines:#?}");

    let (mark, before) = (replica.program.mark(), replica.program.log().len());
    postgres.stop_immediately();
    replica.program.log_after(mark, "the store does not respond");
    request(&test_env, &replica, 30..50, 503).await;
    postgres.start();
    replica.program.log_after(mark, "the store responds again");
    // On a busy machine Redis may be late, and the lease for rotation may be taken again.
    let mut lines = said(&replica, before);
    lines.retain(|line| !line.contains("Redis") && !line.contains("rotates keys"));
    assert_said(&lines, &["the store does not respond", "the store responds again"]);
}
