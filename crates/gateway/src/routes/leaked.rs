//! `POST /api/v1/secrets/leaked`: reports secrets or API keys that were found where they should not be. A
//! reporter has the credentials, so a report needs no proof. The response is the same for all reports, and it
//! is sent before any search.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web::Data;
use administration::{LeakPlace, ReportSignature};
use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

use crate::Services;
use crate::request::{RawRequest, ServerFailure};
use crate::respond::{OAuthResult, no_store};

/// The most texts of one report; further ones are left out.
const MOST: usize = 100;
/// The key and the signature of a report that GitHub has sent.
const SIGNED_BY: [HeaderName; 2] = [
    HeaderName::from_static("github-public-key-identifier"),
    HeaderName::from_static("github-public-key-signature"),
];

/// Strings, or what GitHub's secret scanning sends.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReportBody {
    Plain { secrets: Vec<String> },
    Scanned(Vec<Scanned>),
}

#[derive(Deserialize)]
struct Scanned {
    token: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    source: String,
}

pub(crate) async fn report(services: Data<Services>, mut raw: RawRequest) -> OAuthResult {
    let body = raw.untyped().await?;
    let source = raw.source();
    services.report_budget.spend(source, (services.clock)())?;
    let found = match serde_json::from_slice(&body) {
        Ok(ReportBody::Plain { secrets }) => secrets.into_iter().map(Scanned::alone).collect(),
        Ok(ReportBody::Scanned(found)) => found,
        Err(_) => Vec::new(),
    };
    let signature = signature(raw.headers(), &body).map(Arc::new);
    let found = found.iter().take(MOST).map(|Scanned { token, url, source }| {
        (token.as_str(), signature.as_ref().and_then(|signature| LeakPlace::new(url, source, signature)))
    });
    if services.leaks.add(found, &source.to_string()) {
        Ok(no_store(StatusCode::ACCEPTED).finish())
    } else {
        Err(ServerFailure::Unavailable.into())
    }
}

fn signature(headers: &HeaderMap, body: &[u8]) -> Option<ReportSignature> {
    let [key, text] = SIGNED_BY.map(|name| headers.get(name)?.to_str().ok().map(str::to_owned));
    Some(ReportSignature { key: key?, text: text?, digest: digest(&SHA256, body) })
}

impl Scanned {
    fn alone(token: String) -> Self {
        Self { token, url: String::new(), source: String::new() }
    }
}
