//! Tests that several programs on one PostgreSQL and one Redis answer like one, whatever happens to a
//! program, to Redis or to PostgreSQL. The servers are real. A test that pauses or kills a server uses its
//! own.

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
#[path = "../program/caching_verifier.rs"]
mod caching_verifier;
#[path = "../program/canaries.rs"]
mod canaries;
#[path = "../program/folder.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod folder;
#[path = "../program/host.rs"]
mod host;
#[path = "../program/jwt.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod jwt;
#[path = "../program/program.rs"]
#[expect(dead_code, reason = "shared with the tests of one program")]
mod program;
#[path = "../program/prover.rs"]
mod prover;
#[path = "../program/proxy_process.rs"]
mod proxy_process;
#[path = "../program/rotations.rs"]
mod rotations;
#[path = "../program/running.rs"]
mod running;
#[path = "../program/traffic.rs"]
#[expect(dead_code, reason = "shared with what soaks")]
mod traffic;

mod database;
#[path = "../../../storage/tests/postgres/forwarder.rs"]
#[expect(dead_code, reason = "shared with the tests of the store")]
mod forwarder;
mod load;
mod numbers;
mod person;
mod postgres_server;
mod redis_server;
mod test_env;
mod test_servers;
mod verifier;

mod api_keys;
mod assertions;
mod backup;
mod command_line;
mod counted;
mod doctor;
mod dpop;
mod few_connections;
mod history;
mod key_rotation;
mod leaks;
mod limits;
mod lost_history;
mod people_counted;
mod postgres_faults;
mod quiet_outages;
mod redis_faults;
mod replays;
mod revocation;
mod rolling_upgrade;
mod store_copy;
mod store_tls;
mod tenant_move;
mod two_replicas;
mod unknown_outcome;
mod used_once;
