//! Measurements that take long or need servers: the platform on PostgreSQL with few and with very many
//! tenants, requests during outages of Redis and PostgreSQL, and requests while keys rotate. All servers run
//! on this machine. The report shows times. A measurement can fail only on the times of refusals, of
//! sign-ins and recovery, and of one tenant while another floods.

mod administrator;
mod calls;
mod enumeration;
mod fairness;
mod freshness;
mod order;
mod overload;
mod postgres;
mod postgres_outage;
mod program;
mod propagation;
mod recovery_times;
mod redis;
mod redis_outage;
mod rotation;
mod scale;
mod sign_in_times;
mod tenants;
mod test_env;
mod usage;
mod welch;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::tools::{self, FOR_MEASUREMENTS, FOR_TESTS};
use crate::workspace::{Failure, SHIPPED_PROFILE, Workspace, run as run_program};
use test_env::TestEnv;

/// What to measure.
#[derive(Args)]
pub(crate) struct SoakOptions {
    /// One measurement instead of all
    #[arg(long)]
    only: Option<Measurement>,
    /// A program to measure instead of building one
    #[arg(long)]
    program: Option<PathBuf>,
    /// Number of tenants in the store, for each row of the table
    #[arg(long, value_delimiter = ',', default_values_t = [10, 1_000, 100_000])]
    tenants: Vec<u32>,
    /// Number of refused sign-ins or requests for a code whose times are compared; each takes half a second
    #[arg(long, default_value_t = 2_000)]
    tries: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measurement {
    /// Start, cold and warm tokens and memory as the store grows
    Scale,
    /// Tokens while Redis is up, down or filled with forged values, the time until it is used again, and the
    /// propagation delay between replicas
    Redis,
    /// Tokens while PostgreSQL is restarted without notice
    Postgres,
    /// SQL statements while the clients of many tenants are active
    Freshness,
    /// Key rotation under traffic; every token is verified
    Rotation,
    /// Whether the time of a refusal reveals which client ids exist; it can fail on times
    Enumeration,
    /// Whether the time of a refused sign-in reveals which accounts exist (Welch's
    /// t-test); it can fail on times
    SignInTimes,
    /// Whether the time of a request for a recovery code reveals which accounts exist
    /// (Welch's t-test); it can fail on times
    RecoveryTimes,
    /// Ten times as many token requests as the worker can answer: goodput, latencies, refusals, memory, and
    /// the time until all is normal
    Overload,
    /// The ordinary work of one tenant while another spends tenfold its share; it can fail on times
    Fairness,
    /// A million mixed requests, and whether usage has counted each of them once
    Usage,
}

pub(crate) fn run(workspace: &Workspace, options: SoakOptions) -> Result<(), Failure> {
    tools::make_ready(workspace, FOR_TESTS)?;
    tools::make_ready(workspace, FOR_MEASUREMENTS)?;
    let program = match options.program {
        Some(program) => program,
        None => {
            let arguments = ["build", "--profile", SHIPPED_PROFILE, "--package", "latchkey"];
            run_program(&mut workspace.cargo(&arguments))?;
            workspace.target_folder()?.join(SHIPPED_PROFILE).join("latchkey")
        }
    };
    let test_env = TestEnv::new(workspace, program)?;
    // The server that the outage of PostgreSQL leaves, which others need.
    let mut restarted = None;
    for measurement in Measurement::value_variants() {
        if options.only.is_some_and(|only| only != *measurement) {
            continue;
        }
        match measurement {
            Measurement::Scale => scale::measure(&test_env, &options.tenants)?,
            Measurement::Redis => {
                redis_outage::measure(&test_env)?;
                propagation::measure(&test_env)?;
            }
            Measurement::Postgres => restarted = postgres_outage::measure(&test_env)?,
            Measurement::Freshness => freshness::measure(&test_env)?,
            Measurement::Rotation => rotation::measure(&test_env)?,
            Measurement::Enumeration => enumeration::measure(&test_env)?,
            Measurement::SignInTimes => sign_in_times::measure(&test_env, options.tries)?,
            Measurement::RecoveryTimes => recovery_times::measure(&test_env, options.tries)?,
            Measurement::Overload => overload::measure(&test_env)?,
            Measurement::Fairness => fairness::measure(&test_env)?,
            Measurement::Usage => usage::measure(&test_env)?,
        }
    }
    drop(restarted);
    Ok(())
}
