//! The source of a profile's tokens, and errors for a failed source.

use anyhow::Context as _;
use latchkey_client::{Builder, ClientCertificate, PrivateKeyJwt, Secret, TokenError, TokenSource};

use super::error::ProfileError;
use super::profile::TokenEndpoint;
use super::profile::{CredentialKind, Profile};
use super::trust::Trust;

/// Builds the source of tokens for this profile with this credential.
pub(crate) fn source_builder(profile: &Profile, credential: &str, trust: &Trust) -> anyhow::Result<Builder> {
    let builder = endpoint(TokenSource::builder(), &profile.endpoint).client_id(&profile.client_id);
    let builder = if trust.is_insecure { builder.allow_plain_http() } else { builder };
    let builder = match profile.credential {
        CredentialKind::Secret => builder.credential(Secret::value(credential)),
        CredentialKind::Command => {
            let words = shlex::split(credential).context("a quote in the command is not closed")?;
            builder.credential(Secret::command(words))
        }
        CredentialKind::Certificate => {
            builder.credential(ClientCertificate::from_text(Secret::value(credential)))
        }
        CredentialKind::Key => builder.credential(private_key(profile, credential)),
    };
    Ok(builder.http(trust.change()?))
}

pub(crate) fn private_key(profile: &Profile, credential: &str) -> PrivateKeyJwt {
    let key = PrivateKeyJwt::value(credential);
    match &profile.key_id {
        Some(kid) => key.kid(kid),
        None => key,
    }
}

fn endpoint(builder: Builder, endpoint: &TokenEndpoint) -> Builder {
    match endpoint {
        TokenEndpoint::Tenant { .. } => builder
            .token_endpoint(endpoint.audience())
            .revocation_endpoint(format!("{endpoint}/oauth/revoke"))
            .introspection_endpoint(format!("{endpoint}/oauth/introspect")),
        TokenEndpoint::Issuer { issuer } => builder.issuer(issuer),
        TokenEndpoint::Direct { token_endpoint } => builder.token_endpoint(token_endpoint),
    }
}

/// The error if a server does not answer a question about the client's token.
pub(crate) fn no_answer(profile: &Profile, source: TokenError) -> anyhow::Error {
    let from = format!(
        "{} rejects the client {} in the request about its token",
        profile.endpoint, profile.client_id
    );
    ProfileError::NoToken { from, source }.into()
}

/// The error if a server refuses to issue a token.
pub(crate) fn no_token(profile: &Profile, source: TokenError) -> anyhow::Error {
    let from = format!("{} issues no token to the client {}", profile.endpoint, profile.client_id);
    ProfileError::NoToken { from, source }.into()
}
