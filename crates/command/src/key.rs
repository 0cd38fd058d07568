//! `latchkey key …`.

mod calendar;
mod effects;
mod reseal;
mod views;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use administration::{KeyView, KeysChanged, Page, Wiped};
use clap::{Args, Subcommand, ValueEnum};
use keys::Kid;
use protocol::SigningAlgorithm;
use serde_json::json;
use tenancy::TenantId;

use crate::admin_client::{AdminClient, AdminClientError, ApiRequest};
use crate::arguments::{ConfirmArguments, RowArguments, TenantArguments};
use crate::examples::example;
use crate::output::json as document;
use crate::paths::keys_path;
use crate::process::{print, secret_input};
use crate::runner::Runner;
use crate::suggested::suggested;
use effects::Taking;
use server::{clock, sealing};
pub(crate) use views::KeyDocument;

/// What can be done to keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// List a tenant's signing keys, removed ones too.
    #[command(after_help = example!("key list globex"))]
    List(TenantArguments),
    /// Show a signing key and its public half.
    #[command(after_help = example!("key show globex oauth2-key-1"))]
    Show(KeyArguments),
    /// Let the next key take over as soon as verifiers can know it.
    #[command(after_help = example!("key rotate globex"))]
    Rotate {
        /// The tenant's id.
        tenant: TenantId,
        /// The keys may be in wrong hands: a new one signs at once, and all others are gone at once.
        /// Says first what that breaks.
        #[arg(long)]
        emergency: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take a key away at once. Says first what that breaks.
    #[command(after_help = example!("key revoke globex oauth2-key-1 --yes"))]
    Revoke(RowArguments<KeyArguments, ConfirmArguments>),
    /// Bring a private key in as the next one: PEM (PKCS#8, PKCS#1) or JWK.
    #[command(after_help = example!("key import globex signing.pem --algorithm ES256"))]
    Import {
        /// The tenant's id.
        tenant: TenantId,
        /// The file that holds it; - reads standard input.
        file: PathBuf,
        /// What it is to sign with. A JWK may say it itself.
        #[arg(long, value_parser = suggested(SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))]
        algorithm: Option<String>,
    },
    /// Print the public half of a key.
    #[command(after_help = example!("key export globex --format pem"))]
    Export {
        /// The tenant's id.
        tenant: TenantId,
        /// Which, as `key list` shows it. Default: the one that signs.
        #[arg(value_name = "KID", value_parser = parse_key, allow_hyphen_values = true)]
        key: Option<Kid>,
        /// As what.
        #[arg(long, value_enum, default_value_t = Format::Jwk)]
        format: Format,
    },
    /// Show which keys sign and come next, and whether verifiers have fetched them.
    #[command(after_help = example!("key status globex"))]
    Status(TenantArguments),
    /// Print the dates to come of signing keys, and of secrets that are replaced on a schedule,
    /// as a calendar (RFC 5545).
    #[command(after_help = example!("key calendar globex"))]
    Calendar(TenantArguments),
    /// Move everything that is sealed to `keys.sealing_key`. Servers go on meanwhile; ended half way,
    /// it goes on where it was.
    #[command(after_help = example!("key reseal --dry-run"))]
    Reseal {
        /// Only count what would be moved. Exit 2 if there is anything.
        #[arg(long)]
        dry_run: bool,
    },
    /// Make a sealing key and print it, or write it to a new file that only its owner may read.
    #[command(after_help = example!("key new-sealing-key --file sealing.key"))]
    NewSealingKey {
        /// Where to write it; must not exist.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Which key.
#[derive(Args)]
pub(crate) struct KeyArguments {
    /// The tenant's id.
    tenant: TenantId,
    /// As `key list` shows it: oauth2-key-1.
    #[arg(value_name = "KID", value_parser = parse_key, allow_hyphen_values = true)]
    key: Kid,
}

/// How a public key is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// RFC 7517.
    Jwk,
    /// SubjectPublicKeyInfo (RFC 7468).
    Pem,
}

/// Runs the command.
pub(crate) fn run(runner: Runner<'_>, command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::List(TenantArguments { tenant }) => {
            runner.show(ApiRequest::get(keys_path(&tenant)), |all: &Page<KeyView>| views::rows(&all.items))
        }
        KeyCommand::Show(of) => runner.show(ApiRequest::get(of.path()), views::shown),
        KeyCommand::Rotate { tenant, emergency: false, .. } => {
            runner.show(ApiRequest::post(format!("{}/rotate", keys_path(&tenant)), &json!({})), changed)
        }
        KeyCommand::Rotate { tenant, emergency: true, yes } => take_away(runner, &tenant, Taking::All, yes),
        KeyCommand::Revoke(RowArguments { of, more: ConfirmArguments { yes } }) => {
            take_away(runner, &of.tenant, Taking::One(of.key), yes)
        }
        KeyCommand::Import { tenant, file, algorithm } => {
            let key = secret_input::read(&file, &file.display().to_string(), "key")?;
            let body = Wiped::new(json!({ "key": *key, "algorithm": algorithm }));
            runner.show(ApiRequest::post(keys_path(&tenant), &*body), changed)
        }
        KeyCommand::Export { tenant, key, format } => runner.run(async |admin| {
            let key = match key {
                Some(key) => key,
                None => signing_key(admin, &tenant).await?,
            };
            let key = KeyArguments { tenant, key };
            let KeyDocument { public, .. } = admin.send(ApiRequest::get(key.path())).await?;
            match format {
                Format::Jwk => print(&document(&public.jwk)),
                Format::Pem => runner.print(&public, || format!("{}\n", public.pem.trim_end())),
            }
        }),
        KeyCommand::Status(TenantArguments { tenant }) => {
            runner.show(ApiRequest::get(format!("{}/status", keys_path(&tenant))), views::status)
        }
        KeyCommand::Calendar(TenantArguments { tenant }) => {
            runner.run(async |admin| print(&calendar::read(admin, &tenant, clock::now()).await?))
        }
        KeyCommand::Reseal { dry_run } => reseal::reseal(runner, dry_run),
        KeyCommand::NewSealingKey { file } => new_sealing_key(file.as_deref()),
    }
}

impl KeyArguments {
    fn path(&self) -> String {
        format!("{}/{}", keys_path(&self.tenant), self.key)
    }
}

fn changed(changed: &KeysChanged) -> String {
    views::rotated(&changed.items)
}

fn take_away(runner: Runner<'_>, tenant: &TenantId, taking: Taking, yes: bool) -> anyhow::Result<ExitCode> {
    runner.run(async |admin| {
        effects::confirm(admin, tenant, taking, yes).await?;
        let keys = admin.send(taking.request(tenant, true)).await?;
        runner.print(&keys, || changed(&keys))
    })
}

async fn signing_key(admin: &AdminClient, tenant: &TenantId) -> anyhow::Result<Kid> {
    let keys: Page<KeyView> = admin.send(ApiRequest::get(keys_path(tenant))).await?;
    let active = keys.items.iter().filter(|key| key.state == "active").find_map(|key| Kid::parse(&key.kid));
    active.ok_or_else(|| AdminClientError::NotFound("key that signs".to_owned()).into())
}

fn new_sealing_key(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    match file {
        Some(path) => {
            sealing::create(path)?;
            print(&format!("wrote {}; keep a copy apart from the database\n", path.display()))
        }
        None => print(&format!("{}\n", sealing::generate()?.to_base64().expose())),
    }
}

fn parse_key(text: &str) -> Result<Kid, String> {
    Kid::parse(text).ok_or_else(|| "write it as `key list` shows it, such as oauth2-key-1".to_owned())
}
