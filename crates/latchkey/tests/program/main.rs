//! Black-box tests of the program: each test starts it in its own folder on a free port, calls it with client
//! libraries of others, stops, kills and reconfigures it. There is one file for each topic. When a program
//! ends, its output is searched for secrets.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, which lints do not take for tests"
)]

mod administrator;
mod answer;
mod apache;
mod apache_verifiers;
mod assertions;
mod busy_once;
mod canaries;
mod certificates;
mod changing_keys;
mod cli;
mod creations;
#[path = "../replicas/database.rs"]
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod database;
mod folder;
mod foreign;
mod forward_auth;
mod host;
mod inspected;
mod jwt;
mod language_examples;
mod library;
mod logout_receiver;
mod mcp_sdks;
#[path = "../../../outbound/src/mock_server/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the tests of outbound")]
mod mock_server;
#[path = "../openid/mod.rs"]
mod openid;
mod person;
#[path = "../replicas/postgres_server.rs"]
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod postgres_server;
mod program;
mod prover;
mod proxy_files;
mod proxy_process;
mod public_clients;
mod published_keys;
mod rabbitmq;
#[path = "../replicas/redis_server.rs"]
#[expect(dead_code, reason = "shared with the tests of replicas")]
mod redis_server;
mod running;
mod sealing_services;
mod secrets_of_libraries;
mod service_examples;
mod settings;
mod shared_tenants;
mod sign_in;
mod sign_in_attacks;
mod sign_in_example;
mod sign_in_journeys;
mod stored_server_secrets;
mod stores_of_secrets;
mod stub_api;
mod taking_over;
#[path = "../replicas/test_servers.rs"]
mod test_servers;
mod two_providers;
mod upstream;

mod certificate_source;
mod client_credentials_chapter;
mod client_guide;
mod client_source;
mod course_notes;
mod quick_start;
mod thunder_api;

mod algorithms;
mod generated_clients;
mod other_verifiers;
mod schemathesis;
mod verifier_crate;
mod verifiers;

mod audit_stream;
mod cache_memory;
mod claims_as_written;
mod cli_accounts;
mod cli_certificates;
mod cli_clients;
mod cli_explain;
mod cli_generations;
mod cli_import;
mod cli_inspect;
mod cli_inspect_api_key;
mod cli_inspect_assertion;
mod cli_inspect_certificate;
mod cli_inspect_dpop;
mod cli_keyring;
mod cli_keys;
mod cli_migration;
mod cli_profiles;
mod cli_store;
mod cli_tenants;
mod command_line;
mod conflicts;
mod console_journey;
mod deployment;
mod dev;
mod doctor;
mod dpop;
mod draining;
mod durable;
mod exposed;
mod fairness;
mod first_key;
mod hang_ups;
mod helm;
mod hostile_rows;
mod installed;
mod interrupted_sign_ins;
mod isolation_proof;
mod last_store;
mod leaked_secrets;
mod left_out;
mod mail;
mod monitoring;
mod operations;
mod plan_and_apply;
mod proxies;
mod readme_pictures;
mod reload;
mod reload_sources;
mod replicas;
mod reseal;
mod restart;
mod revocation;
mod rotation;
mod rotation_scheduler;
mod sealing_elsewhere;
mod secret_stores;
mod signed_reports;
mod stampede;
mod terminal;
mod unopened_keys;
mod unread_log;
mod variables;
mod workloads;
