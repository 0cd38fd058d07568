//! Writes refused requests to the store every two seconds, at most some hundred a second.

use std::sync::Arc;
use std::time::Duration;

use administration::audit::refusals::RefusalBuffer;
use administration::store::AdministrationStore;
use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::periodic::OutageLog;
use crate::periodic_writer::PeriodicWriter;

const ROWS: usize = 1_000;

pub(crate) struct RefusalWriter {
    buffer: Arc<RefusalBuffer>,
    store: Arc<dyn AdministrationStore>,
    log: Mutex<OutageLog>,
}

impl RefusalWriter {
    pub(crate) fn new(buffer: Arc<RefusalBuffer>, store: Arc<dyn AdministrationStore>) -> Self {
        Self { buffer, store, log: Mutex::default() }
    }
}

#[async_trait]
impl PeriodicWriter for RefusalWriter {
    const WHAT: &'static str = "refused requests";
    const EVERY: Duration = Duration::from_secs(2);

    async fn flush(&self, _: Duration) {
        let mut log = self.log.lock().await;
        let refusals = self.buffer.take(ROWS);
        let written = self.store.record_refusals(&refusals).await;
        if written.is_err() {
            self.buffer.give_back(refusals);
        }
        Self::log_outcome(&mut log, &written);
    }
}
