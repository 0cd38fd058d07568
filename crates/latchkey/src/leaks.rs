//! Looks at reported credentials, one after the other, for as long as the program runs.

use std::sync::Arc;
use std::time::Duration;

use administration::{Administrator, LeakReports};
use protocol::causes;
use tokio::time::sleep;

use crate::clock;

/// Until a store that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Does with each what its tenant says.
pub(crate) async fn end(reports: Arc<LeakReports>, administrator: Arc<Administrator>) {
    let mut is_failing = false;
    loop {
        let Some(report) = reports.take() else {
            reports.arrived().await;
            continue;
        };
        match administrator.take_leak(&report, clock::now()).await {
            Ok(found) => {
                if found > 0 {
                    tracing::warn!(found, source = report.source, "credentials were reported as leaked");
                }
                is_failing = false;
            }
            Err(error) => {
                if !is_failing {
                    tracing::warn!(
                        error = causes(&error),
                        "a reported credential cannot be looked for; trying again"
                    );
                }
                is_failing = true;
                reports.give_back(report);
                sleep(AGAIN).await;
            }
        }
    }
}
