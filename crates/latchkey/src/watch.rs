//! Being told that files have changed. What has changed is found by reading them.

use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// A watcher that sends a unit for whatever happens; many happenings may be one.
pub(crate) fn watcher(events: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = events.try_send(());
        }
    });
    watcher
        .map_err(|error| tracing::warn!(%error, "files cannot be watched; they are looked at every 15 s"))
        .ok()
}

/// Folders are watched rather than files: an editor that replaces a file, or a mount that swaps a link, makes a new one.
pub(crate) fn watch(watcher: Option<&mut RecommendedWatcher>, paths: &[PathBuf]) {
    let Some(watcher) = watcher else { return };
    for path in paths {
        let folder = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, folder = %folder.display(), "folder cannot be watched; it is looked at every 15 s");
        }
    }
}
