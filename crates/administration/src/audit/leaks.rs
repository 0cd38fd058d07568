//! Credentials that somebody reported as leaked. Reports wait in memory and are checked after the reporter
//! has got an answer, so that the answer reveals nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use aws_lc_rs::digest::Digest;
use parking_lot::Mutex;
use protocol::api_key_name;
use secrets::{GeneratedSecret, has_checksum};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use values::Secret;

/// The most waiting reports, which need about 13 MiB.
const WAITING: usize = 10_000;
/// The most bytes of the text about the place of a credential and of the report's signature. Longer texts are
/// dropped.
const LONGEST: usize = 1_024;

/// Reported texts that look like a generated secret or an API key and have a correct checksum.
#[derive(Default)]
pub struct LeakReports {
    waiting: Mutex<VecDeque<LeakReport>>,
    arrived: Notify,
}

#[derive(Debug)]
pub struct LeakReport {
    pub text: Secret,
    /// Who reported the credential, as text.
    pub source: String,
    /// The place, if the report names a place and has a signature.
    pub place: Option<LeakPlace>,
}

/// The place where a credential was found.
#[derive(Clone, Debug)]
pub struct LeakPlace {
    /// The document that contains the credential.
    pub url: String,
    /// The kind of place, such as `content` or `commit`.
    pub kind: String,
    /// The signature of the report. Anyone can claim a place, so it needs a valid signature.
    pub signature: Arc<ReportSignature>,
}

/// The signature of a report, which is not verified yet.
#[derive(Debug)]
pub struct ReportSignature {
    pub key: String,
    pub text: String,
    /// SHA-256 of the report.
    pub digest: Digest,
}

impl LeakPlace {
    /// Returns `None` if a text is longer than usual.
    #[must_use]
    pub fn new(url: &str, kind: &str, signature: &Arc<ReportSignature>) -> Option<Self> {
        let is_short = url.len() + kind.len() + signature.key.len() + signature.text.len() <= LONGEST;
        let signature = Arc::clone(signature);
        is_short.then(|| Self { url: url.to_owned(), kind: kind.to_owned(), signature })
    }
}

impl LeakReports {
    /// Adds texts that may be credentials and ignores all others. Returns whether there was room.
    pub fn add<'t>(
        &self,
        found: impl IntoIterator<Item = (&'t str, Option<LeakPlace>)>,
        source: &str,
    ) -> bool {
        let reports = found.into_iter().filter(|(text, _)| is_credential(text));
        let reports = reports.map(|(text, place)| LeakReport {
            text: Secret::new(text.to_owned()),
            source: source.to_owned(),
            place,
        });
        let mut waiting = self.waiting.lock();
        let has_room = waiting.len() < WAITING;
        if has_room {
            waiting.extend(reports);
        }
        drop(waiting);
        self.arrived.notify_one();
        has_room
    }

    /// Waits for a report that has arrived since the last check.
    pub fn arrived(&self) -> Notified<'_> {
        self.arrived.notified()
    }

    #[must_use]
    pub fn take(&self) -> Option<LeakReport> {
        self.waiting.lock().pop_front()
    }

    /// Puts back a report that could not be checked, at the end of the queue, so that it does not delay
    /// others.
    pub fn give_back(&self, report: LeakReport) {
        self.waiting.lock().push_back(report);
    }
}

fn is_credential(text: &str) -> bool {
    match api_key_name(text) {
        Some(_) => has_checksum(text),
        None => GeneratedSecret::is_well_formed(text),
    }
}

#[cfg(test)]
mod tests {
    use secrets::GeneratedApiKey;

    use super::*;

    #[test]
    fn only_possible_credentials_are_queued() {
        let (secret, key) = (GeneratedSecret::generate().secret, GeneratedApiKey::generate(Some("acme")).key);
        let wrong = |text: &str| text.replace(&text[text.len() - 6..], "000000");
        let reports = LeakReports::default();
        let texts =
            [secret.expose(), key.expose(), &wrong(secret.expose()), &wrong(key.expose()), "password", ""];
        assert!(reports.add(texts.map(|text| (text, None)), "192.0.2.1"));
        let taken = std::iter::from_fn(|| reports.take()).map(|report| report.text.expose().to_owned());
        assert_eq!(taken.collect::<Vec<_>>(), [secret.expose(), key.expose()]);
    }

    // [limits #38]: reported credentials that wait | 10 000; 60 reports a minute of an address, 100 strings
    //   each | 503, 429
    #[test]
    fn queue_is_bounded() {
        let reports = LeakReports::default();
        let secret = GeneratedSecret::generate().secret;
        let texts = || std::iter::repeat_n((secret.expose(), None), WAITING);
        assert!(reports.add(texts(), "192.0.2.1"));
        assert!(!reports.add(texts(), "192.0.2.1"));
        assert_eq!(std::iter::from_fn(|| reports.take()).count(), WAITING);
    }
}
