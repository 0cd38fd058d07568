//! What a scenario measured, and the promises that hold in all of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::load::{Asked, Asked3, Write};

/// A second, and a margin for a busy machine.
pub(crate) const WORKING_AGAIN: Duration = Duration::from_secs(5);

pub(crate) struct Outcome {
    pub(crate) fault: &'static str,
    pub(crate) asked: Asked3,
    /// When the fault began.
    pub(crate) began: Instant,
    /// When the new primary took writes behind HAProxy. `None` if there was no new primary.
    pub(crate) promoted: Option<Instant>,
}

/// Names of clients, each with its tenant.
pub(crate) type Names = BTreeSet<(usize, String)>;

impl Outcome {
    /// Cached clients get their tokens. All others get an answer or a 503 that says when to try again.
    pub(crate) fn check_answers(&self) {
        let Asked3 { warm, cold, writes } = &self.asked;
        let failed: Vec<_> = warm.iter().filter(|asked| asked.status() != 200).collect();
        assert!(
            failed.is_empty(),
            "{} of {} cached clients failed: {:#?}",
            failed.len(),
            warm.len(),
            failed[0]
        );
        let unclean = |asked: &&Asked, good: u16| asked.status() != good && !asked.is_clean_503();
        let found = cold.iter().find(|asked| unclean(asked, 200));
        assert!(found.is_none(), "of {} clients that are not cached: {found:#?}", cold.len());
        let found = writes.iter().find(|write| unclean(&&write.asked, 201));
        assert!(found.is_none(), "of {} writes: {found:#?}", writes.len());
        assert!(warm.len() > 200 && cold.len() > 50 && writes.len() > 50, "too few to mean anything");
    }

    /// The first token of a client that is not cached and the first write follow the promotion.
    pub(crate) fn check_working_again(&self) {
        let promoted = self.promoted.expect("there is a new primary");
        for (what, waited) in [("token", self.first_cold(promoted)), ("write", self.first_write(promoted))] {
            let waited = waited.unwrap_or_else(|| panic!("no {what} after the promotion"));
            assert!(waited < WORKING_AGAIN, "the first {what} comes {waited:?} after the promotion");
        }
    }

    fn first_cold(&self, since: Instant) -> Option<Duration> {
        first(self.asked.cold.iter().filter(|asked| asked.status() == 200), since)
    }

    fn first_write(&self, since: Instant) -> Option<Duration> {
        let done = self.asked.writes.iter().filter(|write| write.is_acknowledged());
        first(done.map(|write| &write.asked), since)
    }

    pub(crate) fn acknowledged(&self) -> Names {
        let done = self.asked.writes.iter().filter(|write| write.is_acknowledged());
        done.map(|write| (write.tenant, write.name.clone())).collect()
    }

    /// The acknowledged writes that were sent and answered between these times.
    pub(crate) fn acknowledged_between(&self, from: Instant, to: Instant) -> Names {
        let is_meant =
            |write: &&Write| write.is_acknowledged() && write.asked.began > from && write.asked.ended < to;
        let meant = self.asked.writes.iter().filter(is_meant);
        meant.map(|write| (write.tenant, write.name.clone())).collect()
    }

    /// Prints a line for the table in docs/reliability.md.
    pub(crate) fn print(&self, lost: usize, done_without_answer: usize, more: &str) {
        let Asked3 { warm, cold, writes } = &self.asked;
        let refused = |asked: &mut dyn Iterator<Item = &Asked>| {
            let refused: Vec<_> = asked.filter(|asked| asked.is_clean_503()).collect();
            if refused.is_empty() {
                return "0 x 503".to_owned();
            }
            let longest = refused.iter().map(|asked| asked.ended - asked.began).max().unwrap_or_default();
            let spell = refused
                .iter()
                .map(|asked| asked.ended)
                .max()
                .zip(refused.iter().map(|asked| asked.began).min());
            let spell = spell.map_or(Duration::ZERO, |(last, first)| last - first);
            format!("{} x 503 within {spell:.1?} (longest {longest:.1?})", refused.len())
        };
        let longest = warm.iter().map(|asked| asked.ended - asked.began).max().unwrap_or_default();
        let mut line = format!(
            "measured: {}: cached {} of {} failed (longest {longest:.0?}); not cached {} of {}; writes {} of {}; \
             {lost} of {} acknowledged writes lost; {done_without_answer} done without an acknowledgement",
            self.fault,
            warm.iter().filter(|asked| asked.status() != 200).count(),
            warm.len(),
            refused(&mut cold.iter()),
            cold.len(),
            refused(&mut writes.iter().map(|write| &write.asked)),
            writes.len(),
            self.acknowledged().len(),
        );
        if let Some(promoted) = self.promoted {
            write!(
                line,
                "; new primary after {:.1?}; then first token after {:.2?}, first write after {:.2?}",
                promoted - self.began,
                self.first_cold(promoted).unwrap_or_default(),
                self.first_write(promoted).unwrap_or_default(),
            )
            .unwrap();
        }
        eprintln!("{line}; {more}");
    }
}

/// How long after `since` the first of these answers came.
fn first<'a>(asked: impl Iterator<Item = &'a Asked>, since: Instant) -> Option<Duration> {
    asked.map(|asked| asked.ended).filter(|ended| *ended > since).min().map(|ended| ended - since)
}
