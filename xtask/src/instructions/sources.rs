//! The sources that the instructions of a warm request depend on.

use super::figures::FILE;
use crate::workspace::{Failure, Workspace, read_text};

/// All sources of the counted program: its crates, the versions of all others, profiles and settings of the
/// build.
const SOURCES: &str = "Cargo.lock Cargo.toml .cargo rust-toolchain.toml xtask/src/instructions crates/accounts \
    crates/administration crates/derives crates/cache crates/gateway crates/grants crates/keys crates/latchkey-verifier crates/pages \
    crates/protocol crates/registry crates/secrets crates/sessions crates/storage crates/tenancy crates/testkit \
    crates/values crates/warm_requests migrations";

/// The digest of the present files, committed or not.
pub(super) fn digest(workspace: &Workspace) -> Result<String, Failure> {
    let script = format!(
        "git ls-files -z --cached --others --exclude-standard -- {SOURCES} ':!crates/*/tests/*' ':!{FILE}' | sort -z | xargs -0 sha256sum | sha256sum"
    );
    let sum = read_text(&mut workspace.program("bash", &["-euo", "pipefail", "-c", &script]))?;
    Ok(sum.split_whitespace().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn digest_covers_all_crates_of_the_program() {
        let workspace = Workspace::here();
        let metadata = workspace.metadata().unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let mut names = vec!["warm_requests".to_owned()];
        let mut next = 0;
        while let Some(name) = names.get(next).cloned() {
            next += 1;
            let package = packages.iter().find(|package| package["name"] == name.as_str()).unwrap();
            for dependency in package["dependencies"].as_array().unwrap() {
                let (of, kind) = (dependency["name"].as_str().unwrap(), &dependency["kind"]);
                let is_ours = dependency["path"].is_string() && kind.is_null();
                if is_ours && !names.iter().any(|known| known == of) {
                    names.push(of.to_owned());
                }
            }
        }
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            assert!(SOURCES.contains(&format!("crates/{name}")), "{name} is missing");
        }
        for path in SOURCES.split_whitespace() {
            assert!(fs::exists(workspace.root.join(path)).unwrap(), "there is no {path}");
        }
        assert_eq!(digest(&workspace).unwrap().len(), 64);
    }
}
