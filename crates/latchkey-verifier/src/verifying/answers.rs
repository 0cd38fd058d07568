//! The answers of introspection by token, each used for seconds. The memory is bounded, and anyone can fill
//! it with random tokens, so tokens that were active are the last to go.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::verifying::clock::Moment;

/// How long an active answer is used, and an inactive one.
const ACTIVE: Duration = Duration::from_secs(10);
const INACTIVE: Duration = Duration::from_secs(5);
/// How long a token that was active counts as known.
const KNOWN: Duration = Duration::from_secs(60 * 60);
const MOST_ANSWERS: usize = 10_000;
/// So many answers go at once, because their order is made for each time.
const ROOM: usize = MOST_ANSWERS / 10;

/// The answers by the SHA-256 of the token.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<[u8; 32], Arc<Answer>>>);

pub(crate) struct Answer {
    at: Moment,
    /// Whether the token was active when it was introspected before.
    pub(crate) is_of_known: bool,
    /// The members of an active token. None for an inactive one.
    pub(crate) members: OnceCell<Option<Arc<str>>>,
    /// Whether the request failed. Callers that waited for it then do not repeat it one after the other.
    pub(crate) has_failed: AtomicBool,
}

impl Answers {
    /// The answer for this token: one that may still be used, or a new one.
    pub(crate) fn answer(&self, token: [u8; 32], now: Moment) -> Arc<Answer> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = answers.get(&token);
        if let Some(answer) = before.filter(|answer| answer.is_usable(now)) {
            return Arc::clone(answer);
        }
        let is_of_known = before.is_some_and(|answer| answer.shows_known(now));
        if before.is_none() && answers.len() >= MOST_ANSWERS {
            make_room(&mut answers, now);
        }
        let (members, has_failed) = (OnceCell::new(), AtomicBool::new(false));
        let answer = Arc::new(Answer { at: now, is_of_known, members, has_failed });
        answers.insert(token, Arc::clone(&answer));
        answer
    }
}

/// Forgets answers: first those of tokens that are not known, the oldest before the others.
fn make_room(answers: &mut HashMap<[u8; 32], Arc<Answer>>, now: Moment) {
    let order = answers.iter().map(|(token, answer)| (answer.shows_known(now), answer.at.monotonic, *token));
    let mut order: Vec<_> = order.collect();
    order.select_nth_unstable(ROOM);
    for (.., token) in &order[..ROOM] {
        answers.remove(token);
    }
}

impl Answer {
    fn is_usable(&self, now: Moment) -> bool {
        let kept = match self.members.get() {
            Some(Some(_)) => ACTIVE,
            Some(None) => INACTIVE,
            None if self.has_failed.load(Ordering::Relaxed) => Duration::ZERO,
            None => ACTIVE,
        };
        now.since(self.at) < kept
    }

    /// Whether the token is known: the issuer said within the hour that it is active, and nothing else since.
    fn shows_known(&self, now: Moment) -> bool {
        let was_active = self.members.get().map_or(self.is_of_known, Option::is_some);
        was_active && now.since(self.at) < KNOWN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment { monotonic: Duration::from_secs(seconds), unix: Duration::from_secs(seconds) }
    }

    fn token(number: usize) -> [u8; 32] {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&number.to_le_bytes());
        token
    }

    fn answered(answers: &Answers, number: usize, now: u64, members: Option<&str>) {
        answers.answer(token(number), at(now)).members.set(members.map(Into::into)).unwrap();
    }

    fn is_there(answers: &Answers, number: usize) -> bool {
        answers.0.lock().unwrap().contains_key(&token(number))
    }

    // [shared 2.16]
    #[test]
    fn unknown_token_flood_evicts_no_known_token() {
        let answers = Answers::default();
        answered(&answers, 0, 0, Some("{}"));
        answered(&answers, 1, 1, None);
        for number in 2..3 * MOST_ANSWERS {
            drop(answers.answer(token(number), at(2 + number as u64 / 1_000)));
            assert!(answers.0.lock().unwrap().len() <= MOST_ANSWERS);
        }
        assert!(is_there(&answers, 0) && !is_there(&answers, 1));
        assert!(is_there(&answers, 3 * MOST_ANSWERS - 1) && !is_there(&answers, MOST_ANSWERS));
    }

    #[test]
    fn oldest_known_tokens_are_evicted_if_all_are_known() {
        let answers = Answers::default();
        for number in 0..=MOST_ANSWERS {
            answered(&answers, number, number as u64 / 100, Some("{}"));
        }
        assert!(!is_there(&answers, ROOM / 2) && is_there(&answers, MOST_ANSWERS / 2));
        assert_eq!(answers.0.lock().unwrap().len(), MOST_ANSWERS - ROOM + 1);
    }

    #[test]
    fn token_stays_known_for_an_hour_or_until_inactive() {
        let answers = Answers::default();
        let is_known = |number, now| answers.answer(token(number), at(now)).is_of_known;
        answered(&answers, 0, 0, Some("{}"));
        answered(&answers, 1, 0, Some("{}"));
        answered(&answers, 2, 0, None);
        assert!(!is_known(2, 10) && is_known(0, 10) && !is_known(1, 3_600));
        // The token stays known after a failed request.
        answers.answer(token(0), at(10)).has_failed.store(true, Ordering::Relaxed);
        assert!(is_known(0, 11));
        answered(&answers, 0, 22, None);
        assert!(!is_known(0, 30));
    }
}
