//! Tests failovers with the files of `deploy/ha`: three etcd, three PostgreSQL under Patroni, Redis under
//! Sentinel or as a cluster, and HAProxy in front of PostgreSQL and of two replicas. Only `cargo xtask ci
//! --full` runs them, because each takes about a minute and needs the whole machine.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, which lints do not take for tests"
)]

#[path = "../program/administrator.rs"]
mod administrator;
#[path = "../program/answer.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod answer;
#[path = "../program/canaries.rs"]
mod canaries;
#[path = "../replicas/database.rs"]
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod database;
#[path = "../program/folder.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod folder;
#[path = "../../../storage/tests/postgres/forwarder.rs"]
#[expect(dead_code, reason = "shared with the tests of the store")]
mod forwarder;
#[path = "../program/host.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod host;
#[path = "../replicas/numbers.rs"]
mod numbers;
#[path = "../program/program.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod program;
#[path = "../program/running.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod running;
#[path = "../replicas/test_env.rs"]
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod test_env;
#[path = "../replicas/test_servers.rs"]
mod test_servers;
#[path = "../replicas/verifier.rs"]
mod verifier;

mod files;
mod load;
mod machines;
mod outcome;
mod process;
mod scene;

mod postgres;
mod redis;
