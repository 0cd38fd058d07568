//! Arguments that several commands have.

use administration::documents::{Shape, Shaped};
use clap::Args;
use serde_json::Value;
use tenancy::TenantId;

use crate::parse::{Assignment, parse_assignment, parse_json, patch};

/// Which tenant.
#[derive(Args)]
pub(crate) struct TenantArguments {
    /// Tenant ID.
    pub(super) tenant: TenantId,
}

/// Which row, and what else a command takes.
#[derive(Args)]
pub(crate) struct RowArguments<O: Args, M: Args> {
    #[command(flatten)]
    pub(super) of: O,
    #[command(flatten)]
    pub(super) more: M,
}

/// Whether the operator is asked before something is destroyed.
#[derive(Args)]
pub(crate) struct ConfirmArguments {
    /// Do not ask for confirmation.
    #[arg(long)]
    pub(super) yes: bool,
}

/// How a plan is printed.
#[derive(Args)]
pub(crate) struct PlanOutput {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Print all lines.
    #[arg(long)]
    pub(super) full: bool,
}

/// What `tenant set`, `client set` and `account set` change.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ChangeArguments {
    /// Setting and new value, for example access_token.lifetime=30m; `null` restores the default.
    #[arg(value_name = "NAME=VALUE", value_parser = parse_assignment)]
    assignments: Vec<Assignment>,
    /// JSON merge patch (RFC 7396) for the settings.
    #[arg(long = "patch", value_name = "JSON", value_parser = parse_json)]
    merge_patch: Option<Value>,
}

impl ChangeArguments {
    /// The requested changes as a merge patch.
    pub(super) fn patch<T: Shaped>(self) -> anyhow::Result<Value> {
        match self.merge_patch {
            Some(patch) => Ok(patch),
            None => patch(&self.assignments, &Shape::new::<T>()).map_err(anyhow::Error::msg),
        }
    }
}
