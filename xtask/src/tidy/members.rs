//! The crates of the workspace with the dependencies in their manifests.

use super::files::Files;
use super::manifests::entries;

/// A crate of the workspace.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) manifest: String,
    pub(super) dependencies: Vec<Dependency>,
}

/// A dependency in a member's manifest.
pub(super) struct Dependency {
    pub(super) name: String,
    /// Whether it is only for tests, examples and benchmarks.
    pub(super) for_tests: bool,
    /// Whether it is a member of this workspace.
    pub(super) ours: bool,
}

/// All members, each in a folder with its name.
pub(super) fn read(files: &Files) -> Vec<Member> {
    let manifest = |(path, text)| Some((folder(path)?, path, text));
    let manifests: Vec<(&str, &str, &str)> = files.iter().filter_map(manifest).collect();
    let is_ours = |name: &str| manifests.iter().any(|(folder, ..)| *folder == name);
    let dependency = |(_, section, line): (usize, &str, &str)| {
        let section = section.trim_end_matches(']');
        let name = line.split(['=', '.', ' ']).next()?;
        let begins = section.ends_with("dependencies") && name.starts_with(char::is_alphanumeric);
        begins.then(|| Dependency {
            name: name.to_owned(),
            for_tests: section.ends_with("dev-dependencies"),
            ours: is_ours(name),
        })
    };
    let member = |(name, manifest, text): &(&str, &str, &str)| Member {
        name: (*name).to_owned(),
        manifest: (*manifest).to_owned(),
        dependencies: entries(text).filter_map(dependency).collect(),
    };
    manifests.iter().map(member).collect()
}

fn folder(manifest: &str) -> Option<&str> {
    let folder = manifest.strip_suffix("/Cargo.toml")?;
    let name = folder.strip_prefix("crates/").unwrap_or(folder);
    (!name.contains('/')).then_some(name)
}

/// A member for tests. A dependency is written `name` or `dev:name`.
#[cfg(test)]
pub(super) fn example<'f>(files: &[(&'f str, &[&str])]) -> Vec<Member> {
    let manifest = |(name, dependencies): &(&'f str, &[&str])| {
        let part = |for_tests: bool| {
            let named = dependencies.iter().filter(|name| name.starts_with("dev:") == for_tests);
            named
                .map(|name| format!("{}.workspace = true\n", name.trim_start_matches("dev:")))
                .collect::<String>()
        };
        let text = format!("[dependencies]\n{}[dev-dependencies]\n{}", part(false), part(true));
        (format!("crates/{name}/Cargo.toml"), text)
    };
    read(&files.iter().map(manifest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_each_section() {
        let text = "[package]\nname = \"keys\"\n\n[dependencies]\nrsa = { workspace = true, features = [\n    \"std\",\n] }\n\n\
                    [target.'cfg(unix)'.dependencies]\nlibc.workspace = true\n\n[dev-dependencies]\ntestkit.workspace = true\n";
        let files = Files::from([
            ("crates/keys/Cargo.toml", text),
            ("crates/testkit/Cargo.toml", ""),
            ("xtask/a/Cargo.toml", ""),
        ]);
        let members = read(&files);
        let found: Vec<_> =
            members[0].dependencies.iter().map(|of| (of.name.as_str(), of.for_tests, of.ours)).collect();
        assert_eq!(found, [("rsa", false, false), ("libc", false, false), ("testkit", true, true)]);
        assert_eq!(members.len(), 2);
    }
}
