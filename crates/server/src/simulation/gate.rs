//! Stops a process as SIGSTOP does: its tasks make no progress while time passes.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

use parking_lot::Mutex;

#[derive(Default)]
pub(super) struct Gate(Mutex<Stopped>);

#[derive(Default)]
struct Stopped {
    is_stopped: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    pub(super) fn stop(&self) {
        self.0.lock().is_stopped = true;
    }

    /// Lets the process continue. Events that arrived while it was stopped are handled in random order.
    pub(super) fn go_on(&self, mut below: impl FnMut(usize) -> usize) {
        let mut stopped = self.0.lock();
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
            let mut stopped = self.0.lock();
            if stopped.is_stopped {
                stopped.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            drop(stopped);
            work.as_mut().poll(context)
        })
        .await
    }
}
