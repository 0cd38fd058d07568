//! Checks the machine: what the server needs, and the protection of secrets.

use std::fs;
use std::path::Path;

use rustix::fs::statvfs;
use rustix::process::{Resource, geteuid, getrlimit};
use settings::owner::name;
use settings::{Loaded, StorageLocation};

use super::report::{DoctorCheck, ReportLine};
use super::store::nearest_folder;

const DISK: DoctorCheck = DoctorCheck("disk");
const MEMORY: DoctorCheck = DoctorCheck("memory");
const OPEN_FILES: DoctorCheck = DoctorCheck("open-files");
const USER: DoctorCheck = DoctorCheck("user");
const CORE_DUMPS: DoctorCheck = DoctorCheck("core-dumps");
const SWAP: DoctorCheck = DoctorCheck("swap");

const MIB: u64 = 1 << 20;
/// Less memory causes a warning. A sign-in needs 19 MiB for each hash that is computed at the same time.
const LITTLE_MEMORY: u64 = 256 * MIB;
const LITTLE_SPACE: u64 = 1024 * MIB;
const NO_SPACE: u64 = 64 * MIB;
/// Fewer open files cause a warning: connections, and the files of store, certificates and listeners.
const FEW_FILES: u64 = 4_096;

pub(super) fn check(config: &Path, loaded: &Loaded) -> Vec<ReportLine> {
    let files = getrlimit(Resource::Nofile).current;
    let wanted = loaded.platform.server.max_connections.map(u64::from);
    let mut lines = vec![disk(config, loaded), memory(), open_files(files, wanted), user()];
    let is_development = loaded.platform.server.public_url.is_on_loopback();
    lines.extend(if is_development {
        let why = "server.public_url is on this machine, so this is a development setup";
        [CORE_DUMPS.skipped(why), SWAP.skipped(why)]
    } else {
        [
            core_dumps(getrlimit(Resource::Core).current),
            swap(fs::read_to_string("/proc/swaps").ok().as_deref()),
        ]
    });
    lines
}

/// Checks the disk of the SQLite file or, with PostgreSQL, the disk of the settings.
fn disk(config: &Path, loaded: &Loaded) -> ReportLine {
    let folder = match &loaded.platform.storage {
        StorageLocation::Sqlite(path) => nearest_folder(path),
        StorageLocation::Postgres(_) => nearest_folder(config),
    };
    match statvfs(folder) {
        Ok(found) => judge_space(folder, found.f_bavail.saturating_mul(found.f_frsize)),
        Err(error) => DISK.skipped(format!("cannot read the free space of {}: {error}", folder.display())),
    }
}

fn judge_space(folder: &Path, free: u64) -> ReportLine {
    let found = format!("{} MiB are free in {}", free / MIB, folder.display());
    let fix = "free some space: on a full disk all writes fail, and with SQLite some reads fail too";
    match free {
        ..NO_SPACE => DISK.error(found, fix),
        NO_SPACE..LITTLE_SPACE => DISK.warning(found, fix),
        _ => DISK.ok(found),
    }
}

/// Checks the available memory, within the limit of a container.
fn memory() -> ReportLine {
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let read = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let of_group = read("/sys/fs/cgroup/memory.max")
        .zip(read("/sys/fs/cgroup/memory.current"))
        .map(|(most, current)| most.saturating_sub(current));
    match available.into_iter().chain(of_group).min() {
        Some(free) if free < LITTLE_MEMORY => MEMORY.warning(
            format!("{} MiB are available", free / MIB),
            "give the server at least 256 MiB more: each password hash needs 19 MiB while it is computed",
        ),
        Some(free) => MEMORY.ok(format!("{} MiB are available", free / MIB)),
        None => MEMORY.skipped("this system does not report the available memory"),
    }
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Checks the limit of open files. Three quarters of them may be connections. `None` means no limit.
fn open_files(limit: Option<u64>, wanted: Option<u64>) -> ReportLine {
    let Some(limit) = limit else { return OPEN_FILES.ok("no limit") };
    let found =
        format!("this user may open {limit} files, which is enough for {} connections", limit - limit / 4);
    match wanted {
        Some(wanted) if wanted > limit - limit / 4 => OPEN_FILES.warning(
            format!("{found}, and server.max_connections is {wanted}"),
            "raise the limit of the service (LimitNOFILE), or lower server.max_connections",
        ),
        None if limit < FEW_FILES => OPEN_FILES
            .warning(found, format!("raise the limit of the service (LimitNOFILE) to at least {FEW_FILES}")),
        _ => OPEN_FILES.ok(found),
    }
}

fn user() -> ReportLine {
    let user = geteuid();
    if user.is_root() {
        return USER.skipped("this is root; the other checks apply to root, not to the user of the service");
    }
    USER.ok(name(user.as_raw()).unwrap_or_else(|| user.as_raw().to_string()))
}

fn core_dumps(limit: Option<u64>) -> ReportLine {
    match limit {
        Some(0) => CORE_DUMPS.ok("disabled"),
        _ => CORE_DUMPS.warning(
            "enabled for this user; after a crash, the core file contains keys and secrets",
            "set LimitCORE=0 for the service",
        ),
    }
}

/// Warns of swap, which can write secrets to disk. Compressed memory is not on disk.
fn swap(table: Option<&str>) -> ReportLine {
    let Some(table) = table else { return SWAP.skipped("this system does not report swap") };
    let files: Vec<_> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .filter(|file| !file.starts_with("/dev/zram"))
        .collect();
    if files.is_empty() {
        return SWAP.ok("disabled");
    }
    SWAP.warning(
        format!("{} may keep keys and secrets after the program has stopped", files.join(", ")),
        "disable swap, encrypt it, or set MemorySwapMax=0 for the service",
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::DoctorStatus;
    use super::*;

    #[test]
    fn each_machine_check_has_its_limits() {
        let folder = Path::new("data");
        for (line, expected, found) in [
            (judge_space(folder, NO_SPACE - 1), DoctorStatus::Error, "63 MiB are free in data"),
            (judge_space(folder, LITTLE_SPACE - 1), DoctorStatus::Warning, "1023 MiB are free in data"),
            (judge_space(folder, LITTLE_SPACE), DoctorStatus::Ok, "1024 MiB are free in data"),
            (
                open_files(Some(4_095), None),
                DoctorStatus::Warning,
                "4095 files, which is enough for 3072 connections",
            ),
            (open_files(Some(4_096), None), DoctorStatus::Ok, "3072 connections"),
            (open_files(Some(1_024), Some(768)), DoctorStatus::Ok, "768 connections"),
            (open_files(Some(1_024), Some(769)), DoctorStatus::Warning, "server.max_connections is 769"),
            (open_files(None, Some(769)), DoctorStatus::Ok, "no limit"),
            (core_dumps(Some(0)), DoctorStatus::Ok, "disabled"),
            (core_dumps(None), DoctorStatus::Warning, "enabled for this user"),
            (swap(Some("Filename Type\n/dev/zram0 partition\n")), DoctorStatus::Ok, "disabled"),
            (swap(Some("Filename Type\n/dev/sda2 partition\n")), DoctorStatus::Warning, "/dev/sda2 may keep"),
            (swap(None), DoctorStatus::Skipped, "does not report swap"),
        ] {
            assert_eq!(line.status, expected, "{line:?}");
            assert!(line.found.contains(found), "{line:?}");
        }
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   512 kB\n"), Some(524_288));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
