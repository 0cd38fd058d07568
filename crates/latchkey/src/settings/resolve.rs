//! From what a file declares to what it comes to: defaults filled in, secrets fetched from where the file says.

use std::{collections::BTreeMap, path::Path};

use zeroize::Zeroizing;

use super::{
    check,
    client::{Client, Jwk, Jwks},
    file_reader::{FileReader, Referenced, Unreadable},
    findings::{Findings, Location},
    resolved::{ResolvedAdmin, ResolvedClient, ResolvedSecret, ResolvedSigning, ResolvedTenant, SecretText},
    scalar::PublicUrl,
    secret::{ClientSecretSetting, PasswordSetting, PrivateKeySetting, Secret},
    sections::Admin,
    source::Source,
    tenant::{Signing, Tenant},
    yaml,
};
use crate::files::Holds;

/// What resolving needs beside the thing itself.
pub(crate) struct Resolver<'r, 'e> {
    pub(crate) file_reader: &'r mut FileReader<'e>,
    pub(crate) sources: &'r [Source],
    pub(crate) findings: &'r mut Findings,
}

/// The places that a secret may be said to be in.
#[derive(Default)]
struct SecretSources<'p> {
    value: Option<Secret>,
    hash: Option<Secret>,
    env: Option<&'p str>,
    file: Option<&'p Path>,
    allowed: &'static str,
}

impl Resolver<'_, '_> {
    pub(crate) fn tenant(
        &mut self,
        id: String,
        tenant: Tenant,
        public_url: &PublicUrl,
        at: &Location,
    ) -> ResolvedTenant {
        let mut clients = BTreeMap::new();
        for (client_id, client) in tenant.clients {
            let at = at.key("clients").key(&client_id);
            let client = self.client(&client_id, client, &at);
            clients.insert(client_id, client);
        }
        ResolvedTenant {
            name: tenant.name.unwrap_or_else(|| id.clone()),
            issuer: tenant.issuer.unwrap_or_else(|| format!("{}{id}", public_url.tenant_prefix())),
            issuer_aliases: tenant.issuer_aliases,
            strategies: tenant.strategies,
            stale_if_error: tenant.stale_if_error,
            signing: self.signing(tenant.signing, &at.key("signing")),
            access_token: tenant.access_token,
            resource_servers: tenant.resource_servers,
            clients,
            id,
        }
    }

    pub(crate) fn admins(&mut self, admin: &mut Admin, at: &Location) -> Vec<ResolvedAdmin> {
        let mut admins = Vec::new();
        for (name, user) in std::mem::take(&mut admin.users) {
            let at = at.key("users").key(&name).key("password");
            let PasswordSetting { value, env, file, hash } = user.password;
            if value.is_some() {
                self.findings.exposed(
                    at.key("value"),
                    "an admin password stands in the file itself while a listener or server.public_url is beyond loopback",
                    "give it as `env` or `file`, or start with listeners on 127.0.0.1 and a public_url of localhost",
                );
            }
            let allowed = "`env`, `file`, `hash` or `value`";
            let secret_sources =
                SecretSources { value, hash, env: env.as_deref(), file: file.as_deref(), allowed };
            if let Some(password) = self.secret(secret_sources, &at) {
                check::secret::check_secret(&password, &at, self.findings);
                admins.push(ResolvedAdmin { name, password, permissions: user.permissions });
            }
        }
        admins
    }

    fn client(&mut self, id: &str, client: Client, at: &Location) -> ResolvedClient {
        let mut secrets = Vec::new();
        let single = client.client_secret.map(|secret| (at.key("client_secret"), secret));
        let several = client.client_secrets.into_iter().enumerate();
        let several = several.map(|(index, secret)| (at.item("client_secrets", index), secret));
        for (at, ClientSecretSetting { value, env, file, hash, expires }) in single.into_iter().chain(several)
        {
            let allowed = "`env`, `file`, `hash` or `value`";
            let secret_sources =
                SecretSources { value, hash, env: env.as_deref(), file: file.as_deref(), allowed };
            if let Some(secret) = self.secret(secret_sources, &at) {
                check::secret::check_secret(&secret, &at, self.findings);
                secrets.push(ResolvedSecret { secret, expires });
            }
        }
        ResolvedClient {
            name: client.name.unwrap_or_else(|| id.to_owned()),
            secrets,
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            grant_types: client.grant_types,
            audiences: client.audiences,
            resources: client.resources,
            scopes: client.scopes,
            access_token_lifetime: client.access_token_lifetime,
            token_issuer: client.token.issuer,
            jwks: client.jwks.and_then(|jwks| self.jwks(jwks, &at.key("jwks"))),
            jwks_uri: client.jwks_uri,
            redirect_uris: client.redirect_uris,
            introspection: client.introspection,
        }
    }

    fn signing(&mut self, signing: Signing, at: &Location) -> ResolvedSigning {
        let rotate_every = signing.rotation();
        let first_key = signing.first_key.and_then(|key| {
            let PrivateKeySetting { file, env, value } = key;
            let allowed = "`file`, `env` or `value`";
            let (env, file) = (env.as_deref(), file.as_deref());
            let text =
                self.secret(SecretSources { value, env, file, allowed, hash: None }, &at.key("first_key"))?;
            let (SecretText::Value(key) | SecretText::Hash(key)) = text;
            Some(key)
        });
        ResolvedSigning {
            algorithm: signing.algorithm,
            rotate_every,
            publish_before: signing.publish_before,
            jwks_max_age: signing.jwks_max_age,
            jwks_stale: signing.jwks_stale,
            skew: signing.skew,
            rsa_bits: signing.rsa_bits,
            hold_activation: signing.hold_activation,
            first_key,
        }
    }

    fn secret(&mut self, secret_sources: SecretSources<'_>, at: &Location) -> Option<SecretText> {
        let SecretSources { value, hash, env, file, allowed } = secret_sources;
        let text = match (value, hash, env, file) {
            (Some(value), None, None, None) => return Some(SecretText::Value(value)),
            (None, Some(hash), None, None) => return Some(SecretText::Hash(hash)),
            (None, None, Some(name), None) => {
                self.file_reader.variable(name).map_err(|unreadable| (at.key("env"), unreadable))
            }
            (None, None, None, Some(path)) => {
                let folder = self.sources[at.source()].folder();
                let full = folder.join(path);
                match self.file_reader.referenced(folder, path, Holds::Secret) {
                    Ok(Referenced { text, is_exposed }) => {
                        if is_exposed {
                            check::files::warn_of(&full, at.key("file"), self.findings);
                        }
                        Ok(without_last_newline(&text))
                    }
                    Err(unreadable) => Err((at.key("file"), unreadable)),
                }
            }
            (None, None, None, None) => {
                self.findings.error(at.clone(), "nothing says where it is found", format!("give {allowed}"));
                return None;
            }
            _ => {
                let problem = "more than one place is given for the one thing";
                self.findings.error(at.clone(), problem, format!("give exactly one of {allowed}"));
                return None;
            }
        };
        match text {
            Ok(mut text) => Some(SecretText::Value(Secret::new(std::mem::take(&mut text)))),
            Err((at, Unreadable { problem, hint })) => {
                self.findings.error(at, problem, hint);
                None
            }
        }
    }

    fn jwks(&mut self, jwks: Jwks, at: &Location) -> Option<Vec<Jwk>> {
        #[derive(serde::Deserialize)]
        struct KeySet {
            keys: Vec<Jwk>,
        }
        let path = match (jwks.keys, jwks.file) {
            (Some(keys), None) => return Some(keys),
            (None, Some(path)) => path,
            (None, None) | (Some(_), Some(_)) => {
                self.findings.error(
                    at.clone(),
                    "the keys are to be found in exactly one place",
                    "give either `file` or `keys`",
                );
                return None;
            }
        };
        let folder = self.sources[at.source()].folder();
        let text = match self.file_reader.referenced(folder, &path, Holds::Public) {
            Ok(Referenced { text, .. }) => text,
            Err(Unreadable { problem, hint }) => {
                self.findings.error(at.key("file"), problem, hint);
                return None;
            }
        };
        let source = Source::new(folder.join(&path), Zeroizing::new(text.to_string()));
        match yaml::parse::<KeySet>(&source) {
            Ok(set) => Some(set.keys),
            Err(fault) => {
                let problem = format!("the file is not a JWK set: {}", fault.brief());
                self.findings.error(at.key("file"), problem, "write `{\"keys\": […]}` as in RFC 7517 §5");
                None
            }
        }
    }
}

/// Editors and `echo` end a file with a newline that nobody means to be part of the secret.
fn without_last_newline(text: &str) -> Zeroizing<String> {
    let stripped = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n'));
    Zeroizing::new(stripped.unwrap_or(text).to_owned())
}
