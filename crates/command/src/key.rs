//! `latchkey key …`.

mod calendar;
mod effects;
mod reseal;
mod views;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use administration::documents;
use clap::{Args, Subcommand, ValueEnum};
use keys::Kid;
use protocol::SigningAlgorithm;
use serde_json::json;
use tenancy::TenantId;

use crate::admin_client::{AdminApi, AdminApiError, ApiRequest};
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
    /// List a tenant's signing keys, including removed keys.
    #[command(after_help = example!("key list globex"))]
    List(TenantArguments),
    /// Show a signing key and its public key.
    #[command(after_help = example!("key show globex oauth2-key-1"))]
    Show(KeyArguments),
    /// Rotate the signing key. The next key takes over when verifiers have had time to fetch it.
    #[command(after_help = example!("key rotate globex"))]
    Rotate {
        /// Tenant ID.
        tenant: TenantId,
        /// Replace all keys immediately, because somebody may have stolen them. The command first shows which
        /// tokens become invalid.
        #[arg(long)]
        emergency: bool,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Remove a signing key immediately.
    ///
    /// The command first shows which tokens become invalid.
    #[command(after_help = example!("key revoke globex oauth2-key-1 --yes"))]
    Revoke(RowArguments<KeyArguments, ConfirmArguments>),
    /// Import a private key as the next signing key: PEM (PKCS#8, PKCS#1) or JWK.
    #[command(after_help = example!("key import globex signing.pem --algorithm ES256"))]
    Import {
        /// Tenant ID.
        tenant: TenantId,
        /// File with the private key; - reads standard input.
        file: PathBuf,
        /// Signature algorithm of the key. Optional if a JWK contains it.
        #[arg(long, value_parser = suggested(SigningAlgorithm::ALL.map(SigningAlgorithm::as_str)))]
        algorithm: Option<String>,
    },
    /// Print the public key of a signing key.
    #[command(after_help = example!("key export globex --format pem"))]
    Export {
        /// Tenant ID.
        tenant: TenantId,
        /// Key ID as in `key list`. Defaults to the key that signs.
        #[arg(value_name = "KID", value_parser = parse_key, allow_hyphen_values = true)]
        key: Option<Kid>,
        /// Output format.
        #[arg(long, value_enum, default_value_t = Format::Jwk)]
        format: Format,
    },
    /// Show which keys sign now and next, and whether verifiers have fetched them.
    #[command(after_help = example!("key status globex"))]
    Status(TenantArguments),
    /// Print the upcoming dates of signing keys and scheduled secret rotations as a calendar (RFC 5545).
    #[command(after_help = example!("key calendar globex"))]
    Calendar(TenantArguments),
    /// Reseal everything with the current `keys.sealing_key`.
    ///
    /// Servers keep running. If the command stops early, run it again to continue.
    #[command(after_help = example!("key reseal --dry-run"))]
    Reseal {
        /// Only count the values to reseal. Exits with 2 if there are any.
        #[arg(long)]
        dry_run: bool,
    },
    /// Generate a sealing key and print it, or write it to a new file that only its owner can read.
    #[command(after_help = example!("key new-sealing-key --file sealing.key"))]
    NewSealingKey {
        /// New file for the key.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Which key.
#[derive(Args)]
pub(crate) struct KeyArguments {
    /// Tenant ID.
    tenant: TenantId,
    /// Key ID as in `key list`, for example oauth2-key-1.
    #[arg(value_name = "KID", value_parser = parse_key, allow_hyphen_values = true)]
    key: Kid,
}

/// How a public key is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// JWK (RFC 7517).
    Jwk,
    /// PEM, SubjectPublicKeyInfo (RFC 7468).
    Pem,
}

pub(crate) fn run(runner: Runner<'_>, command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::List(TenantArguments { tenant }) => runner
            .show(ApiRequest::get(keys_path(&tenant)), |all: &documents::Page<documents::KeyView>| {
                views::rows(&all.items)
            }),
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
            let body = documents::Wiped::new(json!({ "key": *key, "algorithm": algorithm }));
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

fn changed(changed: &documents::KeysChanged) -> String {
    views::rotated(&changed.items)
}

fn take_away(runner: Runner<'_>, tenant: &TenantId, taking: Taking, yes: bool) -> anyhow::Result<ExitCode> {
    runner.run(async |admin| {
        effects::confirm(admin, tenant, taking, yes).await?;
        let keys = admin.send(taking.request(tenant, true)).await?;
        runner.print(&keys, || changed(&keys))
    })
}

async fn signing_key(admin: &AdminApi, tenant: &TenantId) -> anyhow::Result<Kid> {
    let keys: documents::Page<documents::KeyView> = admin.send(ApiRequest::get(keys_path(tenant))).await?;
    let active = keys.items.iter().filter(|key| key.state == "active").find_map(|key| Kid::parse(&key.kid));
    active.ok_or_else(|| {
        AdminApiError::NotFound("there is no key that signs yet. The first token creates one".to_owned())
            .into()
    })
}

fn new_sealing_key(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    match file {
        Some(path) => {
            sealing::create(path)?;
            print(&format!("wrote {}. Keep a copy of the key, separate from the database\n", path.display()))
        }
        None => print(&format!("{}\n", sealing::generate()?.to_base64().expose())),
    }
}

fn parse_key(text: &str) -> Result<Kid, String> {
    Kid::parse(text).ok_or_else(|| "write the key ID as in `key list`, for example oauth2-key-1".to_owned())
}
