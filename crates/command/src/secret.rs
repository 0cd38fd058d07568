//! `latchkey secret …`.

use std::process::ExitCode;

use administration::administrator::secret_writer::SecretPlace;
use administration::documents;
use administration::documents::SecretView;
use clap::Subcommand;
use serde_json::json;
use values::{Lifetime, Timestamp};

use crate::admin_client::{ApiRequest, segment};
use crate::examples::example;
use crate::output::{DocumentTable, OneTimeOutput, OutputArguments, confirm, readable};
use crate::parse::When;
use crate::paths::ClientArguments;
use crate::runner::Runner;

/// What can be done to the secrets of a client.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create another secret and print it once.
    #[command(after_help = example!("secret add globex billing --name build-server --expires 90d --secret-file billing.secret"))]
    Add {
        #[command(flatten)]
        of: ClientArguments,
        /// Name of the secret, for example the place where it is used.
        #[arg(long)]
        name: Option<String>,
        /// When the secret expires: a time, a duration such as 90d, or never.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: When,
        #[command(flatten)]
        secret: OutputArguments,
    },
    /// List the secrets of a client, with the time and the number of addresses of their last uses. The
    /// secrets themselves are not shown.
    #[command(after_help = example!("secret list globex billing"))]
    List(ClientArguments),
    /// Create a new secret, and let all others expire after a grace period.
    #[command(after_help = example!("secret rotate globex billing --grace 24h --secret-file billing.secret"))]
    Rotate {
        #[command(flatten)]
        of: ClientArguments,
        /// Name of the new secret.
        #[arg(long)]
        name: Option<String>,
        /// How long the other secrets stay valid; 0s revokes them immediately.
        #[arg(long, value_name = "SPAN", default_value = "24h")]
        grace: Lifetime,
        /// When the new secret expires.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: When,
        /// Let the server write the new secret to this place in a configured secret store (STORE:PATH#KEY)
        /// instead of printing it.
        #[arg(long, value_name = "PLACE", conflicts_with = "secret_file")]
        into: Option<SecretPlace>,
        #[command(flatten)]
        secret: OutputArguments,
    },
    /// Change when a secret expires.
    #[command(after_help = example!("secret expire globex billing s1 7d"))]
    Expire {
        #[command(flatten)]
        of: ClientArguments,
        /// Secret ID as in `secret list`.
        secret: String,
        /// New expiry: a time, a duration from now such as 7d, or `never`. To revoke a secret immediately,
        /// use `secret revoke`.
        when: When,
    },
    /// Revoke a secret immediately and permanently.
    #[command(after_help = example!("secret revoke globex billing s1 --yes"))]
    Revoke {
        #[command(flatten)]
        of: ClientArguments,
        /// Secret ID as in `secret list`.
        secret: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
}

const COLUMNS: DocumentTable = DocumentTable {
    none: "No secrets.",
    columns: "id, name or -, hint, fingerprint or -, form, status, managed_by, created_at, ends_at as EXPIRES or never, last_used_at as \
         LAST USED (up to 10 s late) or never, presented_after_end_at as USED AFTER EXPIRY or -, addresses, safe_to_delete",
};

pub(crate) fn run(runner: Runner<'_>, command: Command) -> anyhow::Result<ExitCode> {
    let row = |view: &SecretView| rows(std::slice::from_ref(view));
    let path = |of: &ClientArguments, rest: &str| format!("{}/secrets{rest}", of.path());
    let one = |of: &ClientArguments, secret: &str| path(of, &format!("/{}", segment(secret)));
    match command {
        Command::Add { of, name, expires, secret } => {
            let settings =
                documents::NewSecretSettings { name, expires_at: expires.0.map(documents::Instant) };
            runner.show_secret(ApiRequest::post(path(&of, ""), &settings), &secret, created)
        }
        Command::Rotate { of, name, grace, expires, into, secret } => {
            let into = into.map(|place| place.to_string());
            let expires_at = expires.0.map(documents::Instant);
            let settings = documents::RotateSettings { name, grace: Some(grace), expires_at, into };
            let request = ApiRequest::post(path(&of, "/rotate"), &settings);
            runner.show_secret(request, &secret, |rotated, sink| {
                Ok(self::rotated(rotated, sink)? + &others(rotated.secret.created_at.0, grace))
            })
        }
        Command::List(of) => {
            runner.show(ApiRequest::get(path(&of, "")), |all: &documents::Page<SecretView>| rows(&all.items))
        }
        Command::Expire { of, secret, when } => {
            let end = json!({ "expires_at": when.0.map(Timestamp::to_rfc3339) });
            runner.show(ApiRequest::patch(one(&of, &secret), end), row)
        }
        Command::Revoke { of, secret, yes } => {
            let question = format!("Revoke secret {}/{}/{secret} permanently?", of.tenant, of.client);
            confirm(&question, yes)?;
            runner.show(ApiRequest::delete(one(&of, &secret)), row)
        }
    }
}

fn created(created: &documents::CreatedSecret, sink: &mut OneTimeOutput) -> anyhow::Result<String> {
    let shown = sink.take(&created.client_secret)?;
    Ok(lines(&created.secret, &shown) + sink.once())
}

fn rotated(rotated: &documents::RotatedSecret, sink: &mut OneTimeOutput) -> anyhow::Result<String> {
    let (version, place) = (rotated.version.as_deref().unwrap_or("?"), rotated.into.as_deref());
    match (&rotated.client_secret, place) {
        (Some(value), _) => {
            let shown = sink.take(value)?;
            Ok(lines(&rotated.secret, &shown) + sink.once())
        }
        (None, place) => {
            let shown = format!("in {}, version {version}", place.unwrap_or("a secret store"));
            Ok(lines(&rotated.secret, &shown))
        }
    }
}

fn lines(SecretView { id, fingerprint, expires_at, .. }: &SecretView, shown: &str) -> String {
    let end = expires_at.map_or_else(|| "never".to_owned(), |at| readable(at.0));
    let fingerprint = fingerprint.as_deref().unwrap_or("-");
    format!(
        "id             {id}\nclient secret  {shown}\nfingerprint    {fingerprint}\nexpires        {end}\n"
    )
}

/// A revoked secret ended when it was revoked, whatever its expiry was.
fn rows(secrets: &[SecretView]) -> String {
    let row = |secret: &SecretView| {
        let mut row = json!(secret);
        row["ends_at"] = json!(secret.revoked_at.or(secret.expires_at));
        row
    };
    COLUMNS.table(&secrets.iter().map(row).collect::<Vec<_>>())
}

/// Describes the effect of a rotation on the other secrets.
fn others(rotated_at: Timestamp, grace: Lifetime) -> String {
    let list = "to see them, run `latchkey secret list`.\n";
    match grace.seconds() {
        0 => format!("\nAll other secrets of this client are revoked; {list}"),
        _ => {
            let end = readable(rotated_at + grace);
            format!("\nAll other secrets of this client expire at {end} or earlier; {list}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_shows_when_the_other_secrets_expire() {
        let at = Timestamp::from_seconds(0);
        let day = others(at, Lifetime::from_seconds(86_400));
        assert!(day.contains("expire at 1970-01-02 00:00 UTC or earlier"), "{day}");
        let none = others(at, Lifetime::from_seconds(0));
        assert!(none.contains("are revoked"), "{none}");
    }

    #[test]
    fn revoked_secret_shows_its_revocation_time() {
        let secret = |id: &str, expires_at: Option<u64>, revoked_at: Option<u64>| {
            SecretView {
            id: id.to_owned(),
            expires_at: expires_at.map(|at| Timestamp::from_seconds(at).into()),
            revoked_at: revoked_at.map(|at| Timestamp::from_seconds(at).into()),
            ..serde_json::from_value(json!({
                "id": "", "hint": "", "form": "generated", "status": "live", "managed_by": "api",
                "created_at": "2027-01-31T12:00:00Z", "expires_at": null, "last_used_at": null, "addresses": 0,
                "used_from": [], "safe_to_delete": false
            }))
            .unwrap()
        }
        };
        let text = rows(&[
            secret("s1", None, None),
            secret("s2", Some(86_400), None),
            secret("s3", Some(86_400), Some(60)),
        ]);
        let ends = ["never", "1970-01-02 00:00 UTC", "1970-01-01 00:01 UTC"];
        for (line, end) in text.lines().skip(1).zip(ends) {
            assert!(line.contains(end), "{end} in {line}");
        }
        assert!(text.contains("EXPIRES") && !text.contains("UTC  never\ns3"), "{text}");
    }
}
