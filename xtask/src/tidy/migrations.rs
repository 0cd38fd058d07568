//! Migrations are numbered from 1 without gaps, and every database has the same ones by name.

use std::collections::BTreeMap;

use super::files::Files;
use super::violation::Violation;

const SQLITE: &str = "migrations/sqlite/";
const POSTGRES: &str = "migrations/postgres/";

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let of = |folder: &'static str| -> Vec<&str> {
        files.iter().filter_map(|(path, _)| path.strip_prefix(folder)).collect()
    };
    let (sqlite, postgres) = (of(SQLITE), of(POSTGRES));
    let mut found = check_numbers(SQLITE, &sqlite);
    if !postgres.is_empty() {
        found.extend(check_numbers(POSTGRES, &postgres));
        found.extend(check_pairs(SQLITE, &sqlite, POSTGRES, &postgres));
        found.extend(check_pairs(POSTGRES, &postgres, SQLITE, &sqlite));
    }
    found
}

fn check_numbers(folder: &str, names: &[&str]) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut numbered: BTreeMap<u64, &str> = BTreeMap::new();
    for name in names {
        let path = format!("{folder}{name}");
        let Some(number) = number(name) else {
            let hint = "call it 0001_what_it_does.sql";
            found.push(Violation::of_file(path, "not a migration's name", hint));
            continue;
        };
        if let Some(other) = numbered.insert(number, name) {
            let what = format!("the same number as {other}");
            found.push(Violation::of_file(path, what, "give it the next free number"));
        }
    }
    for ((number, name), expected) in numbered.iter().zip(1..) {
        if *number != expected {
            let what = format!("number {number} where {expected} is next");
            found.push(Violation::of_file(format!("{folder}{name}"), what, "number without gaps from 1"));
            break;
        }
    }
    found
}

fn check_pairs(folder: &str, names: &[&str], other: &str, others: &[&str]) -> Vec<Violation> {
    let unpaired = names.iter().filter(|name| !others.contains(name));
    let violation = |name: &&str| {
        let hint = format!("write {other}{name}, even if it only says why there is nothing to do");
        Violation::of_file(format!("{folder}{name}"), "no counterpart in the other database", hint)
    };
    unpaired.map(violation).collect()
}

fn number(name: &str) -> Option<u64> {
    let (number, rest) = name.strip_suffix(".sql")?.split_once('_')?;
    let is_fine = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty();
    is_fine.then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    /// Checks files below `migrations`, and expects violations of files there.
    #[track_caller]
    fn check_paths<const N: usize>(paths: [&str; N], expected: &[&str]) {
        let paths = paths.map(|path| format!("migrations/{path}"));
        let files = Files::from(paths.each_ref().map(|path| (path.as_str(), "")));
        let expected: Vec<_> = expected.iter().map(|what| format!("migrations/{what}")).collect();
        assert_eq!(facts(&check(&files)), expected);
    }

    #[test]
    fn numbers_have_no_gaps() {
        check_paths(["sqlite/0001_tenants.sql", "sqlite/0002_clients.sql"], &[]);
        let gap = ["sqlite/x.sql:1: not a migration's name", "sqlite/0003_b.sql:1: number 3 where 2 is next"];
        check_paths(["sqlite/0001_a.sql", "sqlite/0003_b.sql", "sqlite/x.sql"], &gap);
        let twice = ["sqlite/0001_b.sql:1: the same number as 0001_a.sql"];
        check_paths(["sqlite/0001_a.sql", "sqlite/0001_b.sql"], &twice);
    }

    #[test]
    fn databases_have_the_same_migrations() {
        check_paths(["sqlite/0001_a.sql", "postgres/0001_a.sql"], &[]);
        let alone = "no counterpart in the other database";
        let expected = [format!("sqlite/0001_a.sql:1: {alone}"), format!("postgres/0001_b.sql:1: {alone}")];
        check_paths(["sqlite/0001_a.sql", "postgres/0001_b.sql"], &expected.each_ref().map(String::as_str));
    }
}
