//! The arguments of `latchkey inspect`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use registry::ClientId;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::admin_client::AdminArguments;
use crate::parse::parse_instant;

/// Which token, and what is expected of it.
#[derive(Args)]
pub(crate) struct InspectArguments {
    /// File with a token, a token response, an API key, or a client certificate in PEM or DER; - reads
    /// standard input (the default). Never pass the token itself.
    pub(super) file: Option<PathBuf>,
    /// Verify offline with the public keys in this JWKS file. For a client assertion, pass the client's
    /// keys.
    #[arg(long, value_name = "FILE", conflicts_with = "tenant")]
    pub(super) jwks: Option<PathBuf>,
    /// Verify with the keys, issuers and token type of this tenant. For an API key, ask the tenant's token
    /// endpoint.
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<TenantId>,
    /// Expected issuer (`iss`). Defaults to the tenant's.
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// Expected audience (`aud`): the name of your API. For an assertion, the token endpoint, which is
    /// accepted in addition to the issuer.
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    /// Expected `typ` in the header. Defaults to the tenant's, or at+jwt.
    #[arg(long)]
    pub(super) typ: Option<String>,
    /// Verify as of this time, for example 2027-01-31T12:00:00Z. Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub(super) at: Option<Timestamp>,
    /// How far `nbf` and `iat` may lie in the future. `exp` has no leeway.
    #[arg(long, value_name = "SPAN", default_value_t = keys::LEEWAY)]
    pub(super) leeway: Lifetime,
    /// Check a client assertion of this client. With a tenant and a client, check the assertion against the
    /// client's rules for other issuers (`federated`), or ask the tenant's server about an opaque token.
    #[arg(long, value_names = ["TENANT", "CLIENT"], num_args = 1..=2, conflicts_with_all = ["tenant", "typ", "method", "url", "access_token", "client_ca"])]
    pub(super) client: Vec<String>,
    /// Check a DPoP proof for a request with this HTTP method, for example POST.
    #[arg(long, value_name = "METHOD", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) method: Option<String>,
    /// Check a DPoP proof for a request to this URL, as clients see the URL.
    #[arg(long, value_name = "URL", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) url: Option<String>,
    /// Check a DPoP proof for the access token in this file. Never pass the token itself.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) access_token: Option<PathBuf>,
    /// Check a client certificate against the authorities in this file (`client_ca` of a listener).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ", "method", "url", "access_token"])]
    pub(super) client_ca: Option<PathBuf>,
    /// Serve a local page that explains pasted tokens, until you press Ctrl-C. Nothing that you paste
    /// leaves this machine, except an API key with `--tenant` and an opaque token with `--client`, which the
    /// server looks up.
    #[arg(long, conflicts_with_all = ["file", "json", "at", "method", "url", "access_token", "client_ca"])]
    pub(super) page: bool,
    #[command(flatten)]
    pub(super) admin: AdminArguments,
}

impl InspectArguments {
    /// If `--client` has two values and no file follows, the second value is the file.
    pub(super) fn place_file(&mut self) {
        if self.file.is_none() && self.client.len() == 2 {
            self.file = self.client.pop().map(PathBuf::from);
        }
    }

    pub(super) fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new("-"))
    }

    /// The client that a request names.
    pub(super) fn client(&self) -> anyhow::Result<Option<ClientId>> {
        let id = self.client.last().map(|id| id.parse());
        id.transpose().context("--client")
    }

    /// The tenant and the client whose trust rules are used.
    pub(super) fn client_with_rules(&self) -> anyhow::Result<Option<(TenantId, ClientId)>> {
        let [tenant, client] = self.client.as_slice() else { return Ok(None) };
        Ok(Some((tenant.parse().context("--client")?, client.parse().context("--client")?)))
    }

    /// The options that only apply to tokens and are set.
    pub(super) fn options_of_tokens(&self) -> impl Iterator<Item = &'static str> {
        let Self { jwks, tenant, issuer, audience, typ, method, url, access_token, .. } = self;
        let options = [
            ("--jwks", jwks.is_some()),
            ("--tenant", tenant.is_some()),
            ("--issuer", issuer.is_some()),
            ("--audience", audience.is_some()),
            ("--typ", typ.is_some()),
            ("--method", method.is_some()),
            ("--url", url.is_some()),
            ("--access-token", access_token.is_some()),
        ];
        options.into_iter().filter(|(_, is_given)| *is_given).map(|(option, _)| option)
    }
}
