//! An explanation as text for people, in lines of 80 columns.

use administration::documents;
use administration::documents::{ExplainedCheck, ExplanationView};
use protocol::StaticClaims;
use serde_json::Value;

use crate::output::{CellRow, CellRows, Layout, readable, report};
use crate::paths::ClientArguments;

/// The column in which the texts of a check begin.
const INDENT: usize = 13;

/// Shows the result first, then the checks in the order of the token endpoint.
pub(super) fn lines(of: &ClientArguments, explained: &ExplanationView) -> String {
    let ExplanationView { result, checks, credential, scopes, token, dpop_proof, access_token } = explained;
    let (before, after) = checks.split_at(checks.len().min(2));
    let all = before.iter().chain(&credential.checks).chain(after);
    let is_granted = result.status == 200;
    let would_be =
        if is_granted { "The token would be" } else { "After you fix the refusal, the token would be" };
    let registered = credential.registered.iter().map(|row| credential_row(row, explained));
    let parts = [
        ("The DPoP proof", INDENT, dpop_proof.iter().flat_map(check_rows).collect::<CellRows>()),
        ("The access token", INDENT, access_token.iter().flat_map(check_rows).collect()),
        ("Credentials of the client", INDENT, registered.collect()),
        ("Scopes", INDENT + 1, scopes.iter().map(scope_row).collect()),
        (would_be, INDENT, token.iter().flat_map(token_rows).collect()),
    ];
    let parts = parts.into_iter().filter(|(.., rows)| !rows.is_empty());
    let head = headline(of, result) + &Layout::From(INDENT).lines(all.flat_map(check_rows).collect());
    report(head, parts.map(|(name, column, rows)| (name, Layout::From(column), rows)))
}

fn headline(of: &ClientArguments, result: &documents::ExplainedResult) -> String {
    let documents::ExplainedResult { status, error, error_description, reason, check, help } = result;
    let error = error.as_ref().map_or_else(String::new, |error| format!(" {error}"));
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let outcome = if *status == 200 { "would get a token" } else { "would be refused" };
    let mut text =
        format!("{status}{error}{reason}: the request of {}/{} {outcome}.\n", of.tenant, of.client);
    let description = error_description.iter().map(|text| row("", format!("The client sees: {text}")));
    text.push_str(&Layout::From(2).lines(description.collect()));
    text.extend(check.iter().map(|check| format!("  Refused by the check: {check}\n")));
    text.extend(help.iter().map(|help| format!("  {help}\n")));
    text + "\n"
}

fn row(word: impl Into<String>, text: impl Into<String>) -> CellRow {
    vec![word.into(), text.into()]
}

fn check_rows(check: &ExplainedCheck) -> impl Iterator<Item = CellRow> {
    let ExplainedCheck { name, result, detail, fix, .. } = check;
    let what = if result == "refused" { "Fix" } else { "Note" };
    let fix = fix.as_ref().map(|fix| row("", format!("{what}: {fix}")));
    std::iter::once(row(result.replace('_', " "), format!("{name}: {detail}"))).chain(fix)
}

fn credential_row(of: &documents::RegisteredCredential, explained: &ExplanationView) -> CellRow {
    let documents::RegisteredCredential { kind, id, status, expires_at, revoked_at } = of;
    let end = match (revoked_at, expires_at) {
        (Some(at), _) if status == "revoked" => format!(" at {}", readable(at.0)),
        (_, Some(at)) if status == "expired" => format!(" at {}", readable(at.0)),
        (_, Some(at)) => format!(" until {}", readable(at.0)),
        (_, None) => String::new(),
    };
    let matched = if explained.credential.matched.as_ref() == Some(id) { ", matches" } else { "" };
    row(format!("  {id}"), format!("{kind}, {status}{end}{matched}"))
}

fn scope_row(scope: &documents::ExplainedScope) -> CellRow {
    let documents::ExplainedScope { scope, result, reason, .. } = scope;
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    row(format!("  {}", result.replace('_', " ")), format!("{scope}{reason}"))
}

fn token_rows(token: &documents::ExplainedToken) -> CellRows {
    let documents::ExplainedToken { typ, algorithm, kid, lifetime, claims } = token;
    let documents::ExplainedClaims { iss, sub, aud, client_id, scope, api_key, more } = claims;
    let aud = match aud {
        Value::String(one) => one.clone(),
        many => many.to_string(),
    };
    let rows = [
        ("typ", typ.as_deref().unwrap_or("none, the token is opaque")),
        ("alg", algorithm),
        ("kid", kid.as_deref().unwrap_or("created with the first token")),
        ("iss", iss),
        ("sub", sub),
        ("client_id", client_id),
        ("aud", &aud),
        ("scope", scope.as_deref().unwrap_or("-")),
        ("lifetime", &lifetime.to_string()),
    ];
    let api_key = api_key.as_deref().map(|id| ("api_key", id));
    let rows = rows.into_iter().chain(api_key);
    let rows = rows.map(|(name, value)| row(format!("  {name}"), value));
    let text =
        |value: &Value| StaticClaims::characters(value).map_or_else(|| value.to_string(), str::to_owned);
    let more = more.iter().map(|(name, value)| row(format!("  {name}"), text(value)));
    rows.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_shows_its_fix() {
        let check = ExplainedCheck {
            name: "secret".to_owned(),
            result: "not_checked".to_owned(),
            reason: None,
            detail: "No secret was presented.".to_owned(),
            fix: Some("Present one.".to_owned()),
        };
        let expected = "not checked  secret: No secret was presented.\n             Note: Present one.\n";
        assert_eq!(Layout::From(INDENT).lines(check_rows(&check).collect()), expected);
    }
}
