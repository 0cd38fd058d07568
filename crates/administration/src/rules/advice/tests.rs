//! Tests advice on 200 clients without a fault and on 13 clients with one fault each.

use protocol::ClientAuthenticationMethod;
use registry::{ApiKey, SecretId, SecretRotation, UseOutcome};
use secrets::SecretHash;
use serde_json::json;
use values::Lifetime;

use super::*;
use crate::administrator::rotation_progress::RotationProgress;
use crate::documents::UsedFrom;
use crate::edit::test_states;
use crate::kinds;
use crate::kinds::TenantState;
use crate::kinds::state::RowLifecycle;

const NOW: Timestamp = Timestamp::from_seconds(400 * DAY);
const CLIENTS: u64 = 200;

fn ago(days: u64) -> Timestamp {
    Timestamp::from_seconds(NOW.seconds() - days * DAY)
}

fn after(days: u64) -> Timestamp {
    NOW + Lifetime::from_seconds(days * DAY)
}

/// Clients that use their scopes. Each has a used secret that is 100 days old and expires in 80 days.
struct Estate {
    state: TenantState,
    uses: Vec<SecretUsage>,
    counts: Vec<ClientCount>,
    keys: Vec<kinds::api_key::State>,
}

fn client_name(number: u64) -> String {
    format!("client-{number:03}")
}

fn presented(outcome: UseOutcome, at: Timestamp) -> UsedFrom {
    UsedFrom::presented("192.0.2.1".to_owned(), outcome, at)
}

fn estate() -> Estate {
    let mut state = test_states::state("acme");
    let tenant = state.tenant.id.clone();
    let (mut uses, mut counts) = (Vec::new(), Vec::new());
    state.clients = (0..CLIENTS)
        .map(|number| {
            let mut row = test_states::client("acme", &client_name(number), "read write");
            row.lifecycle = RowLifecycle::fresh(ManagedBy::Api, ago(100));
            let secret = &mut row.secrets[0].secret;
            (secret.created_at, secret.expires_at) = (ago(100), Some(after(80)));
            let (client, secret) = (row.client.id.clone(), secret.id.clone());
            let counted =
                [(Counter::Issued, ""), (Counter::ScopeAsked, "read"), (Counter::ScopeAsked, "write")];
            counts.extend(counted.map(|(counter, name)| ClientCount {
                client: client.clone(),
                counter,
                name: name.to_owned(),
                total: 5,
            }));
            let from = presented(UseOutcome::Accepted, ago(1));
            uses.push(SecretUsage { tenant: tenant.clone(), client, secret, from });
            row
        })
        .collect();
    state.client_count = CLIENTS;
    Estate { state, uses, counts, keys: Vec::new() }
}

impl Estate {
    fn known(&self, is_counted: bool) -> Known<'_> {
        let Self { state, uses, counts, keys } = self;
        let (most_clients, now) = (Some(1_000), NOW);
        Known { state, most_clients, secret_uses: uses, ended_keys: keys, counts, is_counted, now }
    }

    fn advise(&self, is_counted: bool) -> Vec<String> {
        let found = advise(&self.known(is_counted));
        for advice in &found {
            assert!(advice.evidence.ends_with('.') && !advice.action.is_empty(), "{advice:?}");
        }
        let mut names: Vec<_> =
            found.iter().map(|advice| format!("{} {}", advice.rule, advice.subject)).collect();
        names.sort();
        names
    }

    fn row(&mut self, number: usize) -> &mut kinds::client::State {
        &mut self.state.clients[number]
    }

    fn used(&mut self, number: usize, at: Timestamp) {
        self.uses[number].from = presented(UseOutcome::Accepted, at);
    }

    fn forget(&mut self, number: u64, forget: impl Fn(&ClientCount) -> bool) {
        let name = client_name(number);
        self.counts.retain(|count| count.client.as_str() != name || !forget(count));
    }

    fn key(&mut self, id: &str, ends: Timestamp, used: Timestamp) {
        let id = registry::ApiKeyId::of_key(&format!("lkk_{id}_{}", "0".repeat(49))).unwrap();
        let digest = SecretHash::token([0; 32]);
        let key = ApiKey::new(&self.state.clients[0].client, id, digest, String::new(), ago(90));
        let key = ApiKey { expires_at: ends, ..key };
        let outcome = if ends < used { UseOutcome::Refused } else { UseOutcome::Accepted };
        let used_from = vec![presented(outcome, used)];
        let lifecycle = RowLifecycle::fresh(ManagedBy::Api, ago(90));
        self.keys.push(kinds::api_key::State { key, lifecycle, revision: 1, used_from });
    }
}

fn rotation() -> SecretRotation {
    let (every, grace) = (Lifetime::from_seconds(86_400), Lifetime::from_seconds(60));
    SecretRotation { every, into: "vault:a#b".to_owned(), grace }
}

#[test]
fn faultless_tenant_gets_no_advice() {
    let mut estate = estate();
    // Three keys: one expired long before it was last tried, one expires soon and was never used, and one
    // expires late.
    estate.key("aaaaaaaaaaaa", ago(60), ago(61));
    estate.key("bbbbbbbbbbbb", after(3), ago(60));
    // A request without scopes gets all of the client's scopes, and a new client has not had 30 days yet.
    estate.forget(1, |count| count.counter == Counter::ScopeAsked);
    estate.forget(2, |_| true);
    estate.row(2).lifecycle = RowLifecycle::fresh(ManagedBy::Api, ago(29));
    estate.used(2, ago(60));
    // Two cases: a rotated secret that expires soon while another one stays valid, and a secret that expired
    // long after its last use.
    let mut old = test_states::secret("s2");
    (old.secret.created_at, old.secret.expires_at) = (ago(150), Some(after(2)));
    estate.row(3).secrets.push(old);
    // A suspended client gets no advice.
    estate.row(4).client.status = ClientStatus::Suspended;
    estate.row(4).secrets[0].secret.expires_at = None;
    let redirects = |row: &mut kinds::client::State, uris: &[&str]| {
        row.client.authentication_method = ClientAuthenticationMethod::None;
        row.client.code_flow.redirect_uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    };
    redirects(estate.row(5), &["https://a.example/cb"]);
    redirects(estate.row(6), &["http://127.0.0.1/cb", "com.example.app:/cb"]);
    // A secret with scheduled rotation needs no expiry.
    estate.row(7).client.rotation = Some(rotation());
    estate.row(7).secrets[0].secret.expires_at = None;
    assert_eq!(estate.advise(true), [""; 0]);
}

#[test]
fn exactly_the_thirteen_faults_are_reported() {
    let mut estate = estate();
    let mut expected = vec![
        "unused_scopes client-010",
        "unused_scopes client-011",
        "unused_client client-020",
        "old_secret client-030/s1",
        "endless_secret client-040/s1",
        "endless_secret client-041/s1",
        "ends_soon client-050/s1",
        "ends_soon client-000/cccccccccccc",
        "rotation_fails client-080",
        "ended_credential_presented client-060/s2",
        "ended_credential_presented client-000/dddddddddddd",
        "wide_redirect_uris client-070",
        "near_limit ",
    ];
    estate.forget(10, |count| count.name == "write");
    estate.forget(11, |count| count.name == "read");
    estate.row(11).lifecycle.managed_by = ManagedBy::Config;
    estate.forget(20, |_| true);
    estate.used(20, ago(90));
    estate.row(30).secrets[0].secret.created_at = ago(181);
    estate.row(40).secrets[0].secret.expires_at = None;
    estate.row(41).secrets[0].secret.expires_at = None;
    estate.row(41).secrets[0].managed_by = ManagedBy::Config;
    estate.row(50).secrets[0].secret.expires_at = Some(after(3));
    estate.key("cccccccccccc", after(3), ago(1));
    let mut ended = test_states::secret("s2");
    (ended.secret.created_at, ended.secret.revoked_at) = (ago(100), Some(ago(20)));
    estate.row(60).secrets.push(ended);
    let from = presented(UseOutcome::Refused, ago(2));
    let of_ended = SecretUsage { secret: SecretId::new("s2"), from, ..estate.uses[60].clone() };
    estate.uses.insert(61, of_ended);
    estate.key("dddddddddddd", ago(10), ago(1));
    estate.row(70).client.authentication_method = ClientAuthenticationMethod::None;
    estate.row(70).client.code_flow.redirect_uris =
        vec!["https://a.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()];
    estate.row(80).client.rotation = Some(rotation());
    estate.row(80).rotation = RotationProgress {
        failed_at: Some(ago(1)),
        failure: Some("no answer".to_owned()),
        ..RotationProgress::default()
    };
    estate.state.client_count = 900;
    expected.sort_unstable();
    assert_eq!(estate.advise(true), expected);

    // Without counts for 30 days there is no advice on unused things.
    expected.retain(|name| !name.starts_with("unused_"));
    assert_eq!(estate.advise(false), expected);
}

// [third 3]
#[test]
fn hostile_client_id_is_quoted_in_the_command() {
    for (id, suspend) in [
        ("$(touch pwn)", "latchkey client suspend acme '$(touch pwn)'"),
        ("-x;touch pwn", "latchkey client suspend acme -- '-x;touch pwn'"),
    ] {
        let mut estate = estate();
        estate.counts.clear();
        estate.uses.clear();
        estate.state.clients.truncate(1);
        estate.row(0).client.id = ClientId::parse(id).unwrap();
        let found = advise(&estate.known(true));
        assert!(found.iter().any(|advice| advice.action == suspend), "{found:?}");
    }
}

#[test]
fn only_api_rows_get_a_patch() {
    let mut estate = estate();
    estate.forget(10, |count| count.name == "write");
    estate.forget(11, |count| count.name == "write");
    estate.row(11).lifecycle.managed_by = ManagedBy::Config;
    let found = advise(&estate.known(true));
    let client = ClientId::parse("client-010").unwrap();
    assert_eq!(found[0].patch, Some((client, json!({ "scopes": ["read"] }))));
    assert_eq!(found[0].action, "latchkey client set acme client-010 scopes=read");
    let in_file = "Remove write from tenants.acme.clients.client-011.scopes.";
    assert_eq!((&found[1].patch, &*found[1].action), (&None, in_file));
}
