//! The names that nearly every test of the gateway uses.

pub(crate) use std::collections::{BTreeMap, BTreeSet};
pub(crate) use std::sync::atomic::Ordering;
pub(crate) use std::sync::{Arc, LazyLock};
pub(crate) use std::time::Duration;

pub(crate) use base64::Engine as _;
pub(crate) use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD as BASE64URL};
pub(crate) use gateway::{ListenerOptions, ListenerSurface, Options};
pub(crate) use keys::{KeyId, SigningKey};
pub(crate) use protocol::{ClientAuthenticationMethod, GrantType, JWT_BEARER, SigningAlgorithm};
pub(crate) use registry::{Client, ClientKeys, ClientSecret, RevocationStore as _, RevokedSubject};
pub(crate) use reqwest::header::AUTHORIZATION;
pub(crate) use reqwest::{Method, RequestBuilder};
pub(crate) use secrets::{GeneratedSecret, hash_token};
pub(crate) use serde_json::{Value, json};
pub(crate) use tenancy::{Tenant, TenantId, TenantStatus};
pub(crate) use testkit::{Calls, Failure, TestStore, fixtures, requests};
pub(crate) use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
pub(crate) use tokio::net::TcpStream;
pub(crate) use tokio::time::{sleep, timeout};
pub(crate) use values::{Lifetime, Secret, Timestamp};

pub(crate) use crate::access_log::line_of;
pub(crate) use crate::admin_keys::published;
pub(crate) use crate::administrators::{
    Ask, BOSS, CLERK, KEEPER, OPS, PLATFORM, READER, STEWARD, TENANTS, TestEnv, WATCHER, accounts_path,
    admin_claims, ask, clients_path, forged, keys_path,
};
pub(crate) use crate::answer::{Answer, column, text};
pub(crate) use crate::api_keys::Keys;
pub(crate) use crate::app::{
    ACME, BOTH, GLOBEX, PUBLIC_URL, RESOURCE, TestApp, asserted, credentials, options, tenant_path,
    token_path,
};
pub(crate) use crate::capture::capture;
pub(crate) use crate::client_fixtures::{
    ASSERTING, AUDITOR, CHOSEN, CODE_ONLY, GATEKEEPER, ORDERS, PLAIN, SUSPENDED, SVC, WRITER,
    assertion_claims, assertion_key, password_hash,
};
pub(crate) use crate::device::{allowed, begin, poll, to_the_question};
pub(crate) use crate::forge::{
    Forge, but, claims, claims_of, header, issuer, malformed_compact, part, payload,
};
pub(crate) use crate::person::{
    BOB, Browser, CALLBACK, CHALLENGE, EMAIL, PASSWORD, SIGNED_OUT, VERIFIER, add_person, add_someone,
    add_web_client, authorization_request, authorize_path, code_at, code_in, continued, flow, furnish,
    location, parameter, public, redeem, redeem_with,
};
pub(crate) use crate::protected_resource::assert_invalid;
pub(crate) use crate::prover::{DPOP, Prover, hash_of, proof_claims, with_dpop};
pub(crate) use crate::refresh::refresh_with;
pub(crate) use crate::routes;
