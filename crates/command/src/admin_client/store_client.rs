//! The admin API on the store of these settings. The first request opens the store. If the request only
//! reads, the store is opened read-only: nothing is created, and a database account without write permission
//! is sufficient.

use std::path::Path;

use settings::{Environment, PlatformSettings, read_platform};
use tokio::sync::OnceCell;

use super::answer::ApiAnswer;
use super::in_process::{InProcess, actor};
use super::request::ApiRequest;

/// A store that is not opened yet.
pub(crate) struct StoreApi {
    settings: PlatformSettings,
    actor: String,
    reading: OnceCell<InProcess>,
    writing: OnceCell<InProcess>,
}

impl StoreApi {
    pub(super) fn new(config: &Path, environment: &Environment) -> anyhow::Result<Self> {
        Ok(Self {
            settings: read_platform(config, environment)?,
            actor: actor(environment),
            reading: OnceCell::new(),
            writing: OnceCell::new(),
        })
    }

    pub(super) async fn send(&self, request: &ApiRequest, key: &str) -> anyhow::Result<ApiAnswer> {
        Ok(self.opened(request.only_reads).await?.send(request, key).await)
    }

    async fn opened(&self, only_reads: bool) -> anyhow::Result<&InProcess> {
        if only_reads && !self.writing.initialized() {
            let open = || InProcess::open_read_only(&self.settings, &self.actor);
            return self.reading.get_or_try_init(open).await;
        }
        self.writing.get_or_try_init(|| InProcess::open(&self.settings, &self.actor)).await
    }

    pub(super) async fn close(&self) {
        for store in self.reading.get().into_iter().chain(self.writing.get()) {
            store.close().await;
        }
    }
}
