//! Waits for the database on the thread of the caller, with any runtime and any clock of the caller.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Runtime};
use tokio::task::coop::unconstrained;

/// The runtime for timers and tasks of the connections.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread can be started")
});

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Returns the output of the future. A test may call this function inside and outside of its own runtime.
pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let _runtime = RUNTIME.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    // Unconstrained, because the cooperative budget of the caller's task is not refilled while it blocks.
    let mut work = pin!(unconstrained(work));
    loop {
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
