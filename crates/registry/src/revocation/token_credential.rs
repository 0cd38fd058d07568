//! Finds the client's credential that a token was issued for, by the tag in the token's `jti`.

use protocol::{Credential, Thumbprint};

use crate::{Client, CredentialTag};

/// The kind and name of the credential, such as `client_secret s1`. `None` if the client no longer has a
/// credential with this tag. A certificate of an authority is recognised only if the token is bound to it.
/// Keys behind a URL are recognised only if the client has no other credential.
#[must_use]
pub fn credential_of_token(client: &Client, jti: &str, certificate: Option<Thumbprint>) -> Option<String> {
    let (tenant, id) = (&client.tenant, &client.id);
    let tag = CredentialTag::of_token(jti)?;
    let mut secrets = client.secrets.iter().map(|secret| &secret.id);
    if let Some(secret) = secrets.find(|secret| CredentialTag::of_secret(tenant, id, secret) == tag) {
        return Some(format!("client_secret {secret}"));
    }
    let mut keys = client.keys.iter().flat_map(|keys| keys.keys().thumbprints());
    if let Some(key) = keys.find(|key| CredentialTag::of_key(tenant, id, key) == tag) {
        return Some(format!("public_key {key}"));
    }
    let mut rules = client.federated.0.iter();
    if let Some(rule) = rules.find(|rule| rule.tag(tenant, id) == tag) {
        return Some(format!("trust_rule {} {}", rule.issuer, rule.subject.as_str()));
    }
    if let Some(certificate) = certificate
        && CredentialTag::of_certificate(tenant, id, certificate) == tag
    {
        return Some(format!("client_certificate {certificate}"));
    }
    let has_keys_alone = client.jwks_uri.is_some()
        && !client.authentication_method.allows(Some(Credential::Secret))
        && client.certificate_subject.is_none()
        && client.federated.0.is_empty();
    has_keys_alone.then(|| "public_key".to_owned())
}

#[cfg(test)]
mod tests {
    use protocol::ClientAuthenticationMethod as Method;
    use tenancy::TenantId;
    use uuid::Uuid;

    use super::*;
    use crate::{ClientId, ClientKeys, ClientSecret, SecretId, TrustRule, TrustRules};

    const KEYS: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn client(tenant: &str) -> Client {
        let secret = |id: &str| ClientSecret {
            id: SecretId::new(id),
            hash: secrets::SecretHash::token([1; 32]),
            hint: String::new(),
            created_at: values::Timestamp::from_seconds(0),
            expires_at: None,
            revoked_at: None,
        };
        Client {
            secrets: vec![secret("s1"), secret("s2")],
            keys: Some(ClientKeys::parse(KEYS).unwrap()),
            federated: TrustRules(vec![TrustRule::new("ci", "repo:a")]),
            ..Client::new(TenantId::parse(tenant).unwrap(), ClientId::parse("svc").unwrap())
        }
    }

    #[test]
    fn token_names_its_credential_if_it_still_exists() {
        let svc = client("acme");
        let (tenant, id) = (&svc.tenant, &svc.id);
        let certificate = Thumbprint::new([7; 32]);
        let of_certificate = CredentialTag::of_certificate(tenant, id, certificate);
        let tags = [
            (CredentialTag::of_secret(tenant, id, &SecretId::new("s2")), Some("client_secret s2".to_owned())),
            (CredentialTag::of_key(tenant, id, THUMBPRINT), Some(format!("public_key {THUMBPRINT}"))),
            (of_certificate, Some(format!("client_certificate {certificate}"))),
            (TrustRule::new("ci", "repo:a").tag(tenant, id), Some("trust_rule ci repo:a".to_owned())),
            (TrustRule::new("ci", "repo:b").tag(tenant, id), None),
            (CredentialTag::of_secret(tenant, id, &SecretId::new("deleted")), None),
            (CredentialTag::of_secret(&client("globex").tenant, id, &SecretId::new("s1")), None),
        ];
        for (tag, expected) in tags {
            let jti = tag.token_id(Uuid::from_bytes([0xff; 16])).to_string();
            assert_eq!(credential_of_token(&svc, &jti, Some(certificate)), expected);
            let fetched = Client {
                authentication_method: Method::PrivateKeyJwt,
                jwks_uri: Some("https://keys.example.com/".to_owned()),
                keys: None,
                federated: TrustRules::default(),
                secrets: Vec::new(),
                ..svc.clone()
            };
            assert_eq!(credential_of_token(&fetched, &jti, None).as_deref(), Some("public_key"));
        }
        assert_eq!(credential_of_token(&svc, "another", None), None);
    }
}
