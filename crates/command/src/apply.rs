//! `latchkey apply`: makes the store agree with the settings, even where a start or a reload would refuse to.

use std::path::Path;
use std::process::ExitCode;

use administration::{Outcome, Plan, Progress};
use serde_json::json;

use crate::admin_client::publish;
use crate::arguments::PlanOutput;
use crate::output::{json, plan_lines};
use crate::process::{print, print_coloured};
use crate::progress::ApplyBar;
use server::apply::{self, Applied, ApplyOptions, too_many_retired};
use server::block_on;
use server::platform::Platform;
use settings::{Environment, Loaded, read};

/// A running server finds the change by itself.
pub(crate) fn run(config: &Path, options: ApplyOptions, output: &PlanOutput) -> anyhow::Result<ExitCode> {
    let bar = ApplyBar::new();
    let applied = block_on(async {
        let loaded = read(config, &Environment::of_process())?;
        let platform = Platform::open(&loaded.platform).await?;
        let applied = take_over(&platform, loaded, options, &|progress| bar.show(progress)).await;
        platform.database.close().await;
        applied
    });
    bar.end();
    let applied = applied?;
    if output.json { report_json(applied) } else { report(applied, |plan| plan_lines(plan, output.full)) }
}

/// Applies the settings, and waits until the other replicas are notified.
pub(super) async fn take_over(
    platform: &Platform,
    loaded: Loaded,
    options: ApplyOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> anyhow::Result<Applied> {
    let applied = apply::apply(platform, loaded, options, progress).await?;
    if let Outcome::Applied { invalidations, .. } = &applied.outcome {
        publish(&platform.caches, invalidations).await;
    }
    Ok(applied)
}

/// The result for programs: the plan, and the generation if there is a new one.
pub(super) fn report_json(Applied { outcome, left_out }: Applied) -> anyhow::Result<ExitCode> {
    let (generation, plan) = match outcome {
        Outcome::Unchanged | Outcome::OlderGeneration => (None, Plan::default()),
        Outcome::StillLeftOut { plan } => (None, plan),
        Outcome::Applied { plan, generation, .. } => (Some(generation), plan),
        Outcome::TooManyRetired { plan } => return Err(too_many_retired(&plan)),
    };
    let code = print(&json(&json!({ "generation": generation, "plan": plan })))?;
    left_out.map_or(Ok(code), |left_out| Err(left_out.into()))
}

/// The result, with these lines of a plan. It is an error if tenants were left out, although all others were
/// applied.
pub(super) fn report(
    Applied { outcome, left_out }: Applied,
    lines: impl Fn(&Plan) -> String,
) -> anyhow::Result<ExitCode> {
    let code = match outcome {
        Outcome::Unchanged | Outcome::OlderGeneration => print("No changes.\n"),
        Outcome::StillLeftOut { plan } => print_coloured(&format!("{}No changes.\n", lines(&plan))),
        Outcome::Applied { plan, generation, .. } if plan.is_empty() && left_out.is_none() => {
            print(&format!("No changes; generation {generation}.\n"))
        }
        Outcome::Applied { plan, generation, .. } => {
            print_coloured(&format!("{}Applied as generation {generation}.\n", lines(&plan)))
        }
        Outcome::TooManyRetired { plan } => Err(too_many_retired(&plan)),
    }?;
    left_out.map_or(Ok(code), |left_out| Err(left_out.into()))
}
