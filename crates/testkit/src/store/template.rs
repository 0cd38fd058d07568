//! The template file of every store. It has the schema and no rows, and is created once for all tests of a
//! build folder.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::{env, fs, io};

use storage::sqlite;
use tempfile::TempDir;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
/// The folder in which Linux keeps files in memory.
const IN_MEMORY: &str = "/dev/shm";

/// The template is next to the test program. Its name contains a digest of the migrations.
static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let program = env::current_exe().expect("a program knows its file");
    let digest = digest_of_migrations().expect("the migrations can be read");
    program.with_file_name(format!("testkit-{digest:016x}.db"))
});

pub(super) fn folder() -> io::Result<TempDir> {
    tempfile::tempdir_in(IN_MEMORY).or_else(|_| tempfile::tempdir())
}

/// Copies the template to this path. The first test creates the template.
pub(super) async fn copy_to(path: &Path) {
    if !TEMPLATE.exists() {
        let folder = tempfile::tempdir_in(TEMPLATE.with_file_name("")).expect("a folder can be made");
        let made = folder.path().join("latchkey.db");
        sqlite::open(&made).await.expect("a new database can be opened").close().await;
        fs::rename(made, &*TEMPLATE).expect("the template can be renamed");
    }
    fs::copy(&*TEMPLATE, path).expect("the template can be copied");
}

fn digest_of_migrations() -> io::Result<u64> {
    let files = fs::read_dir(MIGRATIONS)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<io::Result<Vec<_>>>()?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}
