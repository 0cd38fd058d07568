//! An explanation as text for people, in lines of 80 columns.

use administration::{
    ExplainedCheck, ExplainedClaims, ExplainedResult, ExplainedScope, ExplainedToken, ExplanationView,
    RegisteredCredential,
};
use serde_json::Value;

use crate::command::paths::ClientArguments;

/// The width of a line, unless one word is longer.
const WIDTH: usize = 80;
/// The column of the texts of a check.
const INDENT: usize = 13;

/// The result first, then the checks in the order of the token endpoint.
pub(super) fn lines(of: &ClientArguments, explained: &ExplanationView) -> String {
    let ExplanationView { result, checks, credential, scopes, token, dpop_proof, access_token } = explained;
    let (before, after) = checks.split_at(checks.len().min(2));
    let all = before.iter().chain(&credential.checks).chain(after);
    let registered = credential.registered.iter().map(|row| credential_line(row, explained));
    let is_granted = result.status == 200;
    let would_be =
        if is_granted { "The token would be" } else { "With the refusal fixed, the token would be" };
    let mut text = headline(of, result) + &all.map(check_lines).collect::<String>();
    for (heading, lines) in [
        ("The DPoP proof", dpop_proof.iter().map(check_lines).collect::<String>()),
        ("The access token", access_token.iter().map(check_lines).collect()),
        ("Credentials of the client", registered.collect()),
        ("Scopes", scopes.iter().map(scope_line).collect()),
        (would_be, token.iter().map(token_lines).collect()),
    ] {
        if !lines.is_empty() {
            text.push_str(&format!("\n{heading}\n{lines}"));
        }
    }
    text
}

fn headline(of: &ClientArguments, result: &ExplainedResult) -> String {
    let ExplainedResult { status, error, error_description, reason, check, help } = result;
    let error = error.as_ref().map_or_else(String::new, |error| format!(" {error}"));
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let outcome = if *status == 200 { "gets a token" } else { "is refused" };
    let mut text = format!("{status}{error}{reason}: a request of {}/{} {outcome}.\n", of.tenant, of.client);
    let description = error_description.iter();
    text.extend(description.map(|description| wrapped("", 2, &format!("The caller reads: {description}"))));
    text.extend(check.iter().map(|check| format!("  The check that refuses it: {check}\n")));
    text.extend(help.iter().map(|help| format!("  {help}\n")));
    text + "\n"
}

fn check_lines(check: &ExplainedCheck) -> String {
    let ExplainedCheck { name, result, detail, fix, .. } = check;
    let text = wrapped(&result.replace('_', " "), INDENT, &format!("{name}: {detail}"));
    let what = if result == "refused" { "Fix" } else { "Note" };
    let fix = fix.as_ref().map(|fix| wrapped("", INDENT, &format!("{what}: {fix}")));
    text + &fix.unwrap_or_default()
}

fn credential_line(row: &RegisteredCredential, explained: &ExplanationView) -> String {
    let RegisteredCredential { kind, id, status, expires_at, revoked_at } = row;
    let end = match (revoked_at, expires_at) {
        (Some(at), _) if status == "revoked" => format!(" at {}", at.0.to_rfc3339()),
        (_, Some(at)) if status == "expired" => format!(" at {}", at.0.to_rfc3339()),
        (_, Some(at)) => format!(" until {}", at.0.to_rfc3339()),
        (_, None) => String::new(),
    };
    let matched = if explained.credential.matched.as_ref() == Some(id) { ", matches" } else { "" };
    wrapped(&format!("  {id}"), INDENT, &format!("{kind}, {status}{end}{matched}"))
}

fn scope_line(scope: &ExplainedScope) -> String {
    let ExplainedScope { scope, result, reason, .. } = scope;
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let word = format!("  {}", result.replace('_', " "));
    wrapped(&word, INDENT + 1, &format!("{scope}{reason}"))
}

fn token_lines(token: &ExplainedToken) -> String {
    let ExplainedToken { typ, algorithm, kid, lifetime, claims } = token;
    let ExplainedClaims { iss, sub, aud, client_id, scope, api_key, more } = claims;
    let aud = match aud {
        Value::String(one) => one.clone(),
        many => many.to_string(),
    };
    let rows = [
        ("typ", typ.as_str()),
        ("alg", algorithm),
        ("kid", kid.as_deref().unwrap_or("the first token creates the key")),
        ("iss", iss),
        ("sub", sub),
        ("client_id", client_id),
        ("aud", &aud),
        ("scope", scope.as_deref().unwrap_or("-")),
        ("lifetime", &lifetime.to_string()),
    ];
    let api_key = api_key.as_deref().map(|id| ("api_key", id));
    let rows = rows.into_iter().chain(api_key);
    let rows = rows.map(|(name, value)| wrapped(&format!("  {name}"), INDENT, value));
    let more = more.iter().map(|(name, value)| wrapped(&format!("  {name}"), INDENT, &value.to_string()));
    rows.chain(more).collect()
}

/// A text in lines that begin at this column, the first after a word. Control characters are escaped.
fn wrapped(first: &str, column: usize, text: &str) -> String {
    let (mut lines, mut line) = (String::new(), format!("{first:<column$}"));
    let mut has_word = false;
    for word in text.split(' ') {
        let word: String = word.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect();
        if has_word && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(&line);
            lines.push('\n');
            line = " ".repeat(column);
            has_word = false;
        }
        if has_word {
            line.push(' ');
        }
        line.push_str(&word);
        has_word = true;
    }
    lines + line.trim_end() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_go_on_in_the_column_of_their_first_line_and_fit_80_columns() {
        let text = "word ".repeat(40);
        let lines = wrapped("refused", INDENT, text.trim());
        assert!(lines.lines().count() > 2 && lines.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(lines.lines().skip(1).all(|line| line.starts_with("             word")), "{lines}");
        let url = "https://id.example.com/".repeat(5);
        assert!(wrapped("iss", INDENT, &url).ends_with(&format!(" {url}\n")), "a URL can be copied whole");
        assert_eq!(wrapped("a", 2, "b\u{1b}[2J"), "a b\u{fffd}[2J\n");
    }

    #[test]
    fn a_check_says_what_to_do() {
        let check = ExplainedCheck {
            name: "secret".to_owned(),
            result: "not_checked".to_owned(),
            reason: None,
            detail: "No secret was presented.".to_owned(),
            fix: Some("Present one.".to_owned()),
        };
        let expected = "not checked  secret: No secret was presented.\n             Note: Present one.\n";
        assert_eq!(check_lines(&check), expected);
    }
}
