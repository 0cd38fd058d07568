//! The arguments of `latchkey login`, and the profile that they make.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use tenancy::TenantId;
use url::Url;

use crate::profiles::{
    CredentialKind, CredentialStore, Profile, ProfileName, RequestArguments, TokenEndpoint,
};

/// The options that say where a secret is read from.
const SECRETS: [&str; 3] = ["client_secret_file", "client_secret_env", "client_secret_command"];

/// A client at a server, and where its secret is read from.
#[derive(Args)]
pub(crate) struct LoginArguments {
    /// The name of the profile.
    #[arg(long, value_name = "NAME", default_value = ProfileName::DEFAULT)]
    pub(super) profile: ProfileName,
    /// The URL of a Latchkey server.
    #[arg(long, value_name = "URL", requires = "tenant", required_unless_present_any = ["issuer", "token_endpoint"])]
    server: Option<Url>,
    /// Whose client it is, at that server.
    #[arg(long, value_name = "TENANT", requires = "server")]
    tenant: Option<TenantId>,
    /// The issuer, whose metadata name the token endpoint, instead of server and tenant.
    #[arg(long, value_name = "URL", conflicts_with_all = ["server", "token_endpoint"])]
    issuer: Option<String>,
    /// The token endpoint, instead of server and tenant.
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    token_endpoint: Option<String>,
    /// The client's id.
    #[arg(long, value_name = "CLIENT")]
    pub(super) client_id: String,
    /// Read the client's secret from this file; - reads standard input. Without this option and the next two
    /// the command asks at the terminal.
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_env")]
    pub(super) client_secret_file: Option<PathBuf>,
    /// Read the client's secret from the variable of this name.
    #[arg(long, value_name = "NAME")]
    pub(super) client_secret_env: Option<String>,
    /// Let this command print the client's secret, such as one that reads a secret store. Its words
    /// may have quotes, and no shell runs it. The profile keeps the command instead of a secret, and
    /// runs it for each new token.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["client_secret_file", "client_secret_env"])]
    pub(super) client_secret_command: Option<String>,
    /// Sign assertions with the private key in this file (`private_key_jwt`), in PEM or as a JWK, instead of
    /// a secret; - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = SECRETS)]
    pub(super) key: Option<PathBuf>,
    /// The `kid` of that key. A JWK brings its own.
    #[arg(long, value_name = "KID", requires = "key")]
    key_id: Option<String>,
    /// Make a P-256 key pair for assertions instead, print its public half as a JWK set to register at the
    /// server, and fetch no token. The private half stays in the profile.
    #[arg(long, conflicts_with_all = ["key", SECRETS[0], SECRETS[1], SECRETS[2]])]
    pub(super) new_key: bool,
    /// Present the certificate in this PEM file (`tls_client_auth`,
    /// `self_signed_tls_client_auth`), with those between it and its authority, instead of a
    /// secret. The profile keeps a copy of certificate and key.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "new_key", SECRETS[0], SECRETS[1], SECRETS[2]])]
    pub(super) certificate: Option<PathBuf>,
    /// The certificate's private key. Without this option it is beside the certificate.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(super) certificate_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) request: RequestArguments,
    /// Send tokens to the origin of this URL, too. With neither a resource nor an origin they go to every
    /// https URL that a command names; repeated, or with commas.
    #[arg(long = "origin", value_name = "URL", value_delimiter = ',')]
    origins: Vec<String>,
    /// Trust the certificates in this PEM file, too.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where the secret is kept.
    #[arg(long, value_enum, default_value_t = CredentialStore::File)]
    pub(super) store: CredentialStore,
}

impl LoginArguments {
    /// The profile without a name.
    pub(super) fn profile(&self) -> anyhow::Result<Profile> {
        let endpoint = match (&self.server, &self.tenant, &self.issuer, &self.token_endpoint) {
            (Some(server), Some(tenant), ..) => {
                TokenEndpoint::Tenant { server: server.clone(), tenant: tenant.clone() }
            }
            (_, _, Some(issuer), _) => TokenEndpoint::Issuer { issuer: issuer.clone() },
            (_, _, _, Some(token_endpoint)) => {
                TokenEndpoint::Direct { token_endpoint: token_endpoint.clone() }
            }
            _ => bail!("give --server and --tenant, or --issuer, or --token-endpoint"),
        };
        // A command in another folder finds it, too.
        let ca = self.ca.as_ref().map(std::path::absolute).transpose().context("--ca is no path")?;
        let credential = match (&self.certificate, &self.key) {
            (Some(_), _) => CredentialKind::Certificate,
            (None, Some(_)) => CredentialKind::Key,
            (None, None) if self.new_key => CredentialKind::Key,
            (None, None) if self.client_secret_command.is_some() => CredentialKind::Command,
            (None, None) => CredentialKind::Secret,
        };
        Ok(Profile {
            store: self.store,
            key_id: self.key_id.clone(),
            scopes: self.request.scopes.clone(),
            resources: self.request.resources.clone(),
            origins: self.origins.clone(),
            ca,
            ..Profile::new(endpoint, self.client_id.clone(), credential)
        })
    }
}
