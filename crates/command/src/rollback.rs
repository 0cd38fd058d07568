//! `latchkey rollback`: applies the settings of an earlier generation again. The files of that generation
//! come from the store. The store, the sealing key and the environment are the current ones.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use administration::declaration::plan::Plan;
use administration::store::{Generation, Generations as _, KEPT_SOURCES};
use anstream::stderr;
use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::apply::{report, report_json, take_over};
use crate::output::{DocumentTable, confirm, json as document, plan_lines};
use crate::process::{OUTPUT, print, print_coloured};
use server::apply::{Applied, ApplyOptions};
use server::conflict_messages::conflict_error;
use server::platform::Platform;
use server::{block_on, clock, database};
use settings::{Environment, LARGEST_SNAPSHOT, SourceSnapshot, read_platform, read_snapshot};

const COLUMNS: DocumentTable =
    DocumentTable { none: "No generations.", columns: "generation, applied_at as APPLIED AT, current" };

/// Lists the generations to which a rollback is possible: those without conflicts.
pub(crate) fn list(config: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let settings = read_platform(config, &Environment::of_process())?;
    let (generations, latest) = block_on(async {
        let Some(database) = database::open_read_only(&settings.storage).await? else {
            return Ok((Vec::new(), None));
        };
        let limit = u32::try_from(KEPT_SOURCES).unwrap_or(u32::MAX);
        Ok((database.list_generations(limit).await?, database.latest_generation().await?))
    })?;
    let current = latest.map(|generation| generation.number);
    let item = |Generation { number, applied_at, .. }: &Generation| json!({ "generation": number, "applied_at": applied_at.to_rfc3339(), "current": Some(*number) == current });
    let items: Vec<_> = generations.iter().map(item).collect();
    print(&if as_json { document(&json!({ "items": items })) } else { COLUMNS.table(&items) })
}

/// Shows the changes, asks for a confirmation, and applies them as a new generation.
pub(crate) fn run(
    config: &Path,
    number: u64,
    as_json: bool,
    is_full: bool,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let today = read_platform(config, &Environment::of_process())?;
    let applied = block_on(async {
        let platform = Platform::open(&today).await?;
        let show = |plan: &Plan| {
            let lines = format!("{}\n", plan_lines(plan, is_full));
            // The standard output is reserved for the JSON document.
            if as_json {
                stderr().write_all(lines.as_bytes()).context(OUTPUT)
            } else {
                print_coloured(&lines).map(drop)
            }
        };
        let applied = roll_back(&platform, config, number, yes, &show).await;
        platform.database.close().await;
        applied
    })?;
    // The plan was already shown.
    if as_json { report_json(applied) } else { report(applied, |_| String::new()) }
}

async fn roll_back(
    platform: &Platform,
    config: &Path,
    number: u64,
    yes: bool,
    show: &dyn Fn(&Plan) -> anyhow::Result<()>,
) -> anyhow::Result<Applied> {
    let snapshot = snapshot(platform, number).await?;
    let loaded = read_snapshot(config, &snapshot.environment(Environment::of_process()), &snapshot)?;
    let plan = platform.reconciler.plan(&loaded.declaration, clock::now()).await;
    let plan = plan.map_err(|error| conflict_error(error, &loaded))?;
    if !plan.is_empty() {
        show(&plan)?;
        confirm(&format!("Roll back to generation {number}?"), yes)?;
    }
    // The plan has already shown the operator what is retired.
    take_over(platform, loaded, ApplyOptions { prune: true, force: true, now: false }, &|_| {}).await
}

async fn snapshot(platform: &Platform, number: u64) -> anyhow::Result<SourceSnapshot> {
    let kept = platform.database.list_generations(u32::try_from(KEPT_SOURCES).unwrap_or(u32::MAX)).await?;
    let generation = kept.iter().find(|generation| generation.number == number);
    let not_kept = |why: String| anyhow!("cannot roll back to generation {number}: {why}");
    let Some(generation) = generation else {
        return Err(not_kept(format!(
            "only the latest {KEPT_SOURCES} generations are kept, except those that left out a tenant. To see them, run \
                 `latchkey rollback --list`"
        )));
    };
    let Some(sources) = platform.reconciler.sources_of(generation).await? else {
        let largest = LARGEST_SNAPSHOT / (1024 * 1024);
        return Err(not_kept(format!(
            "its files were not kept, because they were larger than {largest} MiB or applied by an earlier version"
        )));
    };
    SourceSnapshot::parse(&sources).map_err(|error| not_kept(error.to_string()))
}
