//! Callers behind a load balancer, while the first of two programs shuts down gracefully and the second takes
//! over. No caller may notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::program::Program;
use crate::running::{credentials, tenant_path};

/// State that callers and their load balancer share.
struct Balanced {
    urls: [String; 2],
    /// The index of the program that was last ready.
    to: AtomicUsize,
    ended: AtomicBool,
    answered: [AtomicUsize; 2],
}

/// Callers keep their connections, like services. One in three opens a new one for each request, like a
/// script.
const CALLERS: usize = 6;

/// Stops the first program under load, after both have served all clients.
pub(crate) async fn assert_none_dropped(
    programs: [Program; 2],
    requested: [(&'static str, &'static str); 2],
) {
    let balanced = Arc::new(Balanced {
        urls: programs.each_ref().map(|program| program.url("")),
        to: AtomicUsize::new(0),
        ended: AtomicBool::new(false),
        answered: Default::default(),
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(balance(Arc::clone(&balanced)));
    for caller in 0..CALLERS {
        tasks.spawn(call(Arc::clone(&balanced), caller, requested[caller % 2]));
    }
    balanced.until_answered_by(0, &mut tasks).await;
    let [first, second] = programs;
    let mark = first.mark();
    let stopped = tokio::task::spawn_blocking(move || {
        first.signal("TERM");
        first.log_after(mark, "not ready: serving requests");
        first.stop_after_signal();
    });
    stopped.await.unwrap();
    assert_eq!(balanced.to.load(Ordering::SeqCst), 1);
    balanced.until_answered_by(1, &mut tasks).await;
    balanced.ended.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    second.stop();
}

/// A simple load balancer: probes the current program often, and switches to the other when it is not ready.
async fn balance(balanced: Arc<Balanced>) {
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    while !balanced.ended.load(Ordering::SeqCst) {
        let to = balanced.to.load(Ordering::SeqCst);
        let answer = http.get(format!("{}/health/ready", balanced.urls[to])).send().await.unwrap();
        if answer.status() != 200 {
            assert_eq!((to, answer.status().as_u16()), (0, 503));
            balanced.to.store(1, Ordering::SeqCst);
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn call(balanced: Arc<Balanced>, caller: usize, (tenant, secret): (&str, &str)) {
    let kept = usize::from(!caller.is_multiple_of(3));
    let http = reqwest::Client::builder().pool_max_idle_per_host(kept).build().unwrap();
    let form = credentials("svc", secret);
    while !balanced.ended.load(Ordering::SeqCst) {
        let to = balanced.to.load(Ordering::SeqCst);
        let url = format!("{}{}", balanced.urls[to], tenant_path(tenant, "/oauth/token"));
        // No retries: a dropped request fails the test.
        let answer = http.post(url).form(&form).send().await.unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(answer.status(), 200, "{tenant}");
        answer.bytes().await.unwrap();
        balanced.answered[to].fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(5)).await;
    }
}

impl Balanced {
    /// Waits until this program answers. No caller may fail in the meantime.
    async fn until_answered_by(&self, program: usize, tasks: &mut JoinSet<()>) {
        let before = self.answered[program].load(Ordering::SeqCst);
        while self.answered[program].load(Ordering::SeqCst) < before + 100 {
            if let Some(task) = tasks.try_join_next() {
                task.unwrap();
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}
