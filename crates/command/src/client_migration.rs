//! `latchkey client migrate`: the credentials of a client, the secrets that are still used and the addresses
//! that use them, and the next step from secrets to keys.

use administration::documents::{ClientView, SecretView, UsedFrom};
use keys::jwk_thumbprint;
use serde::{Deserialize, Serialize};
use serde_json::json;
use values::{Lifetime, Timestamp, with_commands};

use crate::output::readable;
use crate::paths::ClientArguments;

/// How long a service may pause before its secret counts as unused.
const QUIET: Lifetime = Lifetime::from_seconds(86_400);

/// The state of a client's credentials.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Migration {
    token_endpoint_auth_method: String,
    keys: Vec<RegisteredKey>,
    /// Where the client publishes its keys.
    jwks_uri: Option<String>,
    secrets: Vec<SecretView>,
    /// The addresses that used one of the secrets within a day.
    still_used_from: Vec<UsedFrom>,
    step: MigrationStep,
    /// What to do, as text.
    next: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RegisteredKey {
    kid: Option<String>,
    kty: String,
    thumbprint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MigrationStep {
    RegisterKey,
    AllowBoth,
    ChangeServices,
    RequireKey,
    RevokeSecrets,
    Done,
}

impl Migration {
    /// Derives the state from the API's documents of the client and its secrets.
    pub(crate) fn new(
        names: &ClientArguments,
        client: &ClientView,
        secrets: Vec<SecretView>,
        now: Timestamp,
    ) -> Self {
        let settings = &client.settings;
        let secrets: Vec<_> = secrets.into_iter().filter(|secret| secret.status == "live").collect();
        let recent = |used: &&UsedFrom| used.last_used_at.is_some_and(|at| at.0 + QUIET > now);
        let mut still_used_from: Vec<UsedFrom> = Vec::new();
        for used in secrets.iter().flat_map(|secret| &secret.used_from).filter(recent) {
            match still_used_from.iter_mut().find(|known| known.address == used.address) {
                Some(known) => known.last_used_at = known.last_used_at.max(used.last_used_at),
                None => still_used_from.push(used.clone()),
            }
        }
        let keys = settings.jwks.as_ref().and_then(|jwks| jwks.keys.clone()).unwrap_or_default();
        let keys = keys.into_iter().map(|key| {
            let thumbprint = jwk_thumbprint(&json!(key));
            RegisteredKey { kid: key.kid, kty: key.kty, thumbprint }
        });
        let keys: Vec<_> = keys.collect();
        let method = settings.token_endpoint_auth_method.clone();
        let has_keys = !keys.is_empty() || settings.jwks_uri.is_some();
        let step = match method.as_str() {
            _ if !has_keys => MigrationStep::RegisterKey,
            "private_key_jwt" if secrets.is_empty() => MigrationStep::Done,
            "private_key_jwt" => MigrationStep::RevokeSecrets,
            "any" if still_used_from.is_empty() => MigrationStep::RequireKey,
            "any" => MigrationStep::ChangeServices,
            _ => MigrationStep::AllowBoth,
        };
        let next = step.words(names);
        let jwks_uri = settings.jwks_uri.clone();
        Self { token_endpoint_auth_method: method, keys, jwks_uri, secrets, still_used_from, step, next }
    }

    pub(crate) fn lines(&self, names: &ClientArguments) -> String {
        let mut text = format!(
            "Client {}/{} authenticates with {}.\n\n",
            names.tenant, names.client, self.token_endpoint_auth_method
        );
        if let Some(uri) = &self.jwks_uri {
            text.push_str(&format!("keys    at {uri}\n"));
        }
        for RegisteredKey { kid, kty, thumbprint } in &self.keys {
            let thumbprint = thumbprint.as_deref().unwrap_or("unknown");
            text.push_str(&format!(
                "key     {} ({kty}), thumbprint {thumbprint}\n",
                kid.as_deref().unwrap_or("without kid")
            ));
        }
        for secret in &self.secrets {
            let used = secret
                .last_used_at
                .map_or_else(|| "never used".to_owned(), |at| format!("last used {}", readable(at.0)));
            text.push_str(&format!("secret  {} …{}, {used}\n", secret.id, secret.hint));
        }
        if !self.still_used_from.is_empty() {
            text.push_str("\nAddresses that used a secret in the last 24 hours:\n");
            for used in &self.still_used_from {
                let at = used.last_used_at.map(|at| readable(at.0)).unwrap_or_default();
                text.push_str(&format!("  {}  {at}\n", used.address));
            }
        }
        text.push_str(&format!("\nNext: {}\n", self.next));
        text
    }
}

impl MigrationStep {
    fn words(self, ClientArguments { tenant, client }: &ClientArguments) -> String {
        let message = match self {
            Self::RegisterKey => {
                "let the service generate a key pair and publish the public key, then run `latchkey client set TENANT CLIENT \
                     jwks_uri=URL`"
            }
            Self::AllowBoth => {
                "accept keys in addition to secrets: run `latchkey client set TENANT CLIENT token_endpoint_auth_method=any`"
            }
            Self::ChangeServices => {
                "change the services at these addresses to sign assertions (private_key_jwt), and check again after a day"
            }
            Self::RequireKey => {
                "nobody used a secret in the last 24 hours, so run `latchkey client set TENANT CLIENT \
                     token_endpoint_auth_method=private_key_jwt`"
            }
            Self::RevokeSecrets => {
                "the client can no longer use secrets, so run `latchkey secret revoke TENANT CLIENT ID` for each secret"
            }
            Self::Done => "nothing, because the client only has keys",
        };
        with_commands(message, &[("TENANT", tenant.as_str()), ("CLIENT", client.as_str())])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn names() -> ClientArguments {
        ClientArguments { tenant: "acme".parse().unwrap(), client: "billing".parse().unwrap() }
    }

    fn client(method: &str, keys: Value, jwks_uri: Value) -> ClientView {
        let mut view = json!({
            "client_id": "billing", "status": "active", "managed_by": "api", "live_secrets": 1,
            "created_at": "2027-01-01T00:00:00Z", "updated_at": "2027-01-01T00:00:00Z",
            "token_endpoint_auth_method": method, "jwks_uri": jwks_uri,
        });
        if !keys.is_null() {
            view["jwks"] = json!({ "keys": keys });
        }
        serde_json::from_value(view).unwrap()
    }

    /// A secret that was used from each of these addresses, the given number of seconds ago.
    fn secret(id: &str, status: &str, used: &[(&str, u64)]) -> SecretView {
        let used: Vec<_> = used
            .iter()
            .map(|(address, ago)| {
                let at = Timestamp::from_seconds(NOW.seconds() - ago).to_rfc3339();
                json!({ "address": address, "last_used_at": at })
            })
            .collect();
        serde_json::from_value(json!({
            "id": id, "hint": "4QzX", "form": "generated", "status": status, "managed_by": "api",
            "created_at": "2026-01-01T00:00:00Z", "expires_at": null, "last_used_at": null, "addresses": used.len(),
            "used_from": used, "safe_to_delete": false
        }))
        .unwrap()
    }

    #[test]
    fn each_migration_state_has_a_next_step() {
        let key = || json!([{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }]);
        let uri = || json!("https://keys.example.com/jwks");
        for (method, keys, jwks_uri, used, expected) in [
            ("any", Value::Null, Value::Null, &[][..], MigrationStep::RegisterKey),
            (
                "client_secret_basic",
                Value::Null,
                Value::Null,
                &[("192.0.2.1", 5)],
                MigrationStep::RegisterKey,
            ),
            ("client_secret_basic", key(), Value::Null, &[("192.0.2.1", 5)], MigrationStep::AllowBoth),
            ("any", key(), Value::Null, &[("192.0.2.1", 5)], MigrationStep::ChangeServices),
            ("any", Value::Null, uri(), &[("192.0.2.1", 86_399)], MigrationStep::ChangeServices),
            ("any", key(), Value::Null, &[("192.0.2.1", 86_400)], MigrationStep::RequireKey),
            ("any", Value::Null, uri(), &[], MigrationStep::RequireKey),
            ("private_key_jwt", key(), Value::Null, &[], MigrationStep::RevokeSecrets),
        ] {
            let found = Migration::new(
                &names(),
                &client(method, keys, jwks_uri),
                vec![secret("s1", "live", used)],
                NOW,
            );
            assert_eq!(found.step, expected, "{method} {used:?}");
        }
        let done = client("private_key_jwt", key(), Value::Null);
        let found = Migration::new(&names(), &done, vec![secret("s1", "revoked", &[("192.0.2.1", 1)])], NOW);
        assert_eq!(
            (found.step, found.still_used_from.len(), found.secrets.len()),
            (MigrationStep::Done, 0, 0)
        );
        assert_eq!(found.keys[0].thumbprint.as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }

    #[test]
    fn addresses_that_still_use_a_secret_are_listed() {
        let secrets = vec![
            secret("s1", "live", &[("192.0.2.1", 60), ("192.0.2.9", 90_000)]),
            secret("s2", "live", &[("192.0.2.1", 30), ("2001:db8::/64", 10)]),
            secret("s0", "expired", &[("192.0.2.7", 1)]),
        ];
        let client = client("any", Value::Null, json!("https://keys.example.com/jwks"));
        let text = Migration::new(&names(), &client, secrets, NOW).lines(&names());
        for line in [
            "keys    at https://keys.example.com/jwks",
            "secret  s1 …4QzX",
            "secret  s2 …4QzX",
            "  2001:db8::/64  ",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert_eq!(text.matches("192.0.2.1  ").count(), 1, "{text}");
        for absent in ["192.0.2.9", "192.0.2.7", "s0"] {
            assert!(!text.contains(absent), "{absent} in\n{text}");
        }
    }
}
