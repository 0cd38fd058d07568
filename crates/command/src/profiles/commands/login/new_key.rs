//! The key pair of `login --new-key`. The private key becomes the profile's credential; the public key must
//! be registered at the server.

use std::io::{Write as _, stderr};
use std::process::ExitCode;
use values::ShellCommand;

use anyhow::{Context as _, bail};
use keys::{KeyId, SigningKey};
use protocol::SigningAlgorithm;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::process::{json, print};
use crate::profiles::{Chosen, Folders, ProfileStore};

/// Generates a key for a new profile, and prints the public key. Refuses an existing profile, which keeps its
/// credential.
pub(super) fn run(folders: &Folders, mut chosen: Chosen) -> anyhow::Result<ExitCode> {
    let (store, name) = (ProfileStore(folders), chosen.name.clone());
    if store.read()?.profiles.contains_key(name.as_str()) {
        bail!(
            "profile `{name}` already exists and would lose its credential. Choose another --profile, or log out first"
        );
    }
    let key = NewKey::generate()?;
    chosen.profile.key_id = Some(key.kid);
    store.save(&chosen, &key.private)?;
    let tenant = chosen.profile.tenant().map_or("TENANT", |tenant| tenant.as_str());
    let register = ShellCommand::new(
        "latchkey client add TENANT CLIENT --auth-method=private_key_jwt --jwks=FILE",
        &[("TENANT", tenant), ("CLIENT", chosen.profile.client_id.as_str())],
    );
    let _ = writeln!(
        stderr(),
        "Profile `{name}` has a new key and is the current profile. Register the public key that was printed to standard \
             output, for example with\n  {register}\nThen fetch the first token with `latchkey token`."
    );
    print(&json(&key.jwks))
}

/// A new key pair for ES256 assertions.
struct NewKey {
    /// PKCS#8 in PEM.
    private: Zeroizing<String>,
    /// The thumbprint (RFC 7638), so that different keys of a client have different ids.
    kid: String,
    /// A JWK set with the public key, as the client's member `jwks` needs it (RFC 7591 §2).
    jwks: Value,
}

impl NewKey {
    fn generate() -> anyhow::Result<Self> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot generate a key")?;
        let document = Zeroizing::new(pair.serialize_der());
        let key = SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, &document)?;
        let kid = key.jwk.thumbprint();
        let mut jwk = serde_json::to_value(&key.jwk).context("a public key is plain JSON")?;
        jwk["kid"] = json!(kid);
        Ok(Self { private: Zeroizing::new(pair.serialize_pem()), kid, jwks: json!({ "keys": [jwk] }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_set_has_no_private_member() {
        let [one, other] = [(); 2].map(|()| NewKey::generate().unwrap());
        assert_ne!((&one.kid, &*one.private), (&other.kid, &*other.private));
        let jwk = &one.jwks["keys"][0];
        let members: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(!members.contains(&"d"), "{members:?}");
        assert_eq!((&jwk["kty"], &jwk["alg"], &jwk["kid"]), (&json!("EC"), &json!("ES256"), &json!(one.kid)));
        assert_eq!(keys::jwk_thumbprint(jwk), Some(one.kid));
    }
}
