//! Sends every value of one tenant to every route of the other tenant, in both directions. A route is
//! isolated if its answer is the same as for a value that was never issued, and contains nothing of the
//! value's tenant. Afterwards the value must still be valid at its own tenant.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::Method;

use super::answer::{ComparedAnswer, ProbeAnswer};
use super::artefact::{Artefact, ValuePlace};
use super::kinds::{KINDS, ValueKind};
use super::making;
use super::platform::{ProbeRequest, ProvenPlatform};
use super::report::{IsolationLeak, TrialOutcome};
use super::routes::{ProbedRoute, RouteAccess};
use super::side::Side;

/// How many requests are sent at the same time.
const CONCURRENT: usize = 32;

/// The input that all cells share.
pub(super) struct Matrix<'a> {
    pub(super) platform: &'a ProvenPlatform,
    /// The key of a client that exists at both tenants.
    pub(super) shared: &'a keys::SigningKey,
    /// The kinds to try. Empty: all kinds.
    pub(super) only: &'a [String],
}

/// The answers of a tenant's routes to callers without a valid credential.
#[derive(Default)]
struct RefusalAnswers {
    /// The answers to requests without a credential.
    without: HashMap<String, ProbeAnswer>,
    /// The answers to values that were never issued, by route and place.
    invented: RefCell<HashMap<(String, ValuePlace), Vec<ComparedAnswer>>>,
}

impl Matrix<'_> {
    pub(super) async fn run(&self, sides: &mut [Side; 2]) -> anyhow::Result<TrialOutcome> {
        let mut outcome = TrialOutcome::default();
        for is_back in [false, true] {
            let [first, second] = sides;
            let (from, to) = if is_back { (second, &*first) } else { (first, &*second) };
            self.one_direction(from, to, &mut outcome).await?;
        }
        let [first, second] = sides;
        if self.is_tried(IDEMPOTENCY) {
            let found =
                "a repeated request with the same idempotency key got the response of the other tenant";
            let request = "POST /api/v1/tenant/{id}/clients/{client}/api-keys";
            let leak = || leak(IDEMPOTENCY, first, second, request.to_owned(), found.to_owned());
            outcome.add(IDEMPOTENCY, 1, (first.api_key == second.api_key).then(leak));
        }
        Ok(outcome)
    }

    fn is_tried(&self, kind: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == kind)
    }

    async fn one_direction(
        &self,
        from: &mut Side,
        to: &Side,
        outcome: &mut TrialOutcome,
    ) -> anyhow::Result<()> {
        let refusals = RefusalAnswers { without: self.without(from, to).await?, ..RefusalAnswers::default() };
        for kind in KINDS.iter().filter(|kind| self.is_tried(kind.name)) {
            let (cells, findings) = self.try_kind(kind, from, to, &refusals).await?;
            outcome.add(kind.name, cells, findings);
        }
        if self.is_tried(OWN_READS) {
            let (cells, findings) = self.own_reads(from, to).await?;
            outcome.add(OWN_READS, cells, findings);
        }
        Ok(())
    }

    async fn without(&self, from: &Side, to: &Side) -> anyhow::Result<HashMap<String, ProbeAnswer>> {
        let nothing = Artefact { place: ValuePlace::Bearer, beside: Vec::new() };
        let answers = stream::iter(&self.platform.routes).map(async |route| {
            let request = nothing.request(route, None, to, from, self.platform);
            anyhow::Ok((key(route), self.platform.send(&request).await?))
        });
        answers.buffer_unordered(CONCURRENT).try_collect().await
    }

    /// Tries one kind of value at all routes in one direction, and then its control.
    async fn try_kind(
        &self,
        kind: &ValueKind,
        from: &mut Side,
        to: &Side,
        refusals: &RefusalAnswers,
    ) -> anyhow::Result<(usize, Vec<IsolationLeak>)> {
        let finding = |from: &Side, request, found| leak(kind.name, from, to, request, found);
        // After a refused request, new values can still be created.
        let failed = |from: &Side, error: anyhow::Error| {
            (0, vec![finding(from, "at its own tenant".to_owned(), format!("cannot create it: {error:#}"))])
        };
        let value = match making::value(kind.what, from, to, self.platform, self.shared).await {
            Ok(value) => value,
            Err(error) => return Ok(failed(from, error)),
        };
        let artefact = match making::artefact(kind, from, &to.id, self.platform).await {
            Ok(artefact) => artefact,
            Err(error) => return Ok(failed(from, error)),
        };
        let routes: Vec<_> = self.platform.routes.iter().filter(|route| kind.place.is_at(route)).collect();
        let cells = routes.len();
        let judged = stream::iter(routes).map(async |route| {
            let found = self.judge(&artefact, route, &value, to, from, refusals).await?;
            anyhow::Ok(found.map(|found| (key(route), found)))
        });
        let judged: Vec<_> = judged.buffer_unordered(CONCURRENT).try_collect().await?;
        let mut findings: Vec<_> =
            judged.into_iter().flatten().map(|(request, found)| finding(from, request, found)).collect();
        if let Some((route, place)) = kind.control()
            && let Some(found) = self.control(kind, &route, place, &value, from).await?
        {
            findings.push(finding(from, format!("{} at its own tenant", key(&route)), found));
        }
        Ok((cells, findings))
    }

    /// Describes what is wrong with the answer to a foreign value, if anything is.
    async fn judge(
        &self,
        artefact: &Artefact,
        route: &ProbedRoute,
        value: &str,
        to: &Side,
        from: &Side,
        RefusalAnswers { without, invented }: &RefusalAnswers,
    ) -> anyhow::Result<Option<String>> {
        let foreign = self.send(artefact, route, value, to, from).await?;
        let (status, sent) = (foreign.status, artefact.sent(value, from));
        if let Some(shown) = shown(&foreign, &sent, from) {
            return Ok(Some(shown));
        }
        if foreign.begins_session() {
            return Ok(Some(format!("{status}: a person is signed in")));
        }
        if status == 429 || status >= 500 {
            return Ok(Some(format!("{status}: the request was not checked")));
        }
        let without = without.get(&key(route));
        let is_open = without.is_none_or(|without| without.status < 400);
        if artefact.place.is_credential() && !is_open && status < 400 {
            return Ok(Some(format!("{status}: the credential was accepted")));
        }
        let (said, place) = (foreign.said(&sent), (key(route), artefact.place));
        let is_ignored = without.is_some_and(|without| without.said(&[]) == said);
        if is_ignored || invented.borrow().get(&place).is_some_and(|known| known.contains(&said)) {
            return Ok(None);
        }
        let unknown = making::invented(value);
        let expected = self.send(artefact, route, &unknown, to, from).await?;
        let known = expected.said(&artefact.sent(&unknown, from));
        let is_equal = said == known;
        invented.borrow_mut().entry(place).or_default().push(known);
        let [found, expected] = [foreign, expected].map(|answer| answer.short());
        Ok((!is_equal).then(|| match found == expected {
            true => format!("{found}, but with a different body than for a value that was never issued"),
            false => format!("{found}, but {expected} for a value that was never issued"),
        }))
    }

    /// The control: whether the value no longer works at its own tenant, after all requests to the other one.
    async fn control(
        &self,
        kind: &ValueKind,
        route: &ProbedRoute,
        place: ValuePlace,
        value: &str,
        from: &mut Side,
    ) -> anyhow::Result<Option<String>> {
        let own = from.id.clone();
        let artefact = match making::artefact(kind, from, &own, self.platform).await {
            Ok(artefact) => Artefact { place, ..artefact },
            Err(error) => return Ok(Some(format!("it no longer works: {error:#}"))),
        };
        let unknown = making::invented(value);
        let expected = self.send(&artefact, route, &unknown, from, from).await?;
        let answer = self.send(&artefact, route, value, from, from).await?;
        let is_accepted = answer.status < 400 || answer.body.contains("authorization_pending");
        let is_known = is_accepted && answer.said(&[value]) != expected.said(&[&unknown]);
        Ok((!is_known).then(|| format!("{}: it is no longer accepted", answer.short())))
    }

    async fn send(
        &self,
        artefact: &Artefact,
        route: &ProbedRoute,
        value: &str,
        at: &Side,
        from: &Side,
    ) -> anyhow::Result<ProbeAnswer> {
        self.platform.send(&artefact.request(route, Some(value), at, from, self.platform)).await
    }

    /// Checks that the lists of a tenant, read by its administrator, contain nothing of the other tenant.
    async fn own_reads(&self, other: &Side, own: &Side) -> anyhow::Result<(usize, Vec<IsolationLeak>)> {
        let is_read = |route: &&ProbedRoute| {
            route.access == RouteAccess::Administration
                && route.method == Method::GET
                && route.path.starts_with("/api/v1/tenant/")
        };
        let routes: Vec<_> = self.platform.routes.iter().filter(is_read).collect();
        let cells = routes.len();
        let read = stream::iter(routes).map(async |route| {
            let path = own.path(&route.path, None);
            let answer =
                self.platform.send(&ProbeRequest::of_administrator(path, &own.administrator, None)).await?;
            let found = match answer.status {
                400.. => Some(format!("{}: the request failed", answer.short())),
                _ => shown(&answer, &[], other),
            };
            anyhow::Ok(found.map(|found| leak(OWN_READS, other, own, key(route), found)))
        });
        let found: Vec<_> = read.buffer_unordered(CONCURRENT).try_collect().await.context("a list")?;
        Ok((cells, found.into_iter().flatten().collect()))
    }
}

/// The name of the check of an administrator's lists.
pub(super) const OWN_READS: &str = "what an administrator can read";
/// The name of the check that uses the same idempotency key at both tenants.
pub(super) const IDEMPOTENCY: &str = "idempotency key";

fn leak(kind: &str, from: &Side, to: &Side, request: String, found: String) -> IsolationLeak {
    IsolationLeak { kind: kind.to_owned(), from: from.id.clone(), to: to.id.clone(), request, found }
}

fn key(route: &ProbedRoute) -> String {
    format!("{} {}", route.method, route.path)
}

/// What an answer contains of the other tenant, if anything.
fn shown(answer: &ProbeAnswer, sent: &[&str], other: &Side) -> Option<String> {
    let is_shown =
        [&other.marker, &other.id, &other.api_key_id].into_iter().any(|text| answer.shows(text, sent));
    is_shown.then(|| format!("{}: the response contains data of the other tenant", answer.status))
}
