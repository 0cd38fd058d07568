//! Stops a process as SIGSTOP does: its tasks make no progress while time passes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

#[derive(Default)]
pub(super) struct Gate(Mutex<Stopped>);

#[derive(Default)]
struct Stopped {
    is_stopped: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    pub(super) fn stop(&self) {
        self.stopped().is_stopped = true;
    }

    /// Lets the process continue. Events that arrived while it was stopped are handled in random order.
    pub(super) fn go_on(&self, mut below: impl FnMut(usize) -> usize) {
        let mut stopped = self.stopped();
        stopped.is_stopped = false;
        let waiting = &mut stopped.waiting;
        for place in (1..waiting.len()).rev() {
            waiting.swap(place, below(place + 1));
        }
        waiting.drain(..).for_each(Waker::wake);
    }

    /// Runs this work as a part of the process.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let mut stopped = self.stopped();
            if stopped.is_stopped {
                stopped.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            drop(stopped);
            work.as_mut().poll(context)
        })
        .await
    }

    fn stopped(&self) -> MutexGuard<'_, Stopped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
