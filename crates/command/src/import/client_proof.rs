//! How a client of the realm authenticates after the import.

use administration::documents::Wiped;
use secrets::is_fit_secret;
use serde_json::{Value, json};

use super::left_out::Omissions;
use super::realm::{RealmApplication, RealmText, attribute};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProofMethod {
    /// The client keeps the secret of the realm.
    Secret,
    /// The server generates a new secret.
    NewSecret,
    /// The client keeps the key of the realm.
    Key,
    Public,
}

impl ProofMethod {
    /// The name of the method, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Secret => "its secret",
            Self::NewSecret => "a new secret",
            Self::Key => "its key",
            Self::Public => "none",
        }
    }
}

/// The credential of the client, and the members to set. `None` if the client must be left out.
pub(super) fn proof(client: &RealmApplication, left_out: &mut Omissions) -> Option<(ProofMethod, Wiped)> {
    let id = &client.client_id;
    if client.public_client {
        return Some((ProofMethod::Public, Wiped::new(json!({ "token_endpoint_auth_method": "none" }))));
    }
    let method = client.client_authenticator_type.as_deref().unwrap_or("client-secret");
    match method {
        "client-secret" => {}
        "client-secret-jwt" => {
            left_out
                .add("signing with secrets (client_secret_jwt): the client must send its secret instead", id);
        }
        "client-jwt" => {
            let key = |name| attribute(&client.attributes, name);
            let keys = key("jwks.string").and_then(|text| serde_json::from_str::<Value>(text).ok());
            let keys = match (key("jwks.url"), keys) {
                (Some(url), keys) if keys.is_none() || key("use.jwks.url") == Some("true") => {
                    json!({ "jwks_uri": url })
                }
                (_, Some(keys)) => json!({ "jwks": keys }),
                (_, None) => {
                    left_out.add("clients whose key is not a JWK set: register the public key with `latchkey client add --jwks`", id);
                    return None;
                }
            };
            let mut proven = Wiped::new(keys);
            proven["token_endpoint_auth_method"] = json!("private_key_jwt");
            return Some((ProofMethod::Key, proven));
        }
        other => {
            left_out.add(
                "clients with another authentication method: register them with `latchkey client add`",
                format!("{id} ({other})"),
            );
            return None;
        }
    }
    let secret = client.secret.as_ref().map(RealmText::as_str).filter(|secret| is_known(secret));
    let proof = if secret.is_some() { ProofMethod::Secret } else { ProofMethod::NewSecret };
    let proven = json!({ "token_endpoint_auth_method": "client_secret_basic", "client_secret": secret });
    Some((proof, Wiped::new(proven)))
}

/// Keycloak exports secrets as `**********`, and references to its vault and to variables as `${…}`.
fn is_known(secret: &str) -> bool {
    is_fit_secret(secret) && !secret.bytes().all(|byte| byte == b'*') && !secret.starts_with("${")
}
