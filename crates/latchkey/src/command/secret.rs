//! `latchkey secret …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{CreatedSecret, NewSecretSettings, RotateSettings, SecretView};
use clap::Subcommand;
use protocol::{Lifetime, Timestamp};
use registry::SecretId;
use serde_json::json;

use super::client::ClientArguments;
use super::session::through;
use super::shown::{SecretArguments, SecretSink, confirm, table};
use super::value::{When, parse_span, parse_when};
use crate::door::Through;
use crate::start_error::StartError;

/// What can be done to the secrets of a client.
#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    /// Make one more secret and print it, once.
    Add {
        #[command(flatten)]
        of: ClientArguments,
        /// When it ends: an instant, a span such as 90d, or never.
        #[arg(long, value_name = "WHEN", value_parser = parse_when, default_value = "never")]
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
        #[arg(long, value_name = "SPAN", value_parser = parse_span)]
        grace: Option<Lifetime>,
        /// When the new one ends.
        #[arg(long, value_name = "WHEN", value_parser = parse_when, default_value = "never")]
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
        #[arg(value_parser = parse_when)]
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

/// Runs the command.
pub(crate) fn secret(config: &Path, asked: Through<SecretCommand>) -> Result<ExitCode, StartError> {
    match asked.command {
        SecretCommand::Add { of, expires, secret } => {
            let mut sink = SecretSink::open(&secret)?;
            through(config, &asked.door, async |session| {
                let settings = NewSecretSettings { expires_at: expires.end() };
                let created = session.door().create_secret(&of.tenant, &of.client, settings).await?;
                let lines = told(&created, &mut sink)?;
                session.show(&sink.document(&created), || lines)
            })
        }
        SecretCommand::Rotate { of, grace, expires, secret } => {
            let mut sink = SecretSink::open(&secret)?;
            through(config, &asked.door, async |session| {
                let settings =
                    RotateSettings { grace: grace.map(Lifetime::seconds), expires_at: expires.end() };
                let created = session.door().rotate_secret(&of.tenant, &of.client, settings).await?;
                let mut lines = told(&created, &mut sink)?;
                lines.push_str("The other secrets of this client end after their time of grace: `latchkey secret list`.\n");
                session.show(&sink.document(&created), || lines)
            })
        }
        SecretCommand::List(of) => through(config, &asked.door, async |session| {
            let secrets = session.door().secrets(&of.tenant, &of.client).await?;
            session.show(&json!({ "items": secrets }), || rows(&secrets))
        }),
        SecretCommand::Expire { of, secret, when } => through(config, &asked.door, async |session| {
            let id = SecretId::new(&secret);
            let view = session.door().expire_secret(&of.tenant, &of.client, &id, when.end()).await?;
            session.show(&view, || rows(std::slice::from_ref(&view)))
        }),
        SecretCommand::Revoke { of, secret, yes } => {
            let question = format!("Revoke secret {}/{}/{secret} for ever?", of.tenant, of.client);
            confirm(&question, yes)?;
            through(config, &asked.door, async |session| {
                let id = SecretId::new(&secret);
                let view = session.door().revoke_secret(&of.tenant, &of.client, &id).await?;
                session.show(&view, || rows(std::slice::from_ref(&view)))
            })
        }
    }
}

fn told(created: &CreatedSecret, sink: &mut SecretSink) -> Result<String, StartError> {
    let SecretView { id, expires_at, .. } = &created.secret;
    let shown = sink.take(&created.client_secret)?;
    let end = end(*expires_at);
    Ok(format!(
        "id             {id}\nclient secret  {shown}\nexpires        {end}\n\nThe secret is shown this once.\n"
    ))
}

fn rows(secrets: &[SecretView]) -> String {
    let row = |view: &SecretView| {
        let used = view.last_used_at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339);
        vec![
            view.id.clone(),
            view.hint.clone(),
            view.form.clone(),
            view.status.clone(),
            view.managed_by.clone(),
            view.created_at.to_rfc3339(),
            end(view.expires_at),
            used,
            view.addresses.to_string(),
            if view.safe_to_delete { "yes" } else { "no" }.to_owned(),
        ]
    };
    let head = [
        "ID",
        "HINT",
        "FORM",
        "STATUS",
        "MANAGED BY",
        "CREATED",
        "EXPIRES",
        "LAST USED",
        "ADDRESSES",
        "SAFE TO DELETE",
    ];
    table("No secrets.", &head, secrets.iter().map(row).collect())
}

fn end(expires_at: Option<Timestamp>) -> String {
    expires_at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339)
}
