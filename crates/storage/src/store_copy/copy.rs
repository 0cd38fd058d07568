//! Copies a store while it is in use: first a snapshot, then the changes since the snapshot, and last the
//! rest while the source refuses writes. The target cannot be used before everything is verified.

use std::io;
use std::time::{Duration, Instant};

use values::Timestamp;

use crate::migrations::is_readable;
use crate::store_copy::marks;
use crate::store_copy::session::{CopySession, StorePlace};
use crate::store_copy::sums::TableSum;
use crate::store_copy::tables::{CopiedTable, tables};
use crate::store_copy::target::CopyTarget;
use crate::store_copy::transfer::Transfer;
use crate::store_copy::{CopyError, CopyStep};
use crate::store_mark::StoreMark;

#[derive(Debug)]
pub struct Copied {
    /// Each table with the number and digest of its rows, which both stores share.
    pub tables: Vec<(String, TableSum)>,
    /// How long writes were refused.
    pub pause: Duration,
}

/// Copies one store into another and marks the source as moved. `create` creates the target's file. It is
/// called only if the source can be copied.
///
/// # Errors
/// [`CopyError`]. The source accepts writes again after an error. If the copy is killed, or loses the target
/// at the very end, the source stays marked until the copy is repeated or taken back.
pub async fn copy(
    from: &StorePlace,
    to: &StorePlace,
    create: impl FnOnce() -> io::Result<()>,
    now: Timestamp,
    tell: &(dyn Fn(CopyStep) + Sync),
) -> Result<Copied, CopyError> {
    let (from_name, to_name) = (from.shown()?, to.shown()?);
    if from_name == to_name {
        return Err(CopyError::SameStore(to_name));
    }
    let mut source = open_source(from).await?;
    let was_moved = match marks::mark_of(&mut source).await? {
        Some(StoreMark::Moved(elsewhere, _)) if elsewhere != to_name => {
            return Err(CopyError::Moved { store: from_name, to: elsewhere });
        }
        Some(StoreMark::Unfinished(of)) => return Err(CopyError::Unfinished { store: from_name, of }),
        mark => mark.is_some(),
    };
    let tables = tables(&mut source).await?;
    create()?;
    let target = CopyTarget::take(to, &from_name, now, tell).await?;
    if !tables.iter().map(CopiedTable::shape).eq(target.tables.iter().map(CopiedTable::shape)) {
        return Err(CopyError::Schemas { from: from_name, to: to_name });
    }
    let mut transfer = Transfer { source, target, tables, known: Vec::new(), tell };
    transfer.snapshot().await?;
    transfer.catch_up().await?;
    let began = Instant::now();
    if !was_moved {
        tell(CopyStep::RefusingWrites);
        marks::mark_moved(&mut CopySession::open(from).await?, &to_name, now).await?;
    }
    if let Err(error) = transfer.catch_up().await {
        // Ends the transfer first: it may still read the tables whose locks `take_back` needs.
        drop(transfer);
        marks::take_back(&mut CopySession::open(from).await?).await?;
        return Err(error);
    }
    // After a failure here, the target may or may not be finished. The source stays marked, because two
    // stores that both accept writes are worse than none.
    transfer.target.finish().await?;
    let pause = began.elapsed();
    let sums = transfer.known.into_iter().map(|(_, sum)| sum);
    Ok(Copied { tables: transfer.tables.into_iter().map(|table| table.name).zip(sums).collect(), pause })
}

/// Makes the source of a copy accept writes again. Returns the name of the target, or `None` if the source is
/// not marked.
///
/// # Errors
/// [`CopyError`].
pub async fn take_back(from: &StorePlace) -> Result<Option<String>, CopyError> {
    let mut source = open_source(from).await?;
    let Some(StoreMark::Moved(to, _)) = marks::mark_of(&mut source).await? else { return Ok(None) };
    marks::take_back(&mut source).await?;
    Ok(Some(to))
}

/// Opens a store that has this program's schema. A store without a schema cannot be copied.
pub(super) async fn open_source(from: &StorePlace) -> Result<CopySession, CopyError> {
    let (migrator, found) = from.schema().await?;
    if !is_readable(migrator, &from.shown()?, "it", found)? {
        return Err(CopyError::Empty(from.shown()?));
    }
    Ok(CopySession::open(from).await?)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread;

    use tenancy::StoreError;

    use crate::error::Error;
    use crate::statement::Statement;

    use super::*;

    /// Executes SQL in a separate session in the middle of a copy.
    fn run(place: &StorePlace, text: &'static str) -> Result<(), Error> {
        let place = place.clone();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { CopySession::open(&place).await.unwrap().run(text).await })
        };
        thread::spawn(work).join().unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn changes_during_a_copy_are_copied() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from.db", "to.db"].map(|name| StorePlace::Sqlite(folder.path().join(name)));
        from.migrate().await.unwrap();
        run(
            &from,
            "INSERT INTO sealed_values VALUES ('kept', x'00', 1), ('changed', x'01', 1), ('gone', x'02', 1)",
        )
        .unwrap();
        let writes = Mutex::new(vec![
            (CopyStep::RefusingWrites, "INSERT INTO sealed_values VALUES ('later', x'04', 1)"),
            (
                CopyStep::Comparing { table: "accounts", place: 3, of: 40 },
                "UPDATE sealed_values SET sealed = x'03' WHERE name = 'changed'; DELETE FROM sealed_values WHERE name = 'gone'",
            ),
        ]);
        let write = |step: CopyStep<'_>| {
            let mut writes = writes.lock().unwrap();
            if writes.last().is_some_and(|(at, _)| *at == step) {
                run(&from, writes.pop().unwrap().1).unwrap();
            }
        };
        let copied = copy(&from, &to, || Ok(()), Timestamp::from_seconds(1), &write).await.unwrap();
        assert!(writes.lock().unwrap().is_empty());
        assert!(
            copied.tables.iter().any(|(name, sum)| name == "sealed_values" && sum.rows == 3),
            "{copied:?}"
        );
        let rows = Statement::from_text("SELECT name, lower(hex(sealed)) FROM sealed_values ORDER BY name");
        let rows: Vec<(String, String)> = CopySession::open(&to).await.unwrap().all(rows).await.unwrap();
        let expected = [("changed", "03"), ("kept", "00"), ("later", "04")];
        assert_eq!(rows, expected.map(|(name, sealed)| (name.to_owned(), sealed.to_owned())));

        let refused = run(&from, "DELETE FROM sealed_values").unwrap_err();
        assert!(refused.to_string().contains("the store was moved to "), "{refused}");
        assert!(matches!(StoreError::from(refused), StoreError::Unavailable(_)));
        assert!(take_back(&from).await.unwrap().is_some_and(|to| to.ends_with("to.db")));
        run(&from, "DELETE FROM sealed_values").unwrap();
        let in_use = copy(&from, &to, || Ok(()), Timestamp::from_seconds(1), &|_| {}).await.unwrap_err();
        assert!(matches!(in_use, CopyError::InUse(_)), "{in_use}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn failed_copy_unlocks_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from.db", "to.db"].map(|name| StorePlace::Sqlite(folder.path().join(name)));
        from.migrate().await.unwrap();
        let fail = |step: CopyStep<'_>| {
            if step == CopyStep::RefusingWrites {
                run(&from, "INSERT INTO sealed_values VALUES ('later', x'04', 1)").unwrap();
                run(&to, "DROP TABLE sealed_values").unwrap();
            }
        };
        let failed = copy(&from, &to, || Ok(()), Timestamp::from_seconds(1), &fail).await.unwrap_err();
        assert!(matches!(&failed, CopyError::Table { table, .. } if table == "sealed_values"), "{failed}");
        run(&from, "DELETE FROM sealed_values").unwrap();
        assert_eq!(take_back(&from).await.unwrap(), None, "it is not marked any more");
    }

    // [third 17]
    #[tokio::test]
    async fn copy_of_a_missing_store_creates_no_target() {
        let folder = tempfile::tempdir().unwrap();
        let [from, to] = ["from.db", "to.db"].map(|name| folder.path().join(name));
        let create = || std::fs::write(&to, b"");
        let places = [&from, &to].map(|path| StorePlace::Sqlite(path.clone()));
        let refused =
            copy(&places[0], &places[1], create, Timestamp::from_seconds(1), &|_| {}).await.unwrap_err();
        assert!(matches!(refused, CopyError::Empty(_)), "{refused}");
        assert!(!from.exists() && !to.exists());
    }
}
