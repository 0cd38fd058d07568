//! Advice for an operator, with the facts that justify it. Each rule is a function of the known facts about a
//! tenant. Rules change nothing, and give no advice if too little is known.

mod clients;
mod credentials;
mod tenant;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use registry::{Client, ClientId, ClientStatus};
use serde_json::Value;
use values::{Lifetime, ShellCommand, Timestamp};

use crate::audit::usage::Counter;
use crate::documents::UsedFrom;
use crate::kinds;
use crate::kinds::state::ManagedBy;
use crate::store::SecretUsage;

/// How far back rules look. The counts of clients are kept for longer.
pub(crate) const SPAN: Lifetime = Lifetime::from_seconds(30 * DAY);
/// Rules warn of credentials that expire within this time.
pub(crate) const NEAR: Lifetime = Lifetime::from_seconds(14 * DAY);
/// Rules warn of secrets that are older.
const OLD: Lifetime = Lifetime::from_seconds(180 * DAY);
const DAY: u64 = 86_400;

pub(crate) struct Known<'a> {
    pub(crate) state: &'a kinds::TenantState,
    /// The most clients that the tenant may have. `None` on every page but the first, which alone has advice
    /// on the tenant.
    pub(crate) most_clients: Option<u64>,
    /// The uses of these clients' secrets, in the order of the clients' ids.
    pub(crate) secret_uses: &'a [SecretUsage],
    /// API keys that have expired or expire soon.
    pub(crate) ended_keys: &'a [kinds::api_key::State],
    /// The counts of clients in the last 30 days.
    pub(crate) counts: &'a [ClientCount],
    /// Whether the counters go back that far.
    pub(crate) is_counted: bool,
    pub(crate) now: Timestamp,
}

/// How often a client did something in the span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCount {
    pub client: ClientId,
    pub counter: Counter,
    /// The scope or reason, if the counter has one.
    pub name: String,
    pub total: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) rule: &'static str,
    /// What the advice is about: `billing` for a client, `billing/s1` for a secret, empty for the tenant.
    pub(crate) subject: String,
    pub(crate) evidence: String,
    /// A command, or a change in the file that declares the row.
    pub(crate) action: String,
    /// A merge patch of the client that has the same effect as `action`, if there is one.
    pub(crate) patch: Option<(ClientId, Value)>,
}

type Rule = fn(&Known<'_>) -> Vec<Advice>;

pub(crate) const RULES: [(&str, Rule); 9] = [
    ("unused_scopes", clients::unused_scopes),
    ("unused_client", clients::unused),
    ("old_secret", credentials::old),
    ("endless_secret", credentials::endless),
    ("ends_soon", credentials::ending_soon),
    ("rotation_fails", credentials::rotation_fails),
    ("ended_credential_presented", credentials::presented_after_end),
    ("wide_redirect_uris", clients::wide_redirect_uris),
    ("near_limit", tenant::near_limit),
];

pub(crate) fn advise(known: &Known<'_>) -> Vec<Advice> {
    RULES.iter().flat_map(|(_, rule)| rule(known)).collect()
}

impl Known<'_> {
    fn clients(&self) -> impl Iterator<Item = &kinds::client::State> {
        self.state
            .clients
            .iter()
            .filter(|row| row.lifecycle.is_live() && row.client.status == ClientStatus::Active)
    }

    fn has_been_for(&self, span: Lifetime, since: Timestamp) -> bool {
        since + span <= self.now
    }

    fn is_recent_use(&self, used: &UsedFrom) -> bool {
        used.last_used_at.is_some_and(|at| !self.has_been_for(SPAN, at.0))
    }

    fn counted(&self) -> BTreeMap<&str, Vec<&ClientCount>> {
        let mut counted: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for count in self.counts {
            counted.entry(count.client.as_str()).or_default().push(count);
        }
        counted
    }

    fn uses<'k>(&'k self, client: &'k Client) -> impl Iterator<Item = &'k SecretUsage> {
        let first = self.secret_uses.partition_point(|used| used.client < client.id);
        self.secret_uses[first..].iter().take_while(|used| used.client == client.id)
    }

    /// A command for a client. `value` replaces `VALUE` in `form`.
    fn command(&self, form: &'static str, client: &ClientId, value: &str) -> String {
        let values =
            [("TENANT", self.state.tenant.id.as_str()), ("CLIENT", client.as_str()), ("VALUE", value)];
        ShellCommand::new(form, &values).to_string()
    }
}

/// The command for a row that the API manages, or what to change in the file that declares the row.
fn action(managed_by: ManagedBy, command: String, in_file: String) -> String {
    match managed_by {
        ManagedBy::Api => command,
        ManagedBy::Config => in_file,
    }
}

fn advice(rule: &'static str, subject: impl Into<String>, evidence: String, action: String) -> Advice {
    Advice { rule, subject: subject.into(), evidence, action, patch: None }
}
