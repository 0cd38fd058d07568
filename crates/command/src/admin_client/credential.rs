//! Where the token for a server comes from: the operator passes a token, or a client fetches one.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use latchkey_client::{PrivateKeyJwt, Request};
use protocol::JWT_BEARER;
use reqwest::Identity;
use url::Url;
use values::Secret;
use zeroize::Zeroizing;

use super::arguments::AdminArguments;
use super::arguments::variable;
use super::error::AdminApiError;
use crate::profiles::Trust;
use crate::profiles::{
    Chosen, CredentialKind, Folders, Profile, ProfileStore, SharedTokens, TokenEndpoint, no_token,
    private_key, source_builder,
};
use server::clock;
use settings::Environment;
use settings::files;

/// The limit for the token request, including its retries.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) enum TokenOrigin {
    Token(Secret),
    /// A client that options or variables name, with its secret.
    Client(Box<Profile>, Secret),
    Profile(Folders, Box<Chosen>),
}

impl TokenOrigin {
    /// Options override variables, and variables override a profile. A token overrides a client that fetches
    /// one.
    pub(super) fn choose(
        server: &Url,
        arguments: &AdminArguments,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        if let Some(file) = &arguments.token_file {
            return Ok(Self::Token(line_of(file)?));
        }
        let AdminArguments { as_client, as_client_secret_file, .. } = arguments;
        let is_chosen = as_client.is_some() || as_client_secret_file.is_some();
        if !is_chosen && let Some(token) = variable(environment, "LATCHKEY_TOKEN") {
            return Ok(Self::Token(Secret::new(token.to_owned())));
        }
        let client = as_client.as_deref().or_else(|| variable(environment, "LATCHKEY_CLIENT_ID"));
        let file = as_client_secret_file.as_deref();
        let file = file.or_else(|| variable(environment, "LATCHKEY_CLIENT_SECRET_FILE").map(Path::new));
        match (client, file) {
            (Some(client), Some(file)) => {
                let endpoint =
                    TokenEndpoint::Tenant { server: server.clone(), tenant: arguments.as_tenant.clone() };
                let profile = Profile::new(endpoint, client.to_owned(), CredentialKind::Secret);
                Ok(Self::Client(Box::new(profile), line_of(file)?))
            }
            (None, None) => of_profile(server, environment)?.ok_or_else(|| AdminApiError::NoToken.into()),
            (Some(_), None) => bail!(
                "the client has no secret. Pass --as-client-secret-file or set LATCHKEY_CLIENT_SECRET_FILE"
            ),
            (None, Some(_)) => {
                bail!("there is a client secret but no client. Pass --as-client or set LATCHKEY_CLIENT_ID")
            }
        }
    }

    /// The certificates that admin requests trust: those of the arguments, and those of the profile.
    pub(super) fn trust(&self, arguments: &AdminArguments) -> Trust {
        let mut trust = Trust::from_file(arguments.ca.as_ref());
        trust.is_insecure = arguments.insecure;
        if let Self::Profile(_, chosen) = self {
            trust.files.extend(chosen.profile.ca.clone());
        }
        trust
    }

    /// The client certificate that admin requests present in addition to the token.
    pub(super) fn identity(&self) -> anyhow::Result<Option<Identity>> {
        match self {
            Self::Profile(folders, chosen) => ProfileStore(folders).identity(chosen),
            Self::Token(_) | Self::Client(..) => Ok(None),
        }
    }

    /// How the client authenticates in a request, in addition to its token. A secret that a command prints is
    /// only used to fetch tokens.
    pub(super) fn own(&self) -> anyhow::Result<Option<OwnCredential>> {
        let (profile, proof) = match self {
            Self::Token(_) => return Ok(None),
            Self::Client(profile, secret) => {
                (&**profile, OwnProof::Secret(Zeroizing::new(secret.expose().to_owned())))
            }
            Self::Profile(folders, chosen) => {
                let (profile, credential) = (&chosen.profile, || ProfileStore(folders).credential(chosen));
                let proof = match profile.credential {
                    CredentialKind::Secret => OwnProof::Secret(credential()?),
                    CredentialKind::Key => {
                        let key = private_key(profile, &credential()?);
                        OwnProof::Key(Box::new(key), profile.endpoint.audience())
                    }
                    CredentialKind::Certificate => OwnProof::Certificate,
                    CredentialKind::Command => return Ok(None),
                };
                (profile, proof)
            }
        };
        Ok(Some(OwnCredential { client: profile.client_id.clone(), proof }))
    }

    /// A token for the audience of administration.
    pub(super) async fn token(self, trust: &Trust) -> anyhow::Result<Secret> {
        match self {
            Self::Token(token) => Ok(token),
            Self::Client(profile, secret) => {
                let builder = source_builder(&profile, secret.expose(), trust)?;
                let source = builder.request(request(&profile)).timeout(TOKEN_TIMEOUT).build()?;
                let token = source.token().await.map_err(|error| no_token(&profile, error))?;
                Ok(Secret::new(token.expose().to_owned()))
            }
            Self::Profile(folders, chosen) => {
                let token =
                    SharedTokens::from_folders(&folders).token(&chosen, &request(&chosen.profile)).await?;
                Ok(Secret::new(token.access_token.clone()))
            }
        }
    }
}

pub(super) struct OwnCredential {
    client: String,
    proof: OwnProof,
}

enum OwnProof {
    Secret(Zeroizing<String>),
    /// The key, and the audience of its assertions.
    Key(Box<PrivateKeyJwt>, String),
    /// The connection presents the certificate.
    Certificate,
}

impl OwnCredential {
    /// The form parameters that authenticate the client. Each assertion is only for one request.
    pub(super) async fn parameters(&self) -> anyhow::Result<Vec<(&'static str, Zeroizing<String>)>> {
        let parameter = |name, value: &str| (name, Zeroizing::new(value.to_owned()));
        let mut parameters = vec![parameter("client_id", &self.client)];
        match &self.proof {
            OwnProof::Secret(secret) => parameters.push(parameter("client_secret", secret)),
            OwnProof::Key(key, audience) => {
                let now = UNIX_EPOCH + Duration::from_secs(clock::now().seconds());
                let assertion = key.assertion(&self.client, audience, now).await?;
                parameters.push(parameter("client_assertion_type", JWT_BEARER));
                parameters.push(("client_assertion", Zeroizing::new(assertion)));
            }
            OwnProof::Certificate => {}
        }
        Ok(parameters)
    }
}

/// A request for a token with the audience of administration at the profile's tenant.
fn request(profile: &Profile) -> Request {
    let tenant = profile.tenant().into_iter();
    tenant.fold(Request::new(), |request, tenant| request.resource(tenant.admin_audience()))
}

/// The profile for this server. `None` if the user has no folder for profiles.
fn of_profile(server: &Url, environment: &Environment) -> anyhow::Result<Option<TokenOrigin>> {
    let Ok(folders) = Folders::from_environment(environment) else { return Ok(None) };
    let chosen = ProfileStore(&folders).of_server(server)?;
    Ok(chosen.map(|chosen| TokenOrigin::Profile(folders, Box::new(chosen))))
}

fn line_of(file: &Path) -> anyhow::Result<Secret> {
    let text = files::read_secret_text(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Secret::new(text.trim().to_owned()))
}
