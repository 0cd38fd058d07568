//! `POST /api/v1/secrets/leaked`: secrets or API keys were found where they should not be. Who reports them has them, so a report needs no
//! proof. The answer is the same whatever was sent, and it is given before anything is looked for.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use protocol::{Lifetime, Timestamp};
use secrets::{ClientAddress, LeakyBuckets};
use serde::Deserialize;
use tenancy::TenantId;

use crate::Services;
use crate::failure::Failure;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthResult, no_store};

/// Strings of one report; more are left out.
const MOST: usize = 100;
/// Reports of one source in a minute.
const REPORTS: u32 = 60;

/// How many reports each source may still send. They concern no tenant that is known, so they count for that of the platform.
pub struct ReportBudget {
    sources: LeakyBuckets,
    platform: Option<TenantId>,
}

impl Default for ReportBudget {
    fn default() -> Self {
        let sources = LeakyBuckets::new(REPORTS, Lifetime::from_seconds(60));
        Self { sources, platform: TenantId::parse(TenantId::PLATFORM).ok() }
    }
}

impl ReportBudget {
    fn spend(&self, source: ClientAddress, now: Timestamp) -> Result<(), Failure<'static>> {
        let attempt = self.platform.as_ref().and_then(|platform| self.sources.begin(platform, source, now));
        attempt.map(drop).ok_or(Failure::TooManyReports)
    }
}

/// Strings, or what GitHub's secret scanning sends.
#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Plain { secrets: Vec<String> },
    Scanned(Vec<Scanned>),
}

#[derive(Deserialize)]
struct Scanned {
    token: String,
}

pub(crate) async fn report(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let body = raw.untyped().await?;
    let source = raw.source();
    services.report_budget.spend(source, (services.clock)())?;
    let texts = match serde_json::from_slice(&body) {
        Ok(Report::Plain { secrets }) => secrets,
        Ok(Report::Scanned(found)) => found.into_iter().map(|found| found.token).collect(),
        Err(_) => Vec::new(),
    };
    let texts = texts.iter().take(MOST).map(String::as_str);
    if services.leaks.add(texts, &source.to_string()) {
        Ok(no_store(StatusCode::ACCEPTED).finish())
    } else {
        Err(Failure::Unavailable.into())
    }
}
