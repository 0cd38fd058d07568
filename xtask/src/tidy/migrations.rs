//! Migrations are numbered from 1 without gaps, and every database has the same ones by name.

use super::files::Files;
use super::violation::Violation;

const FOLDERS: [&str; 2] = ["migrations/sqlite/", "migrations/postgres/"];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    FOLDERS
        .iter()
        .zip(FOLDERS.iter().rev())
        .flat_map(|(folder, other)| check_folder(files, folder, other))
        .collect()
}

fn check_folder(files: &Files, folder: &str, other: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let names = files.iter().filter_map(|(path, _)| path.strip_prefix(folder));
    for (name, number) in names.zip(1_u32..) {
        let path = format!("{folder}{name}");
        if !(name.starts_with(&format!("{number:04}_")) && name.ends_with(".sql")) {
            let hint = "call it 0001_what_it_does.sql, and number without gaps from 1";
            found.push(Violation::of_file(&path, format!("not the name of migration {number}"), hint));
        }
        if files.text(&format!("{other}{name}")).is_none() {
            let hint = format!("write {other}{name}, even if it only says why there is nothing to do");
            found.push(Violation::of_file(&path, "no counterpart in the other database", hint));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    /// Checks migrations with these names in both databases, and others in SQLite alone.
    #[track_caller]
    fn check_names(names: &[&str], alone: &[&str], expected: &[&str]) {
        let pairs = FOLDERS.iter().flat_map(|folder| names.iter().map(move |name| format!("{folder}{name}")));
        let alone = alone.iter().map(|name| format!("{}{name}", FOLDERS[0]));
        let files: Files = pairs.chain(alone).map(|path| (path, "")).collect();
        assert_eq!(facts(&check(&files)), expected);
    }

    #[test]
    fn migrations_have_no_gaps_and_match_across_databases() {
        check_names(&["0001_tenants.sql", "0002_clients.sql"], &[], &[]);
        let alone = "migrations/sqlite/0002_b.sql:1: no counterpart in the other database";
        check_names(&["0001_a.sql"], &["0002_b.sql"], &[alone]);
        for wrong in ["0003_b.sql", "0001_b.sql", "0002_b.txt", "x.sql"] {
            let expected = FOLDERS.map(|folder| format!("{folder}{wrong}:1: not the name of migration 2"));
            check_names(&["0001_a.sql", wrong], &[], &expected.each_ref().map(String::as_str));
        }
    }
}
