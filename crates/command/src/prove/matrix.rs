//! Sends every value of one tenant to every route of the other one, in both directions. A value is worth
//! nothing where the answer is the same as that to a value that was never issued, and shows nothing of its
//! tenant. Afterwards it is still worth something at its own tenant.

use std::cell::RefCell;
use std::collections::HashMap;

use anyhow::Context as _;
use futures_util::{StreamExt as _, stream};
use reqwest::Method;

use super::answer::{ComparedAnswer, ProbeAnswer};
use super::artefact::{Artefact, ValuePlace};
use super::kinds::{KINDS, ValueKind};
use super::making;
use super::platform::{ProbeRequest, ProvenPlatform};
use super::report::{IsolationLeak, TrialOutcome};
use super::routes::{ProbedRoute, RouteAccess};
use super::side::Side;

/// Requests that are sent at once.
const CONCURRENT: usize = 32;

/// What is the same in all cells.
pub(super) struct Matrix<'a> {
    pub(super) platform: &'a ProvenPlatform,
    /// The key of a client that both tenants have.
    pub(super) shared: &'a keys::SigningKey,
    /// The kinds that are tried; empty: all of them.
    pub(super) only: &'a [String],
}

/// What the routes of a tenant answer to those who have nothing of it.
#[derive(Default)]
struct RefusalAnswers {
    /// Without a credential.
    without: HashMap<String, ProbeAnswer>,
    /// To values that were never issued, by route and place.
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
            let is_same = first.api_key == second.api_key;
            let finding = is_same.then(|| IsolationLeak {
                kind: IDEMPOTENCY.to_owned(),
                from: first.id.clone(),
                to: second.id.clone(),
                request: "POST /api/v1/tenant/{id}/clients/{client}/api-keys".to_owned(),
                found: "the same key of the other tenant has the first one's answer".to_owned(),
            });
            outcome.add(IDEMPOTENCY, 1, finding);
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

    /// The answers to requests without a credential.
    async fn without(&self, from: &Side, to: &Side) -> anyhow::Result<HashMap<String, ProbeAnswer>> {
        let nothing = Artefact { place: ValuePlace::Bearer, beside: Vec::new() };
        let answers = stream::iter(&self.platform.routes).map(async |route| {
            let request = nothing.request(route, None, to, from, self.platform);
            anyhow::Ok((key(route), self.platform.send(&request).await?))
        });
        answers.buffer_unordered(CONCURRENT).collect::<Vec<_>>().await.into_iter().collect()
    }

    /// The cells of a kind in one direction, and its control.
    async fn try_kind(
        &self,
        kind: &ValueKind,
        from: &mut Side,
        to: &Side,
        refusals: &RefusalAnswers,
    ) -> anyhow::Result<(usize, Vec<IsolationLeak>)> {
        let finding = |from: &Side, request: String, found: String| IsolationLeak {
            kind: kind.name.to_owned(),
            from: from.id.clone(),
            to: to.id.clone(),
            request,
            found,
        };
        // After a request that was refused, everything can be made as before.
        let failed = |from: &Side, error: anyhow::Error| {
            (0, vec![finding(from, "at its own tenant".to_owned(), format!("it cannot be made: {error:#}"))])
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
        let judged: Vec<_> = judged.buffer_unordered(CONCURRENT).collect().await;
        let judged = judged.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let mut findings: Vec<_> =
            judged.into_iter().flatten().map(|(request, found)| finding(from, request, found)).collect();
        if let Some((route, place)) = kind.control()
            && let Some(found) = self.control(kind, &route, place, &value, from).await?
        {
            findings.push(finding(from, format!("{} at its own tenant", key(&route)), found));
        }
        Ok((cells, findings))
    }

    /// What is wrong with the answer to a foreign value, if anything is.
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
            return Ok(Some(format!("{status}: the request was not judged")));
        }
        let without = without.get(&key(route));
        let is_open = without.is_none_or(|without| without.status < 400);
        if artefact.place.is_credential() && !is_open && status < 400 {
            return Ok(Some(format!("{status}: the credential is accepted")));
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
            true => format!("{found}, with another body than for a value that was never issued"),
            false => format!("{found}, and {expected} to a value that was never issued"),
        }))
    }

    /// Whether the value is not worth anything at its own tenant, after all requests at the other one.
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
            Err(error) => return Ok(Some(format!("it cannot be used any more: {error:#}"))),
        };
        let unknown = making::invented(value);
        let expected = self.send(&artefact, route, &unknown, from, from).await?;
        let answer = self.send(&artefact, route, value, from, from).await?;
        let is_accepted = answer.status < 400 || answer.body.contains("authorization_pending");
        let is_known = is_accepted && answer.said(&[value]) != expected.said(&[&unknown]);
        Ok((!is_known).then(|| format!("{}: it is not accepted any more", answer.short())))
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

    /// What the administrator of a tenant reads there shows nothing of the other one.
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
                400.. => Some(format!("{}: it is not answered", answer.short())),
                _ => shown(&answer, &[], other),
            };
            anyhow::Ok(found.map(|found| IsolationLeak {
                kind: OWN_READS.to_owned(),
                from: other.id.clone(),
                to: own.id.clone(),
                request: key(route),
                found,
            }))
        });
        let found: Vec<_> = read.buffer_unordered(CONCURRENT).collect().await;
        let found: Vec<_> = found.into_iter().collect::<anyhow::Result<Vec<_>>>().context("a list")?;
        Ok((cells, found.into_iter().flatten().collect()))
    }
}

/// What an administrator reads of its own tenant.
pub(super) const OWN_READS: &str = "what an administrator reads";
/// The same key at both tenants.
pub(super) const IDEMPOTENCY: &str = "idempotency key";

fn key(route: &ProbedRoute) -> String {
    format!("{} {}", route.method, route.path)
}

/// What an answer shows of a tenant that it is not of.
fn shown(answer: &ProbeAnswer, sent: &[&str], other: &Side) -> Option<String> {
    let is_shown =
        [&other.marker, &other.id, &other.api_key_id].into_iter().any(|text| answer.shows(text, sent));
    is_shown.then(|| format!("{}: the answer shows data of the other tenant", answer.status))
}
