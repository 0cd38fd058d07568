//! A timer that ends at the given time plus a random part of a millisecond. The runtime's timers end whole
//! milliseconds after their thread last slept, so the response time would reveal how long the thread had
//! worked before. CPU caches reveal about 20 microseconds more, which the random part hides.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::random::random_bytes;

/// A thread that sleeps until the next of many times. It ends when this value is dropped.
pub struct PreciseTimer(Sender<Wait>);

struct Wait {
    until: Instant,
    ended: oneshot::Sender<()>,
}

impl PreciseTimer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system cannot create a thread.
    pub fn start() -> io::Result<Self> {
        let (sender, waits) = channel();
        thread::Builder::new().name("exact-timer".to_owned()).spawn(move || run(&waits))?;
        Ok(Self(sender))
    }

    /// Waits for this time and a random part of a millisecond.
    pub async fn sleep(&self, span: Duration) {
        let (ended, end) = oneshot::channel();
        let random =
            Duration::from_nanos(u64::from(u16::from_le_bytes(*random_bytes())) * 1_000_000 / 65_536);
        let wait = Wait { until: Instant::now() + span + random, ended };
        if self.0.send(wait).is_ok() {
            // The thread answers every wait, so an error can be ignored.
            let _ = end.await;
        }
    }
}

/// Waits until this time, with the precise timer if there is one. Tests with a paused clock need the
/// runtime's timer.
pub async fn wait_until(timer: Option<&PreciseTimer>, instant: tokio::time::Instant) {
    match timer {
        Some(timer) => timer.sleep(instant.saturating_duration_since(tokio::time::Instant::now())).await,
        None => tokio::time::sleep_until(instant).await,
    }
}

fn run(arriving: &Receiver<Wait>) {
    let mut waits: BTreeMap<(Instant, u64), oneshot::Sender<()>> = BTreeMap::new();
    let mut count = 0;
    loop {
        let arrived = match waits.first_key_value() {
            Some(((until, _), _)) => arriving.recv_timeout(until.saturating_duration_since(Instant::now())),
            None => arriving.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match arrived {
            Ok(Wait { until, ended }) => {
                count += 1;
                waits.insert((until, count), ended);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        while let Some(wait) = waits.first_entry().filter(|wait| wait.key().0 <= now) {
            // The caller may have gone away.
            let _ = wait.remove().send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_end_in_order_and_never_early() {
        let timer = PreciseTimer::start().unwrap();
        let began = Instant::now();
        let wait = async |milliseconds| {
            timer.sleep(Duration::from_millis(milliseconds)).await;
            assert!(began.elapsed() >= Duration::from_millis(milliseconds));
        };
        tokio::join!(wait(60), wait(20), wait(0));
        tokio::select! {
            biased;
            () = wait(300) => panic!("the longer wait ended first"),
            () = wait(100) => {}
        }
    }

    #[tokio::test]
    async fn abandoned_waits_do_not_block_others() {
        let timer = PreciseTimer::start().unwrap();
        for _ in 0..100 {
            let given_up = timer.sleep(Duration::from_secs(3_600));
            assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
        }
        timer.sleep(Duration::from_millis(1)).await;
    }
}
