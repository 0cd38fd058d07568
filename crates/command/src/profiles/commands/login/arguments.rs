//! The arguments of `latchkey login`, and the resulting profile.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use tenancy::TenantId;
use url::Url;

use crate::profiles::{
    CredentialKind, CredentialStore, Profile, ProfileName, RequestArguments, TokenEndpoint,
};

/// The options for where to read a secret.
const SECRETS: [&str; 3] = ["client_secret_file", "client_secret_env", "client_secret_command"];

/// A client at a server, and where its secret is read from.
#[derive(Args)]
pub(crate) struct LoginArguments {
    /// Name of the profile.
    #[arg(long, value_name = "NAME", default_value = ProfileName::DEFAULT)]
    pub(super) profile: ProfileName,
    /// URL of a Latchkey server.
    #[arg(long, value_name = "URL", requires = "tenant", required_unless_present_any = ["issuer", "token_endpoint"])]
    server: Option<Url>,
    /// Tenant of the client.
    #[arg(long, value_name = "TENANT", requires = "server")]
    tenant: Option<TenantId>,
    /// Issuer whose metadata contains the token endpoint, instead of server and tenant.
    #[arg(long, value_name = "URL", conflicts_with_all = ["server", "token_endpoint"])]
    issuer: Option<String>,
    /// Token endpoint, instead of server and tenant.
    #[arg(long, value_name = "URL", conflicts_with = "server")]
    token_endpoint: Option<String>,
    /// Client ID.
    #[arg(long, value_name = "CLIENT")]
    pub(super) client_id: String,
    /// Read the client secret from this file; - reads standard input. Without this option and the next two,
    /// the command asks at the terminal.
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_env")]
    pub(super) client_secret_file: Option<PathBuf>,
    /// Read the client secret from this environment variable.
    #[arg(long, value_name = "NAME")]
    pub(super) client_secret_env: Option<String>,
    /// Run this command to print the client secret, for example from a secret store. Quotes are allowed,
    /// but no shell runs it. The profile stores the command instead of the secret, and runs it for each new
    /// token.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["client_secret_file", "client_secret_env"])]
    pub(super) client_secret_command: Option<String>,
    /// Sign assertions with the private key in this file (`private_key_jwt`) instead of using a secret: PEM
    /// or JWK; - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = SECRETS)]
    pub(super) key: Option<PathBuf>,
    /// `kid` of that key. A JWK contains its own.
    #[arg(long, value_name = "KID", requires = "key")]
    key_id: Option<String>,
    /// Generate a P-256 key pair for assertions, and print the public key as a JWK set to register at the
    /// server. The profile keeps the private key. No token is fetched.
    #[arg(long, conflicts_with_all = ["key", SECRETS[0], SECRETS[1], SECRETS[2]])]
    pub(super) new_key: bool,
    /// Authenticate with the certificate in this PEM file (`tls_client_auth`,
    /// `self_signed_tls_client_auth`) instead of a secret. The file may include intermediate certificates.
    /// The profile keeps a copy of the certificate and the key.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "new_key", SECRETS[0], SECRETS[1], SECRETS[2]])]
    pub(super) certificate: Option<PathBuf>,
    /// Private key of the certificate. By default, the key is in the certificate's file.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(super) certificate_key: Option<PathBuf>,
    #[command(flatten)]
    pub(super) request: RequestArguments,
    /// Also send tokens to the origin of this URL (repeatable or comma-separated). With neither a resource
    /// nor an origin, tokens are sent to any https URL.
    #[arg(long = "origin", value_name = "URL", value_delimiter = ',')]
    origins: Vec<String>,
    /// Also trust the certificates in this PEM file.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Where to store the secret.
    #[arg(long, value_enum, default_value_t = CredentialStore::File)]
    pub(super) store: CredentialStore,
}

impl LoginArguments {
    /// The profile, which has no name yet.
    pub(super) fn profile(&self) -> anyhow::Result<Profile> {
        let endpoint = match (&self.server, &self.tenant, &self.issuer, &self.token_endpoint) {
            (Some(server), Some(tenant), ..) => {
                TokenEndpoint::Tenant { server: server.clone(), tenant: tenant.clone() }
            }
            (_, _, Some(issuer), _) => TokenEndpoint::Issuer { issuer: issuer.clone() },
            (_, _, _, Some(token_endpoint)) => {
                TokenEndpoint::Direct { token_endpoint: token_endpoint.clone() }
            }
            _ => bail!("pass --server and --tenant, or --issuer, or --token-endpoint"),
        };
        // Absolute, so that commands in other folders find the file.
        let ca = self.ca.as_ref().map(std::path::absolute).transpose().context("--ca is not a valid path")?;
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
