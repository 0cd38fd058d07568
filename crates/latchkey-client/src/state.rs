//! The states of one cached token: which callers get a token or wait, when a renewal begins, and the effect
//! of a failure. This code is pure.

use std::time::Duration;

use crate::moment::ClockReading;
use crate::schedule::{Phase, Schedule};

/// A token that replaced a refused one is not dropped again within this time, so a service that refuses every
/// token causes only one fetch in it.
const YOUNG: Duration = Duration::from_secs(5);

/// Pauses after failures double up to this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// A longer `Retry-After` is obeyed for this time only: no state is permanent.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// When the request for a token began, and what follows from its lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) begun: ClockReading,
    pub(crate) schedule: Schedule,
}

impl Life {
    pub(crate) fn phase(self, now: ClockReading) -> Phase {
        self.schedule.phase(now.since(self.begun))
    }

    pub(crate) fn rest(self, now: ClockReading) -> Duration {
        self.schedule.lifetime().saturating_sub(now.since(self.begun))
    }

    /// A token with a lifetime of zero: waiting callers get it, and it is not cached.
    pub(crate) const fn is_for_once(self) -> bool {
        self.schedule.lifetime().is_zero()
    }
}

/// A value that can be cached.
pub(crate) trait Cacheable: Clone {
    fn life(&self) -> Life;
    fn is(&self, other: &Self) -> bool;
}

/// How long no renewal begins after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pause {
    /// The server may recover at any time: the pause grows with each failure, and lasts only as long as a
    /// token can be served.
    WhileServed,
    /// A repeated request would fail, too: the pause grows with each failure. Callers without a token get the
    /// same error.
    Growing,
    /// The pause that the server demands. Callers without a token get the same error.
    Asked(Duration),
}

/// An event.
#[derive(Debug)]
pub(crate) enum Event<T, E> {
    /// A caller wants a token.
    Wanted,
    /// The renewal brought a token.
    Fetched(T),
    /// The renewal brought none.
    Failed(E, Pause),
    /// The token was refused where it was sent.
    Refused(T),
}

/// The next step of the caller or of the entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action<T, E> {
    /// Use this token.
    Serve(T),
    /// Use this token, and begin a renewal.
    ServeAndBegin(T),
    /// Wait for the renewal, after beginning it if `begin` is set. If it fails, use the token, if there is
    /// one.
    Wait { begin: bool, otherwise: Option<T> },
    /// Fail; a renewal may begin after this time.
    Fail(E, Duration),
    /// The refused token was the cached one, and is dropped.
    Dropped,
    /// No step.
    Nothing,
}

/// The state of one token.
#[derive(Debug)]
pub(crate) struct TokenState<T, E> {
    cached: Option<T>,
    is_fetching: bool,
    /// Whether the next token, or the cached one, replaces a refused one.
    replaces_refused: bool,
    failures: u32,
    paused: Option<Paused<E>>,
}

#[derive(Debug)]
struct Paused<E> {
    error: E,
    from: ClockReading,
    length: Duration,
    only_while_served: bool,
}

impl<E> Paused<E> {
    fn rest(&self, now: ClockReading) -> Option<Duration> {
        self.length.checked_sub(now.since(self.from)).filter(|rest| !rest.is_zero())
    }
}

impl<T: Cacheable, E: Clone> TokenState<T, E> {
    pub(crate) const fn new() -> Self {
        Self { cached: None, is_fetching: false, replaces_refused: false, failures: 0, paused: None }
    }

    pub(crate) fn step(&mut self, event: Event<T, E>, now: ClockReading) -> Action<T, E> {
        match event {
            Event::Wanted => return self.wanted(now),
            Event::Refused(token) => return self.refused(&token, now),
            Event::Fetched(token) => {
                (self.is_fetching, self.failures, self.paused) = (false, 0, None);
                if token.life().phase(now) != Phase::Ended {
                    self.cached = Some(token);
                }
            }
            // The cached token stays: a failed renewal never displaces a good token.
            Event::Failed(error, pause) => {
                self.is_fetching = false;
                self.failures = self.failures.saturating_add(1);
                self.paused = Some(self.pause(error, pause, now));
            }
        }
        Action::Nothing
    }

    fn wanted(&mut self, now: ClockReading) -> Action<T, E> {
        let paused = self.paused.as_ref().and_then(|paused| Some((paused, paused.rest(now)?)));
        let cached = self.cached.clone();
        match cached.as_ref().map_or(Phase::Ended, |token| token.life().phase(now)) {
            Phase::Fresh => cached.map_or(Action::Nothing, Action::Serve),
            Phase::Due | Phase::Last if paused.is_some() => cached.map_or(Action::Nothing, Action::Serve),
            Phase::Due if self.is_fetching => cached.map_or(Action::Nothing, Action::Serve),
            Phase::Due => {
                self.is_fetching = true;
                cached.map_or(Action::Nothing, Action::ServeAndBegin)
            }
            Phase::Last => self.wait(cached),
            Phase::Ended => match paused {
                Some((paused, rest)) if !self.is_fetching && !paused.only_while_served => {
                    Action::Fail(paused.error.clone(), rest)
                }
                _ => self.wait(None),
            },
        }
    }

    fn wait(&mut self, otherwise: Option<T>) -> Action<T, E> {
        let begin = !self.is_fetching;
        self.is_fetching = true;
        Action::Wait { begin, otherwise }
    }

    /// Compares and clears: one of many callers with the same refused token drops it.
    fn refused(&mut self, token: &T, now: ClockReading) -> Action<T, E> {
        let Some(cached) = self.cached.as_ref().filter(|cached| cached.is(token)) else {
            return Action::Nothing;
        };
        if self.replaces_refused && now.since(cached.life().begun) < YOUNG {
            return Action::Nothing;
        }
        self.cached = None;
        self.replaces_refused = true;
        Action::Dropped
    }

    fn pause(&self, error: E, pause: Pause, now: ClockReading) -> Paused<E> {
        let doublings = self.failures.saturating_sub(1).min(5);
        let growing = Duration::from_secs(1 << doublings).min(LONGEST_BACKOFF);
        let (length, only_while_served) = match pause {
            Pause::WhileServed => (growing, true),
            Pause::Growing => (growing, false),
            Pause::Asked(length) => (length.min(LONGEST_PAUSE), false),
        };
        Paused { error, from: now, length, only_while_served }
    }

    /// The cached token, however old.
    pub(crate) const fn cached(&self) -> Option<&T> {
        self.cached.as_ref()
    }

    pub(crate) fn forget(&mut self) {
        self.cached = None;
    }

    pub(crate) const fn is_fetching(&self) -> bool {
        self.is_fetching
    }

    /// How long callers without a token get the last failure without a request.
    pub(crate) fn refusal(&self, now: ClockReading) -> Option<Duration> {
        self.paused.as_ref().filter(|paused| !paused.only_while_served)?.rest(now)
    }

    /// The last failure, if no token came since, and how long no renewal begins.
    pub(crate) fn failure(&self, now: ClockReading) -> Option<(&E, Duration)> {
        self.paused.as_ref().map(|paused| (&paused.error, paused.rest(now).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Token {
        number: u64,
        life: Life,
    }

    impl Cacheable for Token {
        fn life(&self) -> Life {
            self.life
        }

        fn is(&self, other: &Self) -> bool {
            self.number == other.number
        }
    }

    type Tested = TokenState<Token, &'static str>;

    fn at(seconds: u64) -> ClockReading {
        let span = Duration::from_secs(seconds);
        ClockReading { monotonic: span, wall: span + Duration::from_secs(1_000_000) }
    }

    fn token(number: u64, begun: u64, lifetime: u64) -> Token {
        let schedule = Schedule::new(Duration::from_secs(lifetime), 0.0);
        Token { number, life: Life { begun: at(begun), schedule } }
    }

    const BEGINS: Action<Token, &str> = Action::Wait { begin: true, otherwise: None };

    fn with_token() -> Tested {
        let mut state = Tested::new();
        assert_eq!(state.step(Event::Wanted, at(0)), BEGINS);
        assert_eq!(state.step(Event::Wanted, at(0)), Action::Wait { begin: false, otherwise: None });
        state.step(Event::Fetched(token(1, 0, 3600)), at(0));
        state
    }

    #[test]
    fn callers_wait_for_renewal_only_near_expiry() {
        let mut state = with_token();
        let first = token(1, 0, 3600);
        assert_eq!(state.step(Event::Wanted, at(3299)), Action::Serve(first));
        assert_eq!(state.step(Event::Wanted, at(3300)), Action::ServeAndBegin(first));
        assert_eq!(state.step(Event::Wanted, at(3300)), Action::Serve(first));
        let waits = Action::Wait { begin: false, otherwise: Some(first) };
        assert_eq!(state.step(Event::Wanted, at(3591)), waits);
        state.step(Event::Fetched(token(2, 3300, 3600)), at(3592));
        assert_eq!(state.step(Event::Wanted, at(3592)), Action::Serve(token(2, 3300, 3600)));
    }

    #[test]
    fn failure_keeps_the_token_and_backs_off() {
        let mut state = with_token();
        let first = token(1, 0, 3600);
        let mut now = 3300;
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(state.step(Event::Wanted, at(now)), Action::ServeAndBegin(first), "{now}");
            state.step(Event::Failed("down", Pause::WhileServed), at(now));
            assert_eq!(state.step(Event::Wanted, at(now + pause - 1)), Action::Serve(first), "{now}");
            now += pause;
        }
        // When the token has expired, the next caller begins a request immediately, regardless of the pause.
        state.step(Event::Failed("down", Pause::WhileServed), at(3599));
        assert_eq!(state.step(Event::Wanted, at(3600)), BEGINS);
    }

    #[test]
    fn a_rejection_is_remembered_for_a_while() {
        for (pause, seconds) in [(Pause::Growing, 1), (Pause::Asked(Duration::from_secs(60)), 60)] {
            let mut state = Tested::new();
            state.step(Event::Wanted, at(0));
            state.step(Event::Failed("no", pause), at(0));
            assert_eq!(state.step(Event::Wanted, at(0)), Action::Fail("no", Duration::from_secs(seconds)));
            assert_eq!(state.step(Event::Wanted, at(seconds)), BEGINS);
        }
        let mut state = Tested::new();
        state.step(Event::Failed("no", Pause::Asked(Duration::MAX)), at(0));
        assert_eq!(state.step(Event::Wanted, at(300)), BEGINS);
    }

    #[test]
    fn a_refused_token_is_dropped_once() {
        let mut state = with_token();
        let (first, second, third) = (token(1, 0, 3600), token(2, 10, 3600), token(3, 20, 3600));
        assert_eq!(state.step(Event::Refused(second), at(10)), Action::Nothing);
        assert_eq!(state.step(Event::Refused(first), at(10)), Action::Dropped);
        assert_eq!(state.step(Event::Refused(first), at(10)), Action::Nothing);
        assert_eq!(state.step(Event::Wanted, at(10)), BEGINS);
        state.step(Event::Fetched(second), at(11));
        assert_eq!(state.step(Event::Refused(second), at(14)), Action::Nothing);
        assert_eq!(state.step(Event::Wanted, at(14)), Action::Serve(second));
        assert_eq!(state.step(Event::Refused(second), at(15)), Action::Dropped);
        state.step(Event::Wanted, at(20));
        state.step(Event::Fetched(third), at(20));
        assert_eq!(state.step(Event::Wanted, at(20)), Action::Serve(third));
    }

    #[test]
    fn token_without_lifetime_is_not_cached() {
        let mut state = with_token();
        state.step(Event::Wanted, at(3300));
        state.step(Event::Fetched(token(2, 3300, 0)), at(3300));
        assert_eq!(state.cached(), Some(&token(1, 0, 3600)));
    }

    #[derive(Debug, Clone)]
    enum Happening {
        Wanted,
        Fetched(u64),
        Failed(u64),
        Refused,
        Passes(u64),
        Suspended(u64),
        SetBack(u64),
    }

    fn happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            4 => Just(Happening::Wanted),
            2 => (0_u64..5000).prop_map(Happening::Fetched),
            2 => (0_u64..100).prop_map(Happening::Failed),
            1 => Just(Happening::Refused),
            3 => (0_u64..1000).prop_map(Happening::Passes),
            1 => (0_u64..100_000).prop_map(Happening::Suspended),
            1 => (0_u64..100_000).prop_map(Happening::SetBack),
        ]
    }

    proptest! {
        #[test]
        fn invariants_hold_in_any_event_order(happenings in prop::collection::vec(happening(), 0..200)) {
            let mut state = Tested::new();
            let mut now = at(0);
            let mut flight: Option<ClockReading> = None;
            let mut number = 0;
            let mut served = None;
            for happening in happenings {
                let had = state.cached().copied();
                match happening {
                    Happening::Wanted => {
                        let action = state.step(Event::Wanted, now);
                        let (token, begins) = match action {
                            Action::Serve(token) => (Some(token), false),
                            Action::ServeAndBegin(token) => (Some(token), true),
                            Action::Wait { begin, otherwise } => {
                                prop_assert!(begin || flight.is_some(), "waits for nothing");
                                (otherwise, begin)
                            }
                            Action::Fail(..) => (None, false),
                            other => panic!("{other:?} is no answer to a caller"),
                        };
                        // Callers never get an expired token, and always get a token while one is valid.
                        if let Some(token) = token {
                            prop_assert!(token.life.phase(now) != Phase::Ended);
                            served = Some(token);
                        } else {
                            prop_assert!(had.is_none_or(|token| token.life.phase(now) == Phase::Ended));
                        }
                        if begins {
                            prop_assert!(flight.is_none(), "two renewals at once");
                            flight = Some(now);
                        }
                    }
                    Happening::Fetched(lifetime) => if let Some(begun) = flight.take() {
                        number += 1;
                        let schedule = Schedule::new(Duration::from_secs(lifetime), 0.5);
                        let token = Token { number, life: Life { begun, schedule } };
                        state.step(Event::Fetched(token), now);
                        // Callers get the first good answer after an outage.
                        if token.life.phase(now) == Phase::Fresh {
                            prop_assert_eq!(state.step(Event::Wanted, now), Action::Serve(token));
                        }
                    },
                    Happening::Failed(seconds) => if flight.take().is_some() {
                        let pause = match seconds % 3 {
                            0 => Pause::WhileServed,
                            1 => Pause::Growing,
                            _ => Pause::Asked(Duration::from_secs(seconds)),
                        };
                        state.step(Event::Failed("no", pause), now);
                        prop_assert_eq!(state.cached().copied(), had);
                    },
                    Happening::Refused => if let Some(token) = served {
                        state.step(Event::Refused(token), now);
                    },
                    Happening::Passes(seconds) => {
                        now.monotonic += Duration::from_secs(seconds);
                        now.wall += Duration::from_secs(seconds);
                    }
                    Happening::Suspended(seconds) => now.wall += Duration::from_secs(seconds),
                    Happening::SetBack(seconds) => now.wall = now.wall.saturating_sub(Duration::from_secs(seconds)),
                }
            }
            // No failure is permanent: after the longest pause a renewal begins.
            if flight.is_none() {
                now.monotonic += Duration::from_secs(20_000);
                prop_assert_eq!(state.step(Event::Wanted, now), BEGINS);
            }
        }
    }
}
