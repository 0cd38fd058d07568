//! Checks the store: whether it answers, can be written, has the schema of this program, and has values that
//! the sealing keys can unseal.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use administration::store::SealedItems as _;
use rustix::fs::{Access, access};
use storage::postgres::{self, DatabaseCheck};
use storage::{Database, OpenError};
use values::{Timestamp, causes};

use super::report::{DoctorCheck, ReportLine};
use super::rows;
use server::last_store::LastStore;
use server::reseal::Resealing;
use server::sealing::{self, MissingKey};
use server::{clock, database};
use settings::{Loaded, StorageLocation};

const STORAGE: DoctorCheck = DoctorCheck("storage");
const ENGINE: DoctorCheck = DoctorCheck("engine");
const CONNECTIONS: DoctorCheck = DoctorCheck("connections");
/// The most connections that the pools of a replica and a command at the same time open.
const FREE_CONNECTIONS: u32 = 20;
const MIGRATIONS: DoctorCheck = DoctorCheck("migrations");
const SEALING_KEY: DoctorCheck = DoctorCheck("sealing-key");

#[derive(Default)]
pub(super) struct StoreFindings {
    pub(super) lines: Vec<ReportLine>,
    /// The time according to the store's clock, if it has its own.
    pub(super) clock: Option<Timestamp>,
    /// Whether no server has used the store yet.
    pub(super) is_new: bool,
}

pub(super) async fn check(config: &Path, loaded: &Loaded) -> StoreFindings {
    let mut found = StoreFindings::default();
    let lines = &mut found.lines;
    match &loaded.platform.storage {
        StorageLocation::Sqlite(path) => lines.push(sqlite(path)),
        StorageLocation::Postgres(urls) => match postgres::inspect(database::exposed(urls)).await {
            Ok(inspection) => {
                found.clock = Some(inspection.clock);
                lines.push(connections(inspection));
                lines.push(server(inspection));
                if inspection.may_write && !inspection.is_read_only {
                    lines.extend(engine(&loaded.platform.storage).await);
                }
            }
            Err(error) => {
                lines.push(STORAGE.error(causes(&error), advice(&error)));
                return found;
            }
        },
    }
    match database::open_read_only(&loaded.platform.storage).await {
        Ok(Some(database)) => {
            lines.push(MIGRATIONS.ok("the schema matches this version"));
            let fix = "see docs/operations.md, \"Roles of PostgreSQL\"";
            lines.extend(database.warning().map(|warning| STORAGE.warning(warning, fix)));
            lines.push(sealing_keys(loaded, &database).await);
            lines.extend(rows::check(&database).await);
            lines.extend(emptied(config, loaded, Some(&database)).await);
            database.close().await;
        }
        Ok(None) => {
            found.is_new = true;
            lines.push(MIGRATIONS.ok("there is no schema yet; the first start creates one"));
            lines.push(SEALING_KEY.skipped("the store does not contain sealed values yet"));
            lines.extend(emptied(config, loaded, None).await);
        }
        Err(error @ OpenError::Older { .. }) => {
            let fix = "run `latchkey migrate`, or start the server, which also migrates";
            lines.push(MIGRATIONS.warning(causes(&error), fix));
            lines.push(SEALING_KEY.skipped("update the schema first"));
        }
        Err(error @ OpenError::Newer { .. }) => {
            let fix = "use the version of Latchkey that migrated the store, or a later version";
            lines.push(MIGRATIONS.error(causes(&error), fix));
        }
        Err(error) => lines.push(STORAGE.error(causes(&error), advice(&error))),
    }
    found
}

/// Returns no line if the server has never used another store.
async fn emptied(config: &Path, loaded: &Loaded, database: Option<&Database>) -> Option<ReportLine> {
    let emptied = LastStore::new(config, &loaded.platform).emptied(database).await;
    emptied.ok().flatten().map(|emptied| STORAGE.warning(emptied, LastStore::FIX))
}

/// Opening the file for writing changes nothing in it.
fn sqlite(path: &Path) -> ReportLine {
    let shown = path.display();
    if !path.exists() {
        let folder = nearest_folder(path);
        if is_writable(folder) {
            return STORAGE.ok(format!("{shown} does not exist yet; the first start creates it"));
        }
        let folder = folder.display();
        return STORAGE.error(
            format!("{shown} does not exist yet, and this user may not create it in {folder}"),
            format!("run doctor as the user of the service, or allow that user to write to {folder}"),
        );
    }
    if let Err(error) = OpenOptions::new().read(true).write(true).open(path) {
        let fix = format!(
            "run doctor as the user of the service. If this is that user, use `chown` to give the user {shown} and the files next to it"
        );
        return STORAGE.error(format!("cannot write {shown}: {error}"), fix);
    }
    // The write-ahead log is next to the file.
    let folder = path.parent().map_or(Path::new("."), named);
    if !is_writable(folder) {
        let found = format!("the folder of {shown} is not writable, and SQLite writes its log there");
        return STORAGE.error(found, "allow the user of the service to write to the folder");
    }
    STORAGE.ok(format!("{shown} is readable and writable"))
}

/// The folder of a file, or the nearest parent folder that exists.
pub(super) fn nearest_folder(path: &Path) -> &Path {
    path.ancestors().skip(1).map(named).find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

/// In a relative path the working directory is empty.
fn named(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Asks the kernel, because writing a test file would leave traces.
fn is_writable(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn server(DatabaseCheck { is_read_only, may_write, .. }: DatabaseCheck) -> ReportLine {
    match (is_read_only, may_write) {
        (true, _) => STORAGE.error(
            "PostgreSQL responds but is read-only: it is a standby or was set to read-only",
            "set storage.url to the primary",
        ),
        (false, false) => STORAGE.error(
            "PostgreSQL responds, but this user may not write the tables",
            "make the user the owner of the database, or grant it the tables or the roles in docs/operations.md, \"Roles of PostgreSQL\"",
        ),
        (false, true) => STORAGE.ok("PostgreSQL responds and is writable"),
    }
}

/// `None` if there is no schema yet.
async fn engine(storage: &StorageLocation) -> Option<ReportLine> {
    match database::prove(storage).await {
        Ok(proven) => proven.map(|proven| match proven.warning() {
            None => ENGINE.ok("locks, transaction ids, sequences, row level security and notifications work"),
            Some(warning) => {
                ENGINE.warning(warning, "let storage.direct_url lead to PostgreSQL itself, without a pooler")
            }
        }),
        // Other checks report a schema of another version.
        Err(OpenError::Older { .. } | OpenError::Newer { .. }) => None,
        Err(error) => Some(ENGINE.error(causes(&error), advice(&error))),
    }
}

/// Connections of other programs reduce the number for this program.
fn connections(DatabaseCheck { connections, max_connections, .. }: DatabaseCheck) -> ReportLine {
    let free = max_connections.saturating_sub(connections);
    let found = format!("{connections} of {max_connections} PostgreSQL connections are in use");
    if free >= FREE_CONNECTIONS {
        return CONNECTIONS.ok(found);
    }
    let fix = format!(
        "raise max_connections, or use fewer clients: each replica needs {FREE_CONNECTIONS} connections"
    );
    CONNECTIONS.warning(found, fix)
}

fn advice(error: &OpenError) -> Cow<'static, str> {
    match error {
        OpenError::Url(_) => "correct storage.url".into(),
        OpenError::DirectUrl(_) => "correct storage.direct_url".into(),
        OpenError::Roles { .. } => "see docs/operations.md, \"Roles of PostgreSQL\"".into(),
        error => error.hint().unwrap_or("see docs/operations.md".into()),
    }
}

/// Unseals every value as `key reseal --dry-run` does, and the pepper.
async fn sealing_keys(loaded: &Loaded, database: &Arc<Database>) -> ReportLine {
    const FIX: &str =
        "restore the key that sealed the values, as keys.sealing_key or in keys.former_sealing_keys";
    let sealer = match sealing::existing_sealer(&loaded.platform.sealing_keys).await {
        Ok(sealer) => sealer,
        Err(error) => {
            let is_missing = error.is::<MissingKey>();
            return match database.holds_sealed_rows().await {
                Ok(false) if is_missing => SEALING_KEY
                    .ok("there is no sealing key yet, and the store does not contain sealed values"),
                _ => SEALING_KEY.error(format!("{error:#}"), FIX),
            };
        }
    };
    if let Err(error) = sealing::existing_pepper(&**database, &*sealer).await {
        return SEALING_KEY.error(format!("{error:#}"), FIX);
    }
    let resealing = Resealing { store: database.clone(), sealer, now: clock::now() };
    match resealing.run(true, &mut |_| {}).await {
        Err(error) => {
            SEALING_KEY.error(format!("{error:#}"), "check that the key service and the store respond")
        }
        Ok(found) if found.unreadable > 0 => {
            let places: Vec<_> = found.faults.iter().take(3).map(|fault| fault.place.as_str()).collect();
            let found =
                format!("cannot open {} sealed values, for example {}", found.unreadable, places.join(", "));
            SEALING_KEY.error(found, FIX)
        }
        Ok(found) if found.left > 0 => SEALING_KEY.warning(
            format!("{} values are sealed with a former key", found.left),
            "run `latchkey key reseal`",
        ),
        Ok(found) => SEALING_KEY.ok(format!("opens all {} sealed values in the store", found.current)),
    }
}
