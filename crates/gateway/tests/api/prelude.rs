//! The names that nearly every test of the gateway uses.

pub(crate) use protocol::{ClientAuthenticationMethod, GrantType};
pub(crate) use registry::Client;
pub(crate) use reqwest::Method;
pub(crate) use serde_json::{Value, json};
pub(crate) use std::time::Duration;
pub(crate) use testkit::fixtures;

pub(crate) use crate::access_log::line_of;
pub(crate) use crate::administrators::{
    Ask, BOSS, CLERK, KEEPER, OPS, PLATFORM, READER, STEWARD, TENANTS, TestEnv, WATCHER, accounts_path,
    admin_claims, ask, clients_path, forged, keys_path,
};
pub(crate) use crate::answer::{Answer, column, text};
pub(crate) use crate::app::{
    ACME, GLOBEX, PUBLIC_URL, RESOURCE, TestApp, asserted, credentials, options, tenant_path, token_path,
};
pub(crate) use crate::capture::capture;
pub(crate) use crate::client_fixtures::{
    ASSERTING, AUDITOR, CHOSEN, CODE_ONLY, GATEKEEPER, ORDERS, PLAIN, SUSPENDED, SVC, WRITER,
    assertion_claims, assertion_key,
};
pub(crate) use crate::forge::{Forge, but, claims, claims_of, issuer, part, payload};
pub(crate) use crate::person::{
    BOB, Browser, CALLBACK, CHALLENGE, EMAIL, PASSWORD, SIGNED_OUT, VERIFIER, add_person, add_someone,
    add_web_client, authorization_request, authorize_path, code_at, code_in, continued, flow, furnish,
    location, parameter, public, redeem, redeem_with,
};
pub(crate) use crate::prover::{DPOP, Prover, hash_of, proof_claims, with_dpop};
