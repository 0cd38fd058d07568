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
    /// The file that holds the token, a token response, an API key, or a client certificate in PEM or DER; -
    /// reads standard input. Never the token itself. Default: -.
    pub(super) file: Option<PathBuf>,
    /// Verify with the public keys of this JWKS document, as an API does offline; an assertion
    /// with those of its client.
    #[arg(long, value_name = "FILE", conflicts_with = "tenant")]
    pub(super) jwks: Option<PathBuf>,
    /// Verify as this tenant does: with its keys, issuers and type; an API key as its token endpoint does.
    #[arg(long, value_name = "TENANT")]
    pub(super) tenant: Option<TenantId>,
    /// The issuer that `iss` must name. Default: the tenant's.
    #[arg(long, value_name = "URL")]
    pub(super) issuer: Option<String>,
    /// The API's own name, which `aud` must have. Of an assertion, the token endpoint, which `aud` may
    /// have in place of the issuer.
    #[arg(long, value_name = "NAME")]
    pub(super) audience: Option<String>,
    /// The `typ` of the header. Default: the tenant's, else at+jwt.
    #[arg(long)]
    pub(super) typ: Option<String>,
    /// Verify for this instant, such as 2027-01-31T12:00:00Z. Default: now.
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub(super) at: Option<Timestamp>,
    /// How far `nbf` and `iat` may be ahead. `exp` has no leeway.
    #[arg(long, value_name = "SPAN", default_value_t = keys::LEEWAY)]
    pub(super) leeway: Lifetime,
    /// Check a client assertion: the client that the request names. After a tenant, and before the file, its
    /// rules over other issuers (`federated`).
    #[arg(long, value_names = ["TENANT", "CLIENT"], num_args = 1..=2, conflicts_with_all = ["tenant", "typ", "method", "url", "access_token", "client_ca"])]
    pub(super) client: Vec<String>,
    /// Check a DPoP proof: the HTTP method of its request, such as POST.
    #[arg(long, value_name = "METHOD", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) method: Option<String>,
    /// Check a DPoP proof: the URL of its request, as clients see it.
    #[arg(long, value_name = "URL", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) url: Option<String>,
    /// Check a DPoP proof: the file that holds the access token beside it. Never the token itself.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ"])]
    pub(super) access_token: Option<PathBuf>,
    /// Check a client certificate: the file with the authorities, as `client_ca` of a listener names it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["jwks", "tenant", "issuer", "audience", "typ", "method", "url", "access_token"])]
    pub(super) client_ca: Option<PathBuf>,
    /// Serve a page on this machine that explains what is pasted into it, until Ctrl-C. Nothing that is
    /// pasted leaves the machine, but an API key with `--tenant`, which its server looks up.
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
