//! `latchkey secret …`.

use std::process::ExitCode;

use administration::{CreatedSecret, Instant, NewSecretSettings, Page, RotateSettings, SecretView};
use clap::Subcommand;
use protocol::{Lifetime, Timestamp};
use serde_json::json;

use super::client::ClientArguments;
use super::output::{Columns, SecretArguments, SecretSink, confirm};
use super::parse::When;
use super::runner::Runner;
use crate::admin_client::{ApiRequest, segment};

/// What can be done to the secrets of a client.
#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    /// Make one more secret and print it, once.
    Add {
        #[command(flatten)]
        of: ClientArguments,
        /// When it ends: an instant, a span such as 90d, or never.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: When,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// List all secrets, with when and from how many addresses each was last used. Never their values.
    List(ClientArguments),
    /// Make a new secret, and let all others end after a time of grace.
    Rotate {
        #[command(flatten)]
        of: ClientArguments,
        /// For how long the others still count. Default: 24h.
        #[arg(long, value_name = "SPAN")]
        grace: Option<Lifetime>,
        /// When the new one ends.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: When,
        #[command(flatten)]
        secret: SecretArguments,
    },
    /// Move a secret's end.
    Expire {
        #[command(flatten)]
        of: ClientArguments,
        /// Which, as `secret list` shows it.
        secret: String,
        /// An instant, a span from now on such as 7d, or `never`. `secret revoke` ends it at once.
        when: When,
    },
    /// End a secret at once and for ever.
    Revoke {
        #[command(flatten)]
        of: ClientArguments,
        /// Which, as `secret list` shows it.
        secret: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: Columns = Columns {
    none: "No secrets.",
    columns: &[
        ("ID", "id", ""),
        ("HINT", "hint", ""),
        ("FORM", "form", ""),
        ("STATUS", "status", ""),
        ("MANAGED BY", "managed_by", ""),
        ("CREATED", "created_at", ""),
        ("EXPIRES", "expires_at", "never"),
        ("LAST USED", "last_used_at", "never"),
        ("ADDRESSES", "addresses", ""),
        ("SAFE TO DELETE", "safe_to_delete", ""),
    ],
};

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: SecretCommand) -> anyhow::Result<ExitCode> {
    let row = |view: &SecretView| COLUMNS.table(std::slice::from_ref(view));
    let path = |of: &ClientArguments, rest: &str| format!("{}/secrets{rest}", of.path());
    let one = |of: &ClientArguments, secret: &str| path(of, &format!("/{}", segment(secret)));
    match command {
        SecretCommand::Add { of, expires, secret } => {
            let settings = NewSecretSettings { expires_at: expires.0.map(Instant) };
            runner.show_secret(ApiRequest::post(path(&of, ""), &settings), &secret, created)
        }
        SecretCommand::Rotate { of, grace, expires, secret } => {
            let settings = RotateSettings { grace, expires_at: expires.0.map(Instant) };
            let request = ApiRequest::post(path(&of, "/rotate"), &settings);
            runner.show_secret(request, &secret, |rotated, sink| {
                let mut lines = created(rotated, sink)?;
                lines.push_str("The other secrets of this client end after their time of grace: `latchkey secret list`.\n");
                Ok(lines)
            })
        }
        SecretCommand::List(of) => {
            runner.show(ApiRequest::get(path(&of, "")), |all: &Page<SecretView>| COLUMNS.table(&all.items))
        }
        SecretCommand::Expire { of, secret, when } => {
            let end = json!({ "expires_at": when.0.map(Timestamp::to_rfc3339) });
            runner.show(ApiRequest::patch(one(&of, &secret), end), row)
        }
        SecretCommand::Revoke { of, secret, yes } => {
            let question = format!("Revoke secret {}/{}/{secret} for ever?", of.tenant, of.client);
            confirm(&question, yes)?;
            runner.show(ApiRequest::delete(one(&of, &secret)), row)
        }
    }
}

fn created(created: &CreatedSecret, sink: &mut SecretSink) -> anyhow::Result<String> {
    let SecretView { id, expires_at, .. } = &created.secret;
    let shown = sink.take(&created.client_secret)?;
    let end = expires_at.map_or_else(|| "never".to_owned(), String::from);
    Ok(format!(
        "id             {id}\nclient secret  {shown}\nexpires        {end}\n\nThe secret is shown this once.\n"
    ))
}
