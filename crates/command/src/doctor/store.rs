//! Checks the store: it answers, can be written, and has the schema of this program; and the sealing keys
//! unseal its values.

use std::borrow::Cow;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use administration::SealedItems as _;
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
const CONNECTIONS: DoctorCheck = DoctorCheck("connections");
/// The most connections that the pools of a replica, and a command beside it, open.
const FREE_CONNECTIONS: u32 = 20;
const MIGRATIONS: DoctorCheck = DoctorCheck("migrations");
const SEALING_KEY: DoctorCheck = DoctorCheck("sealing-key");

/// What is found of the store.
#[derive(Default)]
pub(super) struct StoreFindings {
    pub(super) lines: Vec<ReportLine>,
    /// The time by its clock, where it has one of its own.
    pub(super) clock: Option<Timestamp>,
    /// Whether no server has served from it yet.
    pub(super) is_new: bool,
}

/// Looks at the store.
pub(super) async fn check(config: &Path, loaded: &Loaded) -> StoreFindings {
    let mut found = StoreFindings::default();
    let lines = &mut found.lines;
    match &loaded.platform.storage {
        StorageLocation::Sqlite(path) => lines.push(sqlite(path)),
        StorageLocation::Postgres { url, direct_url } => {
            match postgres::inspect(database::urls(url, direct_url.as_ref())).await {
                Ok(inspection) => {
                    found.clock = Some(inspection.clock);
                    lines.push(connections(inspection));
                    lines.push(server(inspection));
                }
                Err(error) => {
                    lines.push(STORAGE.error(causes(&error), advice(&error)));
                    return found;
                }
            }
        }
    }
    match database::open_read_only(&loaded.platform.storage).await {
        Ok(Some(database)) => {
            lines.push(MIGRATIONS.ok("the schema is the one of this program"));
            let fix = "see docs/operations.md, \"Roles of PostgreSQL\"";
            lines.extend(database.warning().map(|warning| STORAGE.warning(warning, fix)));
            lines.push(sealing_keys(loaded, &database).await);
            lines.extend(rows::check(&database).await);
            lines.extend(emptied(config, loaded, Some(&database)).await);
            database.close().await;
        }
        Ok(None) => {
            found.is_new = true;
            lines.push(MIGRATIONS.ok("there is no schema yet; the first start creates it"));
            lines.push(SEALING_KEY.skipped("the store holds nothing yet that a key must open"));
            lines.extend(emptied(config, loaded, None).await);
        }
        Err(error @ OpenError::Older { .. }) => {
            let fix = "run `latchkey migrate`, or start the server, which does it";
            lines.push(MIGRATIONS.warning(causes(&error), fix));
            lines.push(SEALING_KEY.skipped("the schema must be up to date first"));
        }
        Err(error @ OpenError::Newer { .. }) => {
            let fix = "run the version of Latchkey that migrated it, or a newer one";
            lines.push(MIGRATIONS.error(causes(&error), fix));
        }
        Err(error) => lines.push(STORAGE.error(causes(&error), advice(&error))),
    }
    found
}

/// No line if these settings have served from no other store.
async fn emptied(config: &Path, loaded: &Loaded, database: Option<&Database>) -> Option<ReportLine> {
    let emptied = LastStore::new(config, &loaded.platform).emptied(database).await;
    emptied.ok().flatten().map(|emptied| STORAGE.warning(emptied, LastStore::FIX))
}

/// Opening a file for writing changes nothing in it.
fn sqlite(path: &Path) -> ReportLine {
    let shown = path.display();
    if !path.exists() {
        let folder = nearest_folder(path);
        if is_writable(folder) {
            return STORAGE.ok(format!("{shown} is not there yet; the first start creates it"));
        }
        let folder = folder.display();
        return STORAGE.error(
            format!("{shown} is not there yet, and this user may not create it in {folder}"),
            format!("run doctor as the user of the service, or let that user write {folder}"),
        );
    }
    if let Err(error) = OpenOptions::new().read(true).write(true).open(path) {
        let fix = format!(
            "run doctor as the user of the service; if it is that user, give it {shown} and the files beside it with `chown`"
        );
        return STORAGE.error(format!("{shown} cannot be written: {error}"), fix);
    }
    // The log of writes is beside the file.
    let folder = path.parent().map_or(Path::new("."), named);
    if !is_writable(folder) {
        let found = format!("the folder of {shown} cannot be written, where SQLite keeps its log");
        return STORAGE.error(found, "let the user of the service write the folder");
    }
    STORAGE.ok(format!("{shown} can be read and written"))
}

/// The folder of a file, or the nearest one above it that exists.
pub(super) fn nearest_folder(path: &Path) -> &Path {
    path.ancestors().skip(1).map(named).find(|folder| folder.exists()).unwrap_or(Path::new("."))
}

/// The working directory has no name in a relative path.
fn named(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// The kernel decides, because writing a test file would leave traces.
fn is_writable(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

fn server(DatabaseCheck { is_read_only, may_write, .. }: DatabaseCheck) -> ReportLine {
    match (is_read_only, may_write) {
        (true, _) => STORAGE.error(
            "PostgreSQL answers, and takes no writes: it is a standby, or set to be read only",
            "name the primary in storage.url",
        ),
        (false, false) => STORAGE.error(
            "PostgreSQL answers, and this login may not write the tables",
            "make the login the owner of the database, or grant it the tables, or the roles of docs/operations.md, \"Roles of PostgreSQL\"",
        ),
        (false, true) => STORAGE.ok("PostgreSQL answers and can be written"),
    }
}

/// The connections of other programs reduce those for this program.
fn connections(DatabaseCheck { connections, max_connections, .. }: DatabaseCheck) -> ReportLine {
    let free = max_connections.saturating_sub(connections);
    let found = format!("{connections} of {max_connections} connections of PostgreSQL are in use");
    if free >= FREE_CONNECTIONS {
        return CONNECTIONS.ok(found);
    }
    let fix = format!(
        "raise max_connections, or lower the number of its clients: a replica needs {FREE_CONNECTIONS}"
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
        "put the key that sealed them back, as keys.sealing_key or below keys.former_sealing_keys";
    let sealer = match sealing::existing_sealer(&loaded.platform.sealing_keys).await {
        Ok(sealer) => sealer,
        Err(error) => {
            let is_missing = error.is::<MissingKey>();
            return match database.holds_sealed_rows().await {
                Ok(false) if is_missing => {
                    SEALING_KEY.ok("there is no key yet, and the store holds nothing that is sealed")
                }
                _ => SEALING_KEY.error(format!("{error:#}"), FIX),
            };
        }
    };
    if let Err(error) = sealing::existing_pepper(&**database, &*sealer).await {
        return SEALING_KEY.error(format!("{error:#}"), FIX);
    }
    let resealing = Resealing { store: database.clone(), sealer, now: clock::now() };
    match resealing.run(true, &mut |_| {}).await {
        Err(error) => SEALING_KEY
            .error(format!("{error:#}"), "check that the service that holds the key, or the store, answers"),
        Ok(found) if found.unreadable > 0 => {
            let places: Vec<_> = found.faults.iter().take(3).map(|fault| fault.place.as_str()).collect();
            let found =
                format!("{} sealed values cannot be opened, such as {}", found.unreadable, places.join(", "));
            SEALING_KEY.error(found, FIX)
        }
        Ok(found) if found.left > 0 => SEALING_KEY.warning(
            format!("{} values are sealed by a former key", found.left),
            "run `latchkey key reseal`",
        ),
        Ok(found) => SEALING_KEY.ok(format!("opens what the store holds: {} values", found.current)),
    }
}
