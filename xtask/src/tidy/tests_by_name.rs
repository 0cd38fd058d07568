//! The project's tests by crate and by file, for checks of documents that name them.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Files;
use super::rust_code::code_only;

/// A folder with functions, and the list of their names from which a macro generates tests.
struct Generated {
    folder: &'static str,
    list: &'static str,
    /// The texts before and after the name of such a function.
    signature: (&'static str, &'static str),
}

/// The behaviours that every store must have, and the modules of certification plans.
const GENERATED: [Generated; 2] = [
    Generated {
        folder: "crates/testkit/src/store_contract/",
        list: "crates/testkit/src/store_contract.rs",
        signature: ("pub async fn ", "(stores: Stores"),
    },
    Generated {
        folder: "crates/latchkey/tests/openid/",
        list: "crates/latchkey/tests/openid/mod.rs",
        // A long name has its parameters on the lines below.
        signature: ("pub(super) async fn ", "("),
    },
];

/// Names of test functions.
pub(super) struct Tests {
    /// The tests by crate, spelled as in Rust code.
    of_crate: BTreeMap<String, BTreeSet<String>>,
    /// The tests by file, as a path from the root.
    of_file: BTreeMap<String, BTreeSet<String>>,
}

impl Tests {
    pub(super) fn from_files(files: &Files) -> Self {
        let mut tests = Self { of_crate: BTreeMap::new(), of_file: BTreeMap::new() };
        let generated =
            GENERATED.map(|generated| (files.text(generated.list).unwrap_or_default(), generated));
        for (path, text) in files.rust() {
            let code = code_only(text);
            let mut names: BTreeSet<String> = test_names(&code).collect();
            for (list, generated) in generated.iter().filter(|(_, made)| path.starts_with(made.folder)) {
                names.extend(generated.names(&code, list).map(str::to_owned));
            }
            if let Some(of_crate) = path.strip_prefix("crates/").and_then(|path| path.split('/').next()) {
                tests.of_crate.entry(of_crate.replace('-', "_")).or_default().extend(names.iter().cloned());
            }
            tests.of_file.insert(path.to_owned(), names);
        }
        tests
    }

    /// Whether a crate has a test: `storage::rows_survive`; modules in between are left out.
    pub(super) fn has_in_crate(&self, name: &str) -> bool {
        let of_crate = name.split("::").next().unwrap_or_default();
        let test = name.rsplit("::").next().unwrap_or_default();
        self.of_crate.get(&of_crate.replace('-', "_")).is_some_and(|tests| tests.contains(test))
    }

    /// Whether a file has a test: `gateway/tests/api/token.rs::a_test`, without `crates/` in front.
    pub(super) fn has_in_file(&self, name: &str) -> bool {
        let Some((path, test)) = name.split_once("::") else { return false };
        let tests = self.of_file.get(&format!("crates/{path}")).or_else(|| self.of_file.get(path));
        tests.is_some_and(|tests| tests.contains(test))
    }
}

/// Functions under an attribute that names `test`: `#[test]`, `#[tokio::test(…)]`, `#[actix_web::test]`.
fn test_names(code: &str) -> impl Iterator<Item = String> {
    let mut under_test = false;
    code.lines().filter_map(move |line| {
        let line = line.trim();
        let is_attribute = line.starts_with("#[");
        let is_condition = line.starts_with("#[cfg");
        under_test |=
            is_attribute && !is_condition && line.split(['[', ':', '(', ']', ' ']).any(|word| word == "test");
        let name = function_name(line)?;
        std::mem::take(&mut under_test).then(|| name.to_owned())
    })
}

/// The name of the function that a line declares.
pub(super) fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    if line.starts_with("#[") || line.starts_with("//") || !(before.is_empty() || before.ends_with(' ')) {
        return None;
    }
    after.split(|character: char| !character.is_alphanumeric() && character != '_').next()
}

impl Generated {
    /// Functions with this signature that are in the list.
    fn names<'c>(&self, code: &'c str, list: &'c str) -> impl Iterator<Item = &'c str> {
        let (before, after) = self.signature;
        // A module may precede the name.
        let listed = |line: &'c str| line.trim().strip_suffix(',')?.rsplit("::").next();
        let is_listed = move |name: &&str| list.lines().filter_map(listed).any(|known| known == *name);
        let names = code.lines().filter_map(move |line| {
            let (name, parameters) = line.trim().strip_prefix(before)?.split_once('(')?;
            format!("({parameters}").contains(after).then_some(name)
        });
        names.filter(is_listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_known_by_their_attribute() {
        let code = "fn helper() {}\n#[test]\nfn one() {}\n#[tokio::test(flavor = x)]\n#[track]\nasync fn two() {}\n\
                    #[cfg(test)]\nmod tests {\n    fn aid() {}\n    #[actix_web::test]\n    pub async fn three() {}\n}\nfn four() {}\n";
        // `#[cfg(test)]` is the attribute of a module; the tests in it have their own.
        assert_eq!(test_names(code).collect::<Vec<_>>(), ["one", "two", "three"]);
    }

    #[test]
    fn test_is_found_by_crate_and_file() {
        let text = "//! A.\n#[test]\nfn rows_survive() {}\n";
        let tests =
            Tests::from_files(&Files::from([("crates/storage/src/a.rs", text), ("xtask/src/b.rs", text)]));
        assert!(tests.has_in_crate("storage::rows_survive"));
        assert!(tests.has_in_crate("storage::inner::rows_survive"));
        assert!(!tests.has_in_crate("keys::rows_survive"));
        assert!(tests.has_in_file("storage/src/a.rs::rows_survive"));
        assert!(tests.has_in_file("xtask/src/b.rs::rows_survive"));
        assert!(!tests.has_in_file("storage/src/a.rs::gone"));
        assert!(!tests.has_in_file("storage/src/c.rs::rows_survive"));
    }

    #[test]
    fn listed_macro_test_is_found() {
        let list = "//! A.\n    $fresh:\n    rows::rows_survive,\n";
        for Generated { folder, list: list_path, signature: (before, after) } in GENERATED {
            let function = |name: &str| format!("{before}{name}({}) {{}}\n", after.trim_matches(['(', ')']));
            let functions = function("rows_survive") + &function("rows_vanish");
            let text = format!("//! A.\n{functions}fn rows_helper() {{}}\n");
            let path = format!("{folder}rows.rs");
            let tests = Tests::from_files(&Files::from([(list_path, list), (path.as_str(), text.as_str())]));
            for (name, expected) in [("rows_survive", true), ("rows_vanish", false), ("rows_helper", false)] {
                assert_eq!(tests.has_in_file(&format!("{path}::{name}")), expected, "{path} {name}");
            }
        }
    }
}
