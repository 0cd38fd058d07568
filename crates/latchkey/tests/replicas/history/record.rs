//! The history of every credential, and whether an answer is consistent with it: it must have been right at
//! some moment between the request's beginning, less the allowed propagation delay, and the answer.

use std::time::{Duration, Instant};

/// The longest propagation delay: a second, and a margin for a busy machine.
pub(super) const MAX_PROPAGATION: Duration = Duration::from_millis(1_000 + SLACK);
/// The bound after a lost message: cached rows stay fresh for ten seconds.
const MAX_PROPAGATION_AFTER_LOSS: Duration = Duration::from_millis(10_000 + SLACK);
/// The margin: a build on the same cores delays answers and notifications by as much.
/// `cargo xtask soak --only redis` measures the propagation delay on an idle machine.
const SLACK: u64 = 1_000;
/// How long a fault's effects last: until Redis is used again and a program has read what it missed.
const RECOVERY: Duration = Duration::from_secs(1);

/// A row that becomes live and revoked in turn, and how a caller observes which it is.
pub(super) struct Credential {
    pub(super) tenant: String,
    /// The client's id. For a name, the account's id.
    pub(super) client: String,
    pub(super) proof: Proof,
    /// The changes, alternately live and revoked, live first.
    pub(super) turns: Vec<Turn>,
}

/// How a caller observes the row: one way for each kind of row that replicas cache.
#[derive(Clone)]
pub(super) enum Proof {
    Secret(String),
    ApiKey(String),
    /// An access token, which the client with this secret introspects.
    Token {
        token: String,
        secret: String,
    },
    /// The `kid` of a key in the key set.
    Key(String),
    /// The name of the person of this access token.
    Name {
        token: String,
        name: String,
    },
    /// The tenant itself.
    Tenant,
}

/// A credential becomes live or revoked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) live: bool,
    /// From this instant the change may be effective.
    pub(super) begun: Instant,
    /// From this instant the change is effective.
    pub(super) acknowledged: Option<Instant>,
}

/// A fault that delays notifications or answers.
#[derive(Debug)]
pub(super) struct InjectedFault {
    /// The program of the fault. `None` is Redis.
    pub(super) replica: Option<usize>,
    pub(super) from: Instant,
    pub(super) to: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Granted,
    Refused,
    /// Answer 503: the store did not answer in time.
    Deferred,
    /// The request got no answer, or an unexpected one.
    Failed(String),
    /// A token of another client.
    Wrong,
}

/// One request.
#[derive(Debug)]
pub(super) struct Observation {
    pub(super) credential: usize,
    pub(super) replica: usize,
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) answered: Answered,
}

impl Credential {
    pub(super) fn is_live(&self) -> bool {
        self.turns.last().is_some_and(|turn| turn.live)
    }
}

impl InjectedFault {
    fn concerns(&self, requested: &Observation, earlier: Duration) -> bool {
        self.from <= requested.to && self.to + RECOVERY + earlier >= requested.from
    }
}

impl Observation {
    /// Returns the least propagation delay that explains this answer: zero if it was right at some moment of
    /// the request, `None` if it never was.
    pub(super) fn age(&self, turns: &[Turn]) -> Option<Duration> {
        let live = self.answered == Answered::Granted;
        let mut ages = Vec::new();
        // Before its first change the credential was not live.
        let mut begun = (!live).then_some(None);
        for turn in turns.iter().filter(|turn| turn.begun <= self.to) {
            if turn.live == live {
                begun = Some(Some(turn.begun));
            } else if begun.take().is_some() {
                let ended = turn.acknowledged.map(|ended| self.from.saturating_duration_since(ended));
                ages.push(ended.unwrap_or(Duration::ZERO));
            }
        }
        ages.extend(begun.map(|_| Duration::ZERO));
        ages.into_iter().min()
    }

    /// The longest allowed propagation delay for this answer.
    pub(super) fn longest(&self, faults: &[InjectedFault]) -> Duration {
        let concerns = |fault: &InjectedFault| fault.replica.is_none_or(|replica| replica == self.replica);
        let mut faults = faults.iter().filter(|fault| concerns(fault));
        if faults.any(|fault| fault.concerns(self, MAX_PROPAGATION)) {
            MAX_PROPAGATION_AFTER_LOSS
        } else {
            MAX_PROPAGATION
        }
    }

    /// Why the answer is wrong, if it is.
    pub(super) fn violation(&self, turns: &[Turn], faults: &[InjectedFault]) -> Option<String> {
        let own = |fault: &&InjectedFault| fault.replica == Some(self.replica);
        match &self.answered {
            Answered::Wrong => Some("a token of another client".to_owned()),
            Answered::Deferred => None,
            // Requests to a killed or paused program may fail.
            Answered::Failed(how) => {
                let excused = faults.iter().filter(own).any(|fault| fault.concerns(self, Duration::ZERO));
                (!excused).then(|| how.clone())
            }
            Answered::Granted | Answered::Refused => {
                let longest = self.longest(faults);
                let age = self.age(turns);
                let late = age.is_none_or(|age| age > longest);
                late.then(|| {
                    format!("{:?} needs a propagation delay of {age:?}, allowed {longest:?}", self.answered)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_may_be_as_old_as_the_propagation_bound() {
        let zero = Instant::now();
        let at = |seconds: u64| zero + Duration::from_secs(seconds);
        let turn =
            |live, begun, acknowledged| Turn { live, begun: at(begun), acknowledged: Some(at(acknowledged)) };
        // Live from 10 to 20, and again from 40 on.
        let turns = [turn(true, 10, 11), turn(false, 20, 21), turn(true, 40, 41)];
        let fault = |replica, from, to| InjectedFault { replica, from: at(from), to: at(to) };
        let (granted, refused) = (Answered::Granted, Answered::Refused);
        for (answered, from, faults, is_right) in [
            (&refused, 5, vec![], true),
            (&granted, 5, vec![], false),
            (&refused, 13, vec![], true),
            (&refused, 14, vec![], false),
            (&granted, 15, vec![], true),
            (&granted, 23, vec![], true),
            (&granted, 24, vec![], false),
            (&granted, 24, vec![fault(None, 20, 23)], true),
            (&granted, 33, vec![fault(None, 20, 32)], false),
            (&granted, 24, vec![fault(Some(1), 20, 23)], false),
            (&granted, 24, vec![fault(Some(0), 20, 23)], true),
            (&refused, 30, vec![], true),
            (&granted, 50, vec![], true),
            (&Answered::Wrong, 50, vec![fault(Some(0), 49, 51)], false),
            (&Answered::Failed("closed".to_owned()), 50, vec![fault(Some(0), 49, 51)], true),
            (&Answered::Failed("closed".to_owned()), 50, vec![fault(None, 49, 51)], false),
        ] {
            let (from, to) = (at(from), at(from));
            let requested = Observation { credential: 0, replica: 0, from, to, answered: answered.clone() };
            let violation = requested.violation(&turns, &faults);
            assert_eq!(violation.is_none(), is_right, "{requested:?} {violation:?}");
        }
    }
}
