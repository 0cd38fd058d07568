//! `latchkey secret …`.

use std::path::Path;
use std::process::ExitCode;

use administration::{CreatedSecret, NewSecretSettings, RotateSettings, SecretView};
use clap::Subcommand;
use protocol::{Lifetime, Timestamp};
use registry::SecretId;
use serde_json::json;

use super::client::ClientArguments;
use super::output::{SecretArguments, SecretSink, confirm, table};
use super::parse::{When, parse_span, parse_when};
use super::session::with_session;
use crate::admin_client::AdminCommandArguments;
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
pub(crate) fn secret(
    config: &Path,
    request: AdminCommandArguments<SecretCommand>,
) -> Result<ExitCode, StartError> {
    match request.command {
        SecretCommand::Add { of, expires, secret } => {
            let mut sink = SecretSink::open(&secret)?;
            with_session(config, &request.backend, async |session| {
                let settings = NewSecretSettings { expires_at: expires.end() };
                let created = session.backend().create_secret(&of.tenant, &of.client, settings).await?;
                let lines = created_lines(&created, &mut sink)?;
                session.show(&sink.document(&created), || lines)
            })
        }
        SecretCommand::Rotate { of, grace, expires, secret } => {
            let mut sink = SecretSink::open(&secret)?;
            with_session(config, &request.backend, async |session| {
                let settings = RotateSettings { grace, expires_at: expires.end() };
                let created = session.backend().rotate_secret(&of.tenant, &of.client, settings).await?;
                let mut lines = created_lines(&created, &mut sink)?;
                lines.push_str("The other secrets of this client end after their time of grace: `latchkey secret list`.\n");
                session.show(&sink.document(&created), || lines)
            })
        }
        SecretCommand::List(of) => with_session(config, &request.backend, async |session| {
            let secrets = session.backend().secrets(&of.tenant, &of.client).await?;
            session.show(&json!({ "items": secrets }), || rows(&secrets))
        }),
        SecretCommand::Expire { of, secret, when } => {
            with_session(config, &request.backend, async |session| {
                let id = SecretId::new(&secret);
                let view = session.backend().expire_secret(&of.tenant, &of.client, &id, when.end()).await?;
                session.show(&view, || rows(std::slice::from_ref(&view)))
            })
        }
        SecretCommand::Revoke { of, secret, yes } => {
            let question = format!("Revoke secret {}/{}/{secret} for ever?", of.tenant, of.client);
            confirm(&question, yes)?;
            with_session(config, &request.backend, async |session| {
                let id = SecretId::new(&secret);
                let view = session.backend().revoke_secret(&of.tenant, &of.client, &id).await?;
                session.show(&view, || rows(std::slice::from_ref(&view)))
            })
        }
    }
}

fn created_lines(created: &CreatedSecret, sink: &mut SecretSink) -> Result<String, StartError> {
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
