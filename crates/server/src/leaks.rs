//! Handles reported credentials one after another, while the program runs.

use std::sync::Arc;
use std::time::Duration;

use administration::administrator::Administrator;
use administration::audit::leaks;
use administration::edit::EditError;
use outbound::ReportKeys;
use tokio::time::sleep;

use crate::clock;
use crate::periodic::OutageLog;

/// The pause before trying again after the store did not answer.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct LeakWorker {
    pub(crate) reports: Arc<leaks::LeakReports>,
    pub(crate) administrator: Arc<Administrator>,
    pub(crate) keys: Option<ReportKeys>,
}

impl LeakWorker {
    /// Handles each report as its tenant's policy demands.
    pub(crate) async fn run(self) {
        let mut log = OutageLog::default();
        loop {
            let Some(report) = self.reports.take() else {
                self.reports.arrived().await;
                continue;
            };
            let ended = self.end(&report).await;
            log.note(
                &ended,
                "cannot search for a reported credential; trying again",
                "reported credentials are searched again",
            );
            match ended {
                Ok(0) => {}
                Ok(found) => {
                    tracing::warn!(found, source = report.source, "credentials were reported as leaked");
                }
                Err(_) => {
                    self.reports.give_back(report);
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Ends the credentials before checking their place, because that check may have to wait for the
    /// signature keys.
    async fn end(&self, report: &leaks::LeakReport) -> Result<usize, EditError> {
        let found = self.administrator.find_leaked(&report.text).await?;
        for credential in &found {
            unless_gone(self.administrator.end_leaked(credential, &report.source, clock::now()).await)?;
        }
        let place = if found.is_empty() { None } else { self.proven_place(report).await };
        for credential in &found {
            self.administrator.note_leaked(credential, &report.source, place, clock::now()).await?;
        }
        Ok(found.len())
    }

    async fn proven_place<'r>(&self, report: &'r leaks::LeakReport) -> Option<&'r leaks::LeakPlace> {
        let (keys, place) = self.keys.as_ref().zip(report.place.as_ref())?;
        let leaks::ReportSignature { key, text, digest } = &*place.signature;
        keys.have_signed(key, digest, text).await.then_some(place)
    }
}

/// If the tenant was deleted, so was the credential, and there is nothing to repeat.
fn unless_gone(ended: Result<(), EditError>) -> Result<(), EditError> {
    match ended {
        Err(EditError::NotFound(_)) => Ok(()),
        other => other,
    }
}
