//! `latchkey tenant export`, `import` and `recipient`: move one tenant to another installation, with its
//! keys, secrets and people. All three work on the store of the settings, because no interface gives out
//! private keys.

use std::io::{BufRead, BufReader, BufWriter, Read, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use values::ShellCommand;

use administration::audit::AuditRecord;
use administration::store::{SealedItems as _, TenantRows as _, tenant_key_name};
use anyhow::{Context as _, bail};
use clap::Args;
use keys::SealingContext;
use secrets::{DigestKey, Recipient, RecipientKey};
use settings::{PlatformSettings, files};
use storage::store_copy::{TenantFacts, export_tenant};
use tenancy::TenantId;
use tokio::time::sleep;

use crate::admin_client::InProcess;
use crate::copies::{context, new_output};
use crate::process::{OUTPUT, print};
use crate::progress::copying;
use server::clock;
use server::database::store_place;

/// The first line of the file, which also says how the rest is sealed.
const KIND: &str = "latchkey tenant 1";
/// After this time every server of the store has read the tenant's digest key, because servers check for new
/// keys every second.
const READ_BY_ALL: Duration = Duration::from_secs(3);

/// Which tenant, and for whom.
#[derive(Args)]
pub(crate) struct ExportArguments {
    /// Tenant ID.
    tenant: TenantId,
    /// New file to write, or `-` for standard output.
    file: PathBuf,
    /// Public key of the other installation, which alone can open the file. Run `latchkey tenant recipient`
    /// there to print the key.
    #[arg(long, value_name = "KEY")]
    to: RecipientKey,
}

/// Which file.
#[derive(Args)]
pub(crate) struct TenantImportArguments {
    /// File that `latchkey tenant export` wrote for this installation.
    file: PathBuf,
    /// Replace the rows of the tenant in this store, which has been suspended since its export.
    #[arg(long)]
    replace: bool,
}

/// Prints the key with which another installation seals a tenant for this one.
pub(super) fn recipient(config: &Path) -> anyhow::Result<ExitCode> {
    let key = InProcess::with(config, async |_, store| Ok(Recipient::from_pepper(&store.pepper).public))?;
    print(&format!("{key}\n"))
}

/// Suspends the tenant and writes it to the file.
pub(super) fn export(config: &Path, arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let ExportArguments { tenant, file, to } = arguments;
    let out = new_output(file)?;
    let written = InProcess::with(config, async |settings, store| {
        let state = store.database.load_state(tenant).await?.filter(|_| *tenant != TenantId::platform());
        let state = state.with_context(|| format!("tenant {tenant} does not exist or cannot be exported"))?;
        let was_active = state.tenant.is_active();
        let record = |action| store.record(action, tenant, &to.to_string());
        let written = async {
            if was_active {
                let until = state.tokens_until(clock::now(), settings.l1_lifetime);
                store.database.suspend_for_export(&record("tenant.exported"), until).await?;
                // Until then a server may use rows of the tenant from its memory.
                sleep(Duration::from_secs(settings.l1_lifetime.seconds())).await;
            }
            write(settings, store, (tenant, was_active), (to, out)).await
        };
        let written = written.await;
        if written.is_err() && was_active {
            store.database.serve_again(&record("tenant.export_failed")).await?;
        }
        written
    });
    if written.is_err() && file.as_os_str() != "-" {
        // Somebody could mistake half a tenant for a complete one.
        drop(std::fs::remove_file(file));
    }
    let done = format!(
        "Exported tenant {tenant}: {} rows, encrypted for {to}. The tenant is now suspended here. Next, run in the other \
             installation: {}\n",
        written?,
        ShellCommand::new("latchkey tenant import FILE", &[("FILE", &file.display().to_string())])
    );
    stderr().write_all(done.as_bytes()).context(OUTPUT)?;
    Ok(ExitCode::SUCCESS)
}

async fn write(
    settings: &PlatformSettings,
    store: &InProcess,
    (tenant, was_active): (&TenantId, bool),
    (to, mut out): (&RecipientKey, Box<dyn Write + Send>),
) -> anyhow::Result<u64> {
    let key = store.pepper.tenants.of(tenant);
    let facts = store.database.tenant_facts(tenant, &key, was_active, clock::now());
    writeln!(out, "{KIND}").context(OUTPUT)?;
    let mut lines = BufWriter::new(to.seal(KIND, &mut out).context(OUTPUT)?);
    let from = store_place(&settings.storage);
    // Only a complete file has an end mark.
    let rows =
        copying(false, async |tell| export_tenant(&from, &facts, &*store.sealer, &mut lines, tell).await)
            .await?;
    let sealing = lines.into_inner().map_err(std::io::IntoInnerError::into_error).context(OUTPUT)?;
    sealing.finish().context(OUTPUT)?;
    Ok(rows)
}

/// Writes the tenant into the store of the settings, and activates it.
pub(super) fn import(config: &Path, arguments: &TenantImportArguments) -> anyhow::Result<ExitCode> {
    let TenantImportArguments { file, replace } = arguments;
    let (facts, rows) = InProcess::with(config, async |settings, store| {
        let mut lines = lines(file, &Recipient::from_pepper(&store.pepper))?;
        let facts = store.database.check_import(&mut lines, *replace).await?;
        let key_before = store.database.find_sealed(&tenant_key_name(&facts.tenant)).await?;
        keep_key(store, &facts).await?;
        sleep(READ_BY_ALL).await;
        let record = store.record("tenant.imported", &facts.tenant, &facts.store);
        let context = context(settings);
        let rows = copying(false, async |tell| {
            store.database.import_tenant(&facts, lines, &*store.sealer, &record, context, tell).await
        })
        .await;
        if rows.is_err() {
            store.database.keep_tenant_key(&facts.tenant, key_before.as_deref(), clock::now()).await?;
        }
        Ok((facts, rows?))
    })?;
    let TenantFacts { tenant, was_active, .. } = facts;
    let state = if was_active {
        "The tenant now serves requests"
    } else {
        "The tenant is suspended, as before the export"
    };
    print(&format!(
        "Imported tenant {tenant}: {rows} rows. {state}. Its issuer has not changed, so point the issuer's address to this \
             installation.\n"
    ))
}

impl InProcess {
    fn record(&self, action: &str, tenant: &TenantId, store: &str) -> AuditRecord {
        AuditRecord::of_move(action, tenant, store, &self.actor, clock::now())
    }
}

/// The lines of the file, which only this installation can decrypt.
fn lines(file: &Path, recipient: &Recipient) -> anyhow::Result<impl BufRead + use<>> {
    let unread = || format!("cannot read {}", file.display());
    let mut from = files::open(file).with_context(unread)?;
    let mut kind = String::new();
    from.by_ref().take(64).read_line(&mut kind).with_context(unread)?;
    if kind.trim_end() != KIND {
        bail!("{} is not an exported tenant", file.display());
    }
    Ok(BufReader::new(recipient.open(KIND, from).with_context(unread)?))
}

/// Stores the key of the tenant's digests, unless it is the key of this installation.
async fn keep_key(store: &InProcess, facts: &TenantFacts) -> anyhow::Result<()> {
    let key: DigestKey = facts.digest_key().context("the file does not contain the tenant's digest key")?;
    let sealed = if *key == *store.pepper.tenants.own(&facts.tenant) {
        None
    } else {
        let name = tenant_key_name(&facts.tenant);
        Some(store.sealer.seal(&SealingContext::Named(&name), &*key).await?)
    };
    Ok(store.database.keep_tenant_key(&facts.tenant, sealed.as_deref(), clock::now()).await?)
}
