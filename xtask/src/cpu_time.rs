//! The CPU time of processes in nanoseconds, as the scheduler counts it for each thread (proc(5), schedstat).
//! The clock ticks of `/proc/PID/stat` are too coarse for differences of a percent in a few seconds.

use std::collections::BTreeMap;
use std::fs;

use crate::workspace::{Doing, Failure};

/// The time of each thread until now.
pub(crate) struct CpuTime(BTreeMap<String, u64>);

impl CpuTime {
    /// The CPU time of all threads of these processes.
    pub(crate) fn from_processes(processes: &[u32]) -> Result<Self, Failure> {
        let mut threads = BTreeMap::new();
        for process in processes {
            let folder = format!("/proc/{process}/task");
            for thread in fs::read_dir(&folder).doing(format_args!("list {folder}"))? {
                let thread = thread.doing(format_args!("list {folder}"))?;
                // A thread that has just ended has no file.
                let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
                if let Some(nanoseconds) = on_cpu(&text) {
                    threads.insert(thread.path().display().to_string(), nanoseconds);
                }
            }
        }
        Ok(Self(threads))
    }

    /// The CPU seconds between an earlier reading and this one. Threads that ended in between do not count.
    pub(crate) fn seconds_since(&self, earlier: &Self) -> f64 {
        let used =
            self.0.iter().map(|(thread, now)| now - earlier.0.get(thread).copied().unwrap_or(0).min(*now));
        std::time::Duration::from_nanos(used.sum()).as_secs_f64()
    }
}

/// The first of three figures: time on a core, time in the queue, number of turns.
fn on_cpu(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_threads_count_and_ended_threads_do_not() {
        let threads = |times: &[(&str, u64)]| {
            CpuTime(times.iter().map(|(thread, time)| ((*thread).to_owned(), *time)).collect())
        };
        let before = threads(&[("worker", 1_000_000_000), ("start", 60_000_000)]);
        let after = threads(&[("worker", 3_000_000_000), ("new", 500_000_000)]);
        assert_eq!(after.seconds_since(&before), 2.5);
    }

    #[test]
    fn first_figure_is_the_cpu_time() {
        assert_eq!(on_cpu("1234 5 6\n"), Some(1234));
        assert_eq!(on_cpu(""), None);
        let own = CpuTime::from_processes(&[std::process::id()]).unwrap();
        assert!(own.seconds_since(&CpuTime(BTreeMap::new())) > 0.0);
    }
}
