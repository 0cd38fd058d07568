//! In these crates a file imports only files that do not import it, directly or through others, so that each
//! can be read after those that it imports. Tests are left out.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Files;
use super::rust_code::code_only;
use super::violation::Violation;

const CRATES: [&str; 2] = ["crates/command/src/", "crates/server/src/"];

/// The imports of each module, which is named as its file without the end `.rs`.
type Imports = BTreeMap<String, BTreeSet<String>>;

pub(super) fn check(files: &Files) -> Vec<Violation> {
    CRATES.iter().filter_map(|folder| circle(files, folder)).collect()
}

fn circle(files: &Files, folder: &str) -> Option<Violation> {
    let mut imports = Imports::new();
    read(files, folder, "lib", &mut imports);
    // A file without imports is on no circle, and is removed. If files remain, some of them form one.
    while let Some(bottom) = imports.iter().find(|(_, of)| of.is_empty()).map(|(file, _)| file.clone()) {
        imports.remove(&bottom);
        imports.values_mut().for_each(|of| _ = of.remove(&bottom));
    }
    let mut way = vec![imports.keys().next()?];
    let begin = loop {
        let next = imports[*way.last()?].first()?;
        match way.iter().position(|file| *file == next) {
            Some(begin) => break begin,
            None => way.push(next),
        }
    };
    let names = way[begin..].iter().map(|file| format!("{file}.rs")).collect::<Vec<_>>().join(", ");
    let what = format!("a circle of imports: {names}");
    let hint =
        "move what two of them share into a file below; a file of a folder imports from the files beside it";
    Some(Violation::of_file(format!("{folder}{}.rs", way[begin]), what, hint))
}

/// Reads a module and those that it declares outside its tests.
fn read(files: &Files, folder: &str, module: &str, imports: &mut Imports) {
    let Some(text) = files.text(&format!("{folder}{module}.rs")) else { return };
    let code = without_tests(&code_only(text));
    let below = if module == "lib" { "" } else { module };
    let mut of = BTreeSet::new();
    for path in paths(&code) {
        let mut at = below;
        let mut names = path.iter().map(String::as_str).peekable();
        match names.peek() {
            Some(&"crate") => {
                names.next();
                at = "";
            }
            Some(&"self") => drop(names.next()),
            _ => {}
        }
        while names.next_if_eq(&"super").is_some() {
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let mut target = at.to_owned();
        for name in names {
            let next = if target.is_empty() { name.to_owned() } else { format!("{target}/{name}") };
            if files.text(&format!("{folder}{next}.rs")).is_none() {
                break;
            }
            target = next;
        }
        of.insert(if target.is_empty() { "lib".to_owned() } else { target });
    }
    of.remove(module);
    imports.insert(module.to_owned(), of);
    let declared = code.lines().filter_map(|line| line.rsplit_once("mod ")?.1.strip_suffix(';'));
    for name in declared {
        let inner = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        read(files, folder, &inner, imports);
    }
}

/// The items without those under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut in_test = false;
    let is_kept = |line: &&str| {
        let is_begun = in_test;
        in_test = *line == "#[cfg(test)]"
            || in_test && *line != "}" && (line.starts_with(' ') || !line.ends_with(';'));
        !in_test && !is_begun
    };
    code.lines().map(str::trim_end).filter(is_kept).collect::<Vec<_>>().join("\n")
}

/// All paths of two names and more. A list in braces holds several.
fn paths(code: &str) -> Vec<Vec<String>> {
    let is_word = |character: char| character.is_alphanumeric() || "_*§".contains(character);
    let spaced: String = code
        .replace("::", " § ")
        .chars()
        .flat_map(|character| if is_word(character) { vec![character] } else { vec![' ', character, ' '] })
        .collect();
    let (mut found, mut path, mut prefixes) = (Vec::new(), Vec::new(), vec![Vec::new()]);
    // Whether the next name continues the path.
    let mut continues = true;
    for token in spaced.split_whitespace().chain([";"]) {
        let is_name = token.starts_with(is_word) && token != "§";
        if token == "{" && continues {
            prefixes.push(path.clone());
        } else if token != "§" && !(is_name && continues) {
            if path.len() > prefixes.last().map_or(0, Vec::len).max(1) {
                found.push(std::mem::take(&mut path));
            }
            match token {
                "{" => prefixes.push(Vec::new()),
                "}" => drop(prefixes.pop()),
                _ => {}
            }
            path = prefixes.last().cloned().unwrap_or_default();
        }
        if is_name {
            path.push(token.to_owned());
        }
        continues = !is_name;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    /// Checks the import cycle in a crate with these files.
    #[track_caller]
    fn check<const N: usize>(modules: [(&str, &str); N], expected: Option<&str>) {
        let paths = modules.map(|(module, _)| format!("{}{module}.rs", CRATES[0]));
        let files = Files::from(std::array::from_fn::<_, N, _>(|at| (paths[at].as_str(), modules[at].1)));
        let found = facts(&super::check(&files));
        let expected = expected.map(|names| {
            let first = names.split(',').next().unwrap();
            format!("{}{first}:1: a circle of imports: {names}", CRATES[0])
        });
        assert_eq!(found, Vec::from_iter(expected), "{modules:?}");
    }

    #[test]
    fn import_cycle_is_found_in_every_notation() {
        let list = ("lib", "mod a;\nmod b;\n");
        for (a, b) in [
            ("use crate::b::B;\n", "use super::a::A;\n"),
            ("use crate::{other, b::{self, B}};\n", "fn f() {\n    crate::a::f();\n}\n"),
            (
                "fn f(b: &crate::b::B) -> X {\n    X { b }\n}\n",
                "fn f() -> A {\n    super::a::A { x: 1 }\n}\n",
            ),
            ("pub(crate) use super::b::*;\n", "use crate::{std, a as other};\n"),
        ] {
            check([list, ("a", a), ("b", b)], Some("a.rs, b.rs"));
            check([list, ("a", a), ("b", "use std::fmt;\n")], None);
        }
    }

    #[test]
    fn child_may_import_from_siblings_only() {
        let (list, parent) =
            (("lib", "mod a;\nuse a::X;\n"), ("a", "mod x;\nmod y;\npub use x::X;\nuse y::f;\n"));
        check([list, parent, ("a/x", "pub struct X;\n"), ("a/y", "use super::x::X;\n")], None);
        check([list, parent, ("a/x", ""), ("a/y", "use super::X;\n")], Some("a.rs, a/y.rs"));
        check([list, parent, ("a/x", ""), ("a/y", "use crate::X;\n")], Some("a.rs, a/y.rs, lib.rs"));
    }

    #[test]
    fn tests_may_import_from_above() {
        let list = ("lib", "mod a;\npub use a::run;\n#[cfg(test)]\nmod t;\n");
        let a = "#[cfg(test)]\nmod tests {\n    use crate::Arguments;\n}\n";
        check([list, ("a", a), ("t", "use crate::X;\n")], None);
        check([list, ("a", &format!("{a}use crate::X;\n"))], Some("a.rs, lib.rs"));
    }
}
