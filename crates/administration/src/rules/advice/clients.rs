//! Advice on clients: unused clients and scopes, and redirect URIs that other programs can use.

use protocol::{ScopeToken, redirect_host};
use serde_json::json;

use super::{Advice, Known, SPAN, action, advice};
use crate::audit::usage::Counter;
use crate::kinds::state::ManagedBy;

/// Scopes that a client has had for 30 days and has never requested by name, although it requests other
/// scopes by name. A request that names no scope gets all of the client's scopes, so it does not show which
/// of them the client needs.
pub(super) fn unused_scopes(known: &Known<'_>) -> Vec<Advice> {
    if !known.is_counted {
        return Vec::new();
    }
    let counted = known.counted();
    let mut found = Vec::new();
    for row in known.clients().filter(|row| known.has_been_for(SPAN, row.lifecycle.updated_at)) {
        let client = &row.client;
        let counts = counted.get(client.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let asked: Vec<_> = counts
            .iter()
            .filter(|count| count.counter == Counter::ScopeAsked)
            .map(|count| count.name.as_str())
            .collect();
        let (needed, unused): (Vec<_>, Vec<_>) =
            client.scope.iter().map(ScopeToken::as_str).partition(|token| asked.contains(token));
        if needed.is_empty() || unused.is_empty() {
            continue;
        }
        let names = unused.join(" ");
        let evidence = format!("In 30 days the client asked for {}, but not for {names}.", needed.join(" "));
        let command =
            known.command("latchkey client set TENANT CLIENT scopes=VALUE", &client.id, &needed.join(","));
        let place = format!("tenants.{}.clients.{}.scopes", known.state.tenant.id, client.id);
        let in_file = format!("Remove {names} from {place}.");
        let managed_by = row.lifecycle.managed_by;
        let patch = (managed_by == ManagedBy::Api).then(|| (client.id.clone(), json!({ "scopes": needed })));
        let action = action(managed_by, command, in_file);
        found.push(Advice { patch, ..advice("unused_scopes", client.id.as_str(), evidence, action) });
    }
    found
}

/// Clients that have used no secret and have no counted event except refusals for 30 days.
pub(super) fn unused(known: &Known<'_>) -> Vec<Advice> {
    if !known.is_counted {
        return Vec::new();
    }
    let counted = known.counted();
    let is_unused = |row: &&crate::kinds::client::State| {
        let is_used = known.uses(&row.client).any(|used| known.is_recent_use(&used.from));
        known.has_been_for(SPAN, row.lifecycle.created_at)
            && !is_used
            && !counted.get(row.client.id.as_str()).is_some_and(|counts| {
                counts
                    .iter()
                    .any(|count| !matches!(count.counter, Counter::Refused | Counter::RefusedUnknown))
            })
    };
    let unused = known.clients().filter(is_unused);
    let advise = |row: &crate::kinds::client::State| {
        let client = &row.client;
        let evidence = match known.uses(client).filter_map(|used| used.from.last_used_at).max() {
            Some(at) => format!("Its last secret was last used at {}.", at.0.to_rfc3339()),
            None => "In 30 days the client got no token, and none of its secrets was ever used.".to_owned(),
        };
        advice(
            "unused_client",
            client.id.as_str(),
            evidence,
            known.command("latchkey client suspend TENANT CLIENT", &client.id, ""),
        )
    };
    unused.map(advise).collect()
}

/// Public clients whose authorization codes another program may receive: a web application that also has
/// redirect URIs on the person's own machine, and redirect URIs to `localhost`, for which another network
/// interface may answer (RFC 8252 §8.3).
pub(super) fn wide_redirect_uris(known: &Known<'_>) -> Vec<Advice> {
    let mut found = Vec::new();
    for row in known.clients().filter(|row| row.client.is_public()) {
        let client = &row.client;
        let uris = &client.code_flow.redirect_uris;
        let is_web = uris.iter().any(|uri| uri.starts_with("https://"));
        let is_wide = |uri: &&String| {
            let is_localhost =
                uri.starts_with("http://") && redirect_host(uri).split(':').next() == Some("localhost");
            is_localhost || (is_web && !uri.starts_with("https://"))
        };
        let (wide, kept): (Vec<_>, Vec<_>) = uris.iter().partition(is_wide);
        if wide.is_empty() {
            continue;
        }
        let named = wide.iter().map(|uri| uri.as_str()).collect::<Vec<_>>().join(" ");
        let evidence =
            format!("Another program on the person's machine can receive authorization codes at {named}.");
        let place = format!("tenants.{}.clients.{}.redirect_uris", known.state.tenant.id, client.id);
        let is_api = row.lifecycle.managed_by == ManagedBy::Api;
        let kept_text = kept.iter().map(|uri| uri.as_str()).collect::<Vec<_>>().join(",");
        let command =
            known.command("latchkey client set TENANT CLIENT redirect_uris=VALUE", &client.id, &kept_text);
        let in_file = format!("Remove it from {place}, and register a separate client for development.");
        let patch =
            (is_api && !kept.is_empty()).then(|| (client.id.clone(), json!({ "redirect_uris": kept })));
        let action = if is_api && !kept.is_empty() { command } else { in_file };
        found.push(Advice { patch, ..advice("wide_redirect_uris", client.id.as_str(), evidence, action) });
    }
    found
}
