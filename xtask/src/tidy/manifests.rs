//! Manifests: dependencies are declared in the workspace, each with a comment that gives the reason. No crate
//! can be published except the two for callers and verifiers.

use super::files::Files;
use super::violation::Violation;

const ROOT: &str = "Cargo.toml";

/// Crates for others, which may be published. They depend on no crate of ours.
const PUBLISHED: [&str; 2] = ["latchkey-client", "latchkey-verifier"];

pub(super) fn check(files: &Files) -> Vec<Violation> {
    let member = |path: &str| path.ends_with("/Cargo.toml");
    let mut found = check_root(files.text(ROOT).unwrap_or_default());
    for (path, text) in files.iter().filter(|(path, _)| member(path)) {
        found.extend(check_member(path, text));
    }
    found
}

/// Every entry of `[workspace.dependencies]` has a comment above it. Our own crates may share one.
fn check_root(text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut above = "";
    for (index, section, line) in entries(text) {
        let begins = section.ends_with("dependencies]") && is_entry(line);
        let begins = begins || line.starts_with("[workspace.dependencies.");
        let is_ours = |line: &str| line.contains("path = \"crates/");
        if begins && !above.starts_with('#') && !(is_ours(line) && is_ours(above)) {
            let what = format!("nothing says why {} is here", name(line));
            found.push(Violation::new(ROOT, index + 1, what, "say it in a comment on the line above"));
        }
        above = line;
    }
    found
}

/// A member declares no version: `workspace = true` everywhere. It has the name of its folder.
fn check_member(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    if !text.contains(&format!("\nname = \"{folder}\"\n")) {
        found.push(Violation::of_file(
            path,
            "a crate with another name than its folder",
            "give both one name",
        ));
    }
    if !PUBLISHED.contains(&folder) && !text.contains("\npublish.workspace = true\n") {
        let what = format!("crate {folder} could be published");
        found.push(Violation::of_file(path, what, "add `publish.workspace = true`"));
    }
    for (index, section, line) in entries(text) {
        let section = section.trim_matches(['[', ']']);
        let entry = section.ends_with("dependencies") && is_entry(line);
        let is_table = line.starts_with('[') && line.contains("dependencies.");
        if is_table || (entry && !line.contains("workspace = true")) {
            let name = if is_table { line } else { name(line) };
            let hint =
                "name it in the root manifest's [workspace.dependencies] and write `workspace = true` here";
            found.push(Violation::new(path, index + 1, format!("{name} is not the workspace's"), hint));
        }
    }
    found
}

/// Each line with its index and its section.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    text.lines().enumerate().scan("", |section, (index, line)| {
        if line.starts_with('[') {
            *section = line.trim_end();
        }
        Some((index, *section, line))
    })
}

/// Whether the line begins a key; continuation lines of an array are indented or only close it.
fn is_entry(line: &str) -> bool {
    line.starts_with(|first: char| first.is_alphanumeric() || first == '"' || first == '_')
}

fn name(line: &str) -> &str {
    line.split(['=', '.', ' ']).next().unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::super::violation::facts;
    use super::*;

    #[test]
    fn dependency_needs_a_reason() {
        let text = "[workspace.dependencies]\n# Ours.\na = { path = \"crates/a\" }\nb = { path = \"crates/b\" }\n\n\
                    # Reads.\nserde = \"1\"\nurl = \"2\"\n\nclap = { version = \"4\", features = [\n    \"derive\",\n] }\n\n\
                    [profile.release]\nlto = \"thin\"\n";
        let expected = [(8, "url"), (10, "clap")]
            .map(|(line, name)| format!("Cargo.toml:{line}: nothing says why {name} is here"));
        assert_eq!(facts(&check_root(text)), expected);
    }

    #[test]
    fn crate_uses_only_workspace_dependencies() {
        let text = "[package]\nname = \"a\"\npublish.workspace = true\n[dependencies]\nserde.workspace = true\n\
                    url = { workspace = true, features = [\n    \"serde\",\n] }\n\n\
                    [dev-dependencies]\nrand = \"0.9\"\n\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n\n\
                    [dependencies.clap]\nversion = \"4\"\n";
        let expected = ["11: rand", "14: libc", "16: [dependencies.clap]"]
            .map(|what| format!("crates/a/Cargo.toml:{what} is not the workspace's"));
        assert_eq!(facts(&check_member("crates/a/Cargo.toml", text)), expected);
    }

    #[test]
    fn crate_is_named_after_its_folder_and_unpublished() {
        let check = |folder: &str, text: &str| {
            facts(&check_member(&format!("crates/{folder}/Cargo.toml"), text)).len()
        };
        let keys = "[package]\nname = \"keys\"\npublish.workspace = true\n";
        assert_eq!([check("keys", keys), check("key-rings", keys)], [0, 1]);
        assert_eq!(check("keys", "[package]\nname = \"keys\"\n"), 1);
        assert_eq!(check("latchkey-client", "[package]\nname = \"latchkey-client\"\n"), 0);
    }
}
