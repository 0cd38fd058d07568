//! `latchkey doctor`: does everything that `check` does, and checks the machine of the server. It changes
//! nothing.

mod certificates;
mod machine;
mod mail;
mod network;
mod owners;
mod report;
mod rows;
mod store;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use administration::documents::FileSecret;
use cache::{RedisFault, RedisOptions};
use values::Timestamp;

use crate::output::json;
use crate::process::print;
use report::{DoctorCheck, DoctorReport, ReportLine};
use server::conflict_messages::unread;
use server::{block_on, clock, logging};
use settings::{Diagnostic, Environment, Loaded, inspect};

const SETTINGS: DoctorCheck = DoctorCheck("settings");
const LOG: DoctorCheck = DoctorCheck("log");
const REDIS: DoctorCheck = DoctorCheck("redis");
const CLOCK: DoctorCheck = DoctorCheck("clock");

/// If clocks differ by more seconds, a token can seem to be from the future, and verifiers refuse it.
const APART: u64 = 5;
const TOO_FAR_APART: u64 = 60;

/// Prints a line for each check. Exits with 0, or with 1 if there is an error.
pub(crate) fn run(config: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let report = match inspect(config, &environment, clock::now()) {
        Ok(loaded) => {
            block_on(async { Ok(DoctorReport::from_checks(examine(config, &loaded, &environment).await)) })?
        }
        Err(error) => {
            let fix = "fix the settings first; all other checks depend on them";
            DoctorReport::from_checks(vec![SETTINGS.error(error.to_string(), fix)])
        }
    };
    print(&if as_json { json(&report) } else { report.lines() })?;
    Ok(if report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(config: &Path, loaded: &Loaded, environment: &Environment) -> Vec<ReportLine> {
    let mut lines = settings_lines(loaded);
    lines.push(log(environment));
    let store = store::check(config, loaded).await;
    lines.extend(store.lines);
    lines.extend(owners::check(config, loaded));
    lines.extend(machine::check(config, loaded));
    lines.push(redis(loaded.platform.redis_url.as_ref()).await);
    lines.extend(mail::check(loaded).await);
    lines.extend(certificates::check(loaded));
    lines.extend(network::listeners(loaded).await);
    lines.push(network::name(loaded).await);
    lines.push(network::proxy(loaded));
    let (of_issuers, issuer_clock) = network::issuers(loaded, store.is_new).await;
    let now = clock::now();
    lines.extend(of_issuers);
    let other = store.clock.map(|time| (time, "the store")).or(issuer_clock.map(|time| (time, "an issuer")));
    lines.push(match other {
        Some((time, whose)) => compare_clocks(now, time, whose),
        None => {
            CLOCK.skipped("the store is on this machine and no issuer responded, so there is no other clock to compare with")
        }
    });
    lines
}

fn settings_lines(loaded: &Loaded) -> Vec<ReportLine> {
    let unread = unread(loaded);
    let lines: Vec<_> =
        loaded.warnings.iter().chain(&unread).map(|warning| of_warning(SETTINGS, warning)).collect();
    if lines.is_empty() { vec![SETTINGS.ok("no errors and no warnings")] } else { lines }
}

fn log(environment: &Environment) -> ReportLine {
    match logging::check_filter(environment) {
        Some(warning) => of_warning(LOG, &warning),
        None => LOG.ok("the log filter is valid"),
    }
}

fn of_warning(check: DoctorCheck, warning: &Diagnostic) -> ReportLine {
    let at = match warning.key.as_str() {
        "" => warning.location.clone(),
        key => format!("{}: {key}", warning.location),
    };
    check.warning(format!("{at}: {}", warning.explanation.problem), warning.explanation.hint.clone())
}

/// The platform works without Redis, so an unreachable Redis is only a warning.
async fn redis(url: Option<&FileSecret>) -> ReportLine {
    let Some(url) = url else { return REDIS.skipped("cache.redis_url is not set") };
    let pinged = match RedisOptions::new(url.expose(), Arc::new(clock::since_epoch)) {
        Ok(options) => cache::ping(options).await,
        Err(error) => Err(RedisFault::Unreachable(error.to_string())),
    };
    let Err(fault) = pinged else { return REDIS.ok("responds; scripts and subscriptions work") };
    let fix = match &fault {
        RedisFault::Unreachable(_) => {
            "start Redis, or correct the host, port and credentials in cache.redis_url"
        }
        RedisFault::Refused { .. } => {
            "set cache.redis_url to a primary with free memory, and to a user with the rights in docs/configuration.md, \"cache\""
        }
    };
    REDIS.warning(format!("Redis is not used, so replicas read the store: {fault}"), fix)
}

fn compare_clocks(ours: Timestamp, theirs: Timestamp, whose: &str) -> ReportLine {
    let apart = ours.seconds().abs_diff(theirs.seconds());
    let way = if ours > theirs { "ahead of" } else { "behind" };
    let found = format!("the clock of this machine is {apart} s {way} the clock of {whose}");
    let fix = "synchronize both machines with a time server (`timedatectl set-ntp true`)";
    match () {
        () if apart <= APART => {
            CLOCK.ok(format!("the clocks of this machine and of {whose} agree within {APART} s"))
        }
        () if apart <= TOO_FAR_APART => CLOCK.warning(found, fix),
        () => CLOCK.error(found, fix),
    }
}

#[cfg(test)]
mod tests {
    use super::report::DoctorStatus;
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn clocks_may_differ_by_a_few_seconds() {
        let noon = at("2026-06-01T12:00:00Z");
        for (other, expected) in [
            ("2026-06-01T12:00:05Z", DoctorStatus::Ok),
            ("2026-06-01T11:59:54Z", DoctorStatus::Warning),
            ("2026-06-01T12:01:00Z", DoctorStatus::Warning),
            ("2026-06-01T12:01:01Z", DoctorStatus::Error),
        ] {
            assert_eq!(compare_clocks(noon, at(other), "the store").status, expected, "{other}");
        }
        let line = compare_clocks(noon, at("2026-06-01T12:02:00Z"), "an issuer");
        assert_eq!(&*line.found, "the clock of this machine is 120 s behind the clock of an issuer");
    }
}
