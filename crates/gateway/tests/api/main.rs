//! Black-box tests of the gateway: one file per endpoint; each test runs with both tenants.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which lints do not take for tests"
)]

mod administrators;
mod answer;
mod app;
mod capture;
mod client_fixtures;
mod documented;
mod forge;
mod health_report;
mod schemas;

mod account;
mod backchannel;
mod bad_tokens;
mod introspect;
mod jwks;
mod metadata;
mod openid;
mod person;
mod protected_resource;
mod sender_constraint;
mod sessions;
mod strategies;
mod tls;
mod token;
mod token_assertions;
mod token_bodies;
mod token_certificates;
mod token_credentials;
mod token_errors;
mod unopened_keys;

mod admin_access;
mod admin_account_import;
mod admin_accounts;
mod admin_audience;
mod admin_audit;
mod admin_bodies;
mod admin_clients;
mod admin_documents;
mod admin_explain;
mod admin_explain_proofs;
mod admin_grants;
mod admin_key_commands;
mod admin_key_import;
mod admin_keys;
mod admin_limits;
mod admin_logos;
mod admin_permissions;
mod admin_problems;
mod admin_revocations;
mod admin_secrets;
mod admin_tenants;
mod admin_tokens;
mod admin_writes;
mod operator;

mod access_log;
mod announced_keys;
mod applications;
mod assets;
mod browsers;
mod busy;
mod changed_between;
mod connections;
mod corpus;
mod cross_origin;
mod deadlines;
mod device;
mod documents;
mod dpop;
mod dpop_codes;
mod equal_refusals;
mod error_pages;
mod examples;
mod flow;
mod forged_forms;
mod forged_hosts;
mod health;
mod isolation;
mod isolation_of_people;
mod jwks_fetches;
mod many_tenants;
mod meanwhile;
mod metrics;
mod old_hints;
mod openers;
mod overload;
mod pairwise;
mod panics;
mod prompts;
mod prover;
mod proxies;
mod published_keys;
mod pushed_requests;
mod redirect_uris;
mod refresh;
mod refusal_reasons;
mod request_objects;
mod resources;
mod revocations;
mod revoke;
mod revoked_credentials;
mod revoked_grants;
mod routes;
mod sign_in_costs;
mod silent_requests;
mod stopping;
mod strangers;
mod tenant_names;
mod token_kinds;
