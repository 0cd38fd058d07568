//! Checks owners and modes of the files that the service and an operator's command line share. The service
//! cannot open a file that root created in its folder. A secret in a file that every user can read is not
//! protected.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::report::{DoctorCheck, ReportLine};
use server::file_access::files_of;
use settings::owner::name;
use settings::{Loaded, SealingKeySource, StorageLocation};

const FILES: DoctorCheck = DoctorCheck("files");
const SECRECY: DoctorCheck = DoctorCheck("secrecy");
const CONFIG: DoctorCheck = DoctorCheck("config");
const ROOT: u32 = 0;

/// A line for each existing file with a problem, one for all files that other users may read, and one for the
/// settings.
pub(super) fn check(config: &Path, loaded: &Loaded) -> Vec<ReportLine> {
    let found = files(loaded).into_iter().filter_map(|path| Some((fs::metadata(&path).ok()?, path)));
    let found: Vec<_> = found.collect();
    let mut lines: Vec<_> = found.iter().filter_map(|(file, path)| line(path, file)).collect();
    lines.push(secrecy(found.iter().filter(|(file, _)| file.mode() & 0o007 != 0).map(|(_, path)| path)));
    if let Ok(file) = fs::metadata(config) {
        lines.push(settings_mode(config, file.mode() & 0o7777));
    }
    lines
}

fn secrecy<'p>(open: impl Iterator<Item = &'p PathBuf>) -> ReportLine {
    let open: Vec<_> = open.map(|path| path.display().to_string()).collect();
    if open.is_empty() {
        return SECRECY.ok("no file with secrets or rows is readable by every user");
    }
    let open = open.join(" ");
    SECRECY.warning(format!("every user of this machine can read {open}"), format!("run `chmod o= {open}`"))
}

fn settings_mode(config: &Path, mode: u32) -> ReportLine {
    let config = config.display();
    let found = format!("{config} has the mode {mode:04o}");
    if mode & 0o002 == 0 {
        return CONFIG.ok(found);
    }
    CONFIG.error(
        format!(
            "{found}: every user of this machine can change it, and so change the permissions of every tenant"
        ),
        format!("run `chmod o-w {config}`"),
    )
}

/// Files with secrets or rows.
fn files(loaded: &Loaded) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if let StorageLocation::Sqlite(path) = &loaded.platform.storage {
        files.extend(files_of(path));
    }
    let keys =
        std::iter::once(&loaded.platform.sealing_keys.writing).chain(&loaded.platform.sealing_keys.former);
    files.extend(keys.filter_map(|key| match key {
        SealingKeySource::File(path) => Some(path.clone()),
        _ => None,
    }));
    let tls = loaded.platform.server.listeners.iter().filter_map(|listener| listener.tls.as_ref());
    files.extend(tls.map(|tls| tls.private_key.clone()));
    files
}

fn line(path: &Path, file: &Metadata) -> Option<ReportLine> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder_owner = fs::metadata(folder).ok()?.uid();
    Some(judge(path, file.uid(), file.mode() & 0o7777, folder_owner))
}

/// A folder of root may contain files of any service. A folder of a service should only contain files of the
/// service.
fn judge(path: &Path, owner: u32, mode: u32, folder_owner: u32) -> ReportLine {
    let [owned_by, service] =
        [owner, folder_owner].map(|user| name(user).unwrap_or_else(|| user.to_string()));
    let found = format!("{} belongs to {owned_by} (mode {mode:04o})", path.display());
    if folder_owner == ROOT || owner == folder_owner {
        return FILES.ok(found);
    }
    FILES.error(
        format!("{found} but its folder to {service}, so the service of that user cannot write it"),
        format!("run `chown {service} {}`, and run commands on the store as {service}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::DoctorStatus;
    use super::*;

    #[test]
    fn wrong_owner_or_mode_is_an_error() {
        for (owner, folder, expected) in [
            (0, 0, DoctorStatus::Ok),
            (998, 998, DoctorStatus::Ok),
            (998, 0, DoctorStatus::Ok),
            (0, 998, DoctorStatus::Error),
        ] {
            let line = judge(Path::new("/var/lib/latchkey/latchkey.db"), owner, 0o600, folder);
            assert_eq!(line.status, expected, "{owner} {folder}");
        }
        for (mode, expected) in
            [(0o644, DoctorStatus::Ok), (0o640, DoctorStatus::Ok), (0o646, DoctorStatus::Error)]
        {
            assert_eq!(settings_mode(Path::new("config.yaml"), mode).status, expected, "{mode:o}");
        }
        let open = [PathBuf::from("a"), PathBuf::from("b")];
        assert_eq!(secrecy(open.iter()).found, "every user of this machine can read a b");
        assert_eq!(secrecy(open[..0].iter()).status, DoctorStatus::Ok);
        assert!(judge(Path::new("x"), 0, 0o640, 0).found.contains("x belongs to root (mode 0640)"));
    }
}
