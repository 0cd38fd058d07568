//! `latchkey console`: a link that opens the console in a browser.

use std::io::{IsTerminal as _, stdout};
use std::path::Path;
use std::process::ExitCode;

use administration::documents::ConsoleLink;
use anyhow::ensure;
use clap::Args;
use settings::Environment;
use tenancy::TenantId;

use crate::admin_client::{AdminArguments, ApiRequest};
use crate::output::readable;
use crate::process::print;
use crate::runner::Runner;

/// Of which tenant.
#[derive(Args)]
pub(crate) struct ConsoleArguments {
    /// Open the console of this tenant, for the tenant's own administrators.
    tenant: Option<TenantId>,
    #[command(flatten)]
    admin: AdminArguments,
}

/// Prints the link only to a terminal. A file or a pipe could keep it.
pub(crate) fn run(
    config: &Path,
    ConsoleArguments { tenant, admin }: &ConsoleArguments,
) -> anyhow::Result<ExitCode> {
    ensure!(
        stdout().is_terminal(),
        "the sign-in link is a credential, so the command prints it only to a terminal"
    );
    let path = tenant.as_ref().map_or_else(
        || "/api/v1/admin/console-links".to_owned(),
        |tenant| format!("/api/v1/tenant/{tenant}/console-links"),
    );
    Runner { config, arguments: admin }.run(async |client| {
        let made: ConsoleLink = client.send(ApiRequest::authenticated(path)).await?;
        let link = match admin.server(&Environment::of_process())? {
            Some(server) => format!("{}{}", server.as_str().trim_end_matches('/'), made.path),
            None => made.link,
        };
        let ends =
            made.session_ends_at.map(|at| format!("The session ends at {} at the latest.\n", readable(at.0)));
        let ends = ends.unwrap_or_default();
        print(&format!("Open this link within 60 s. The link works once.\n{ends}\n  {link}\n"))
    })
}
