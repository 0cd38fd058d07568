//! The source of a profile's tokens, and the error of a profile without one.

use anyhow::{Context as _, anyhow};
use latchkey_client::{Builder, PrivateKeyJwt, Request, Secret, TokenError, TokenSource};
use reqwest::{Certificate, ClientBuilder};
use settings::files;

use super::profile::Endpoint;
use super::{CredentialPlace, Profile};
use crate::admin_client::AdminClientError;

/// A source of tokens of this profile, with its credential.
pub(crate) fn source(profile: &Profile, credential: &str, request: Request) -> anyhow::Result<TokenSource> {
    let trusted = trusted(profile)?;
    let builder = endpoint(TokenSource::builder(), &profile.endpoint).client_id(&profile.client_id);
    let builder = match (profile.credential, &profile.key_id) {
        (CredentialPlace::SecretFile, _) => builder.credential(Secret::value(credential)),
        (CredentialPlace::KeyFile, None) => builder.credential(PrivateKeyJwt::value(credential)),
        (CredentialPlace::KeyFile, Some(kid)) => {
            builder.credential(PrivateKeyJwt::value(credential).kid(kid))
        }
    };
    Ok(builder.request(request).http(move |http| http.tls_certs_merge(trusted.clone())).build()?)
}

fn endpoint(builder: Builder, endpoint: &Endpoint) -> Builder {
    match endpoint {
        Endpoint::Tenant { .. } => builder.token_endpoint(format!("{endpoint}/oauth/token")),
        Endpoint::Issuer { issuer } => builder.issuer(issuer),
        Endpoint::Direct { token_endpoint } => builder.token_endpoint(token_endpoint),
    }
}

/// An HTTP client that trusts the profile's certificates, too.
pub(crate) fn client_builder(profile: &Profile) -> anyhow::Result<ClientBuilder> {
    Ok(reqwest::Client::builder().tls_certs_merge(trusted(profile)?))
}

fn trusted(profile: &Profile) -> anyhow::Result<Vec<Certificate>> {
    let Some(file) = &profile.ca else { return Ok(Vec::new()) };
    let text = files::read_public(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Certificate::from_pem_bundle(&text).map_err(|error| anyhow!("{}: {error}", file.display()))
}

/// Who refused a token, and to which client.
pub(crate) fn no_token(profile: &Profile, source: TokenError) -> anyhow::Error {
    let from = format!("{} gives no token to the client {}", profile.endpoint, profile.client_id);
    AdminClientError::NoTokenFrom { from, source }.into()
}
