//! The parts of `cargo metadata` that the rules need: the workspace's members with their dependencies, and
//! every package's licence.

use std::path::Path;

use serde_json::Value;

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// The folder from the root: `crates/keys`.
    pub(super) folder: String,
    pub(super) is_published: bool,
    pub(super) dependencies: Vec<Dependency>,
}

impl Member {
    pub(super) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// A dependency in a member's manifest.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// Whether it is only for tests, examples and benchmarks.
    pub(super) for_tests: bool,
    /// Is a member of this workspace.
    pub(super) ours: bool,
}

/// A package of the dependency graph.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) licence: Option<String>,
}

pub(super) fn members(metadata: &Value, root: &Path) -> Vec<Member> {
    // Only packages of the workspace have no source; all others come from a registry or a repository.
    let own = list(&metadata["packages"]).filter(|package| package["source"].is_null());
    own.map(|package| member(package, root)).collect()
}

pub(super) fn packages(metadata: &Value) -> Vec<Package> {
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: package["license"].as_str().map(str::to_owned),
    };
    list(&metadata["packages"]).map(package).collect()
}

fn member(package: &Value, root: &Path) -> Member {
    let manifest = text(&package["manifest_path"]);
    let folder = Path::new(&manifest).parent().unwrap_or(Path::new(""));
    let folder = folder.strip_prefix(root).unwrap_or(folder);
    Member {
        name: text(&package["name"]),
        folder: folder.to_string_lossy().replace('\\', "/"),
        is_published: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        dependencies: list(&package["dependencies"]).map(dependency).collect(),
    }
}

fn dependency(value: &Value) -> Dependency {
    Dependency {
        name: text(&value["name"]),
        for_tests: value["kind"] == "dev",
        ours: value["path"].is_string(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A member for tests. A dependency is written `name` or `dev:name`, with `ours:` before the name if it is
/// ours.
#[cfg(test)]
pub(super) fn example(name: &str, dependencies: &[&str]) -> Member {
    let dependency = |written: &&str| {
        let (for_tests, rest) = written.strip_prefix("dev:").map_or((false, *written), |rest| (true, rest));
        let (ours, name) = rest.strip_prefix("ours:").map_or((false, rest), |rest| (true, rest));
        Dependency { name: name.to_owned(), for_tests, ours }
    };
    Member {
        name: name.to_owned(),
        folder: format!("crates/{name}"),
        is_published: false,
        dependencies: dependencies.iter().map(dependency).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_distinguished_from_packages_of_a_registry() {
        let metadata = json!({"packages": [
            {"name": "keys", "version": "0.0.0", "source": null, "publish": [], "license": "Apache-2.0",
             "manifest_path": "/root/crates/keys/Cargo.toml", "dependencies": [
                {"name": "rsa", "kind": null}, {"name": "testkit", "kind": "dev", "path": "/root/crates/testkit"}]},
            {"name": "rsa", "version": "0.9.10", "source": "registry+x", "publish": null, "license": null}
        ]});
        let members = members(&metadata, Path::new("/root"));
        assert_eq!(members.len(), 1);
        assert_eq!((members[0].folder.as_str(), members[0].is_published), ("crates/keys", false));
        let [rsa, testkit] = &members[0].dependencies[..] else { panic!("two dependencies") };
        assert_eq!((rsa.for_tests, rsa.ours, testkit.for_tests, testkit.ours), (false, false, true, true));
        assert_eq!(packages(&metadata)[1].licence, None);
    }
}
