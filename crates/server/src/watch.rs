//! Reports when files may have changed: after a notification, and every 15 s, because some mounts send no
//! notifications. The caller reads the files to find the change.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

/// The delay after a notification: editors write a file in several steps, and certificate and key are two
/// files.
const SETTLE: Duration = Duration::from_millis(200);
/// How often changes are reported without notifications.
const LOOK_EVERY: Duration = Duration::from_secs(15);

pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    names: Arc<Mutex<HashSet<OsString>>>,
    /// One unit may stand for several events.
    events: mpsc::Receiver<()>,
    /// Whether an event was received that [`Watch::changed`] has not reported yet.
    is_notified: bool,
    looks: Interval,
}

impl Watch {
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let (changed, events) = mpsc::channel(1);
        let names = Arc::new(Mutex::new(HashSet::new()));
        let watcher = notify::recommended_watcher({
            let names = Arc::clone(&names);
            move |event: notify::Result<Event>| {
                if event.is_ok_and(|event| concerns(&event, &names)) {
                    let _ = changed.try_send(());
                }
            }
        });
        let unwatched =
            |error| tracing::warn!(%error, "cannot watch files; checking them every 15 s instead");
        let mut looks = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = watcher.map_err(unwatched).ok();
        let mut watch = Self { watcher, names, events, is_notified: false, looks };
        watch.add(paths);
        watch
    }

    /// Completes when the files may have changed. Cancel safe: a later call misses no notification.
    pub(crate) async fn changed(&mut self) {
        if !self.is_notified {
            tokio::select! {
                Some(()) = self.events.recv() => self.is_notified = true,
                _ = self.looks.tick() => return,
            }
        }
        sleep(SETTLE).await;
        let _ = self.events.try_recv();
        self.is_notified = false;
    }

    /// Adds these paths. Watches folders instead of files, because an editor that replaces a file creates a
    /// new one.
    pub(crate) fn add(&mut self, paths: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        for path in paths {
            let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                tracing::warn!(%error, folder = %folder.display(), "cannot watch the folder; checking it every 15 s instead");
            }
            let mut names = self.names.lock();
            names.extend(path.file_name().map(OsString::from));
        }
    }
}

/// A settings folder may also contain a log that changes all the time. So only these names count: watched
/// files, YAML files (tenants), and names that begin with two dots, like the link that a mounted ConfigMap
/// replaces.
fn concerns(event: &Event, names: &Mutex<HashSet<OsString>>) -> bool {
    let names = names.lock();
    !event.kind.is_access()
        && event.paths.iter().any(|path| {
            let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
            let named =
                |name: &std::ffi::OsStr| names.contains(name) || name.to_string_lossy().starts_with("..");
            yaml || path.file_name().is_some_and(named)
        })
}

#[cfg(test)]
mod tests {
    use notify::EventKind;
    use notify::event::{AccessKind, ModifyKind};

    use super::*;

    #[test]
    fn only_settings_files_trigger_a_report() {
        let names = Mutex::new(HashSet::from([OsString::from("config.yaml"), OsString::from("secret.txt")]));
        let check = |path: &str, kind: EventKind, expected: bool| {
            let event = Event::new(kind).add_path(PathBuf::from(path));
            assert_eq!(concerns(&event, &names), expected, "{path} {kind:?}");
        };
        let modified = EventKind::Modify(ModifyKind::Any);
        check("/etc/latchkey/config.yaml", modified, true);
        check("/etc/latchkey/secret.txt", modified, true);
        check("/etc/latchkey/tenants.d/acme.yml", modified, true);
        check("/etc/latchkey/..data", modified, true);
        check("/etc/latchkey/latchkey.log", modified, false);
        check("/etc/latchkey/config.yaml", EventKind::Access(AccessKind::Any), false);
    }
}
