//! Parses words of the command line: instants, durations and changes of settings.

use std::str::FromStr;

use administration::documents::{Pointer, Shape, read_own_json};
use serde_json::{Map, Value, json};
use values::{Lifetime, Timestamp};

use server::clock;

/// A time, a duration from now, or `never`, which is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When(pub(crate) Option<Timestamp>);

/// `name=value`, a change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    path: String,
    value: String,
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<Lifetime>()) {
            ("never", _) => Ok(Self(None)),
            (_, Ok(span)) => Ok(Self(Some(clock::now() + span))),
            (_, Err(_)) => parse_instant(text).map(|at| Self(Some(at))),
        }
    }
}

/// Parses the beginning of a period that ends now: a duration is subtracted from now.
pub(crate) fn parse_since(text: &str) -> Result<Timestamp, String> {
    match text.parse::<Lifetime>() {
        Ok(span) => Ok(Timestamp::from_seconds(clock::now().seconds().saturating_sub(span.seconds()))),
        Err(_) => parse_instant(text),
    }
}

/// A time, or a date, which means its beginning.
pub(crate) fn parse_instant(text: &str) -> Result<Timestamp, String> {
    // The tables write `2027-01-31 12:00 UTC`, or with seconds.
    let shown = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |text| format!("{text}Z"));
    let to_the_minute = shown.replacen('Z', ":00Z", 1);
    let whole_day = format!("{text}T00:00:00Z");
    let forms = [&*shown, &to_the_minute, &whole_day];
    forms.into_iter().find_map(Timestamp::parse_rfc3339).ok_or_else(|| {
        format!(
            "`{text}` is neither a time such as 2027-01-31T12:00:00Z or 2027-01-31 nor a duration such as 90d"
        )
    })
}

/// A merge patch as it is written.
pub(crate) fn parse_json(text: &str) -> Result<Value, String> {
    let value = read_own_json(Pointer::Root, text.as_bytes()).map_err(|error| error.to_string())?.take();
    if value.is_object() { Ok(value) } else { Err("a merge patch must be a JSON object".to_owned()) }
}

pub(crate) fn parse_assignment(text: &str) -> Result<Assignment, String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => {
            Ok(Assignment { path: path.to_owned(), value: value.to_owned() })
        }
        Some(_) | None => Err("write name=value, such as access_token.lifetime=30m".to_owned()),
    }
}

/// Builds a merge patch (RFC 7396). The shape of the settings decides whether a value is a number or a text.
/// Unknown members are sent unchanged; the server refuses them and suggests the nearest name.
pub(crate) fn patch(assignments: &[Assignment], settings: &Shape) -> Result<Value, String> {
    let mut patch = Value::Object(Map::new());
    for Assignment { path, value } in assignments {
        let names = names(path);
        let shape = names.iter().try_fold(settings, |at, name| at.member(name));
        let mut at = &mut patch;
        for name in &names {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[*name];
        }
        *at = typed(names.last().unwrap_or(&""), value, shape).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(patch)
}

/// An audience may contain dots, so only the first and last part of a resource server's path are split off.
fn names(path: &str) -> Vec<&str> {
    match path.split_once("resource_servers.").filter(|(before, _)| before.is_empty()) {
        Some((_, rest)) => match rest.rsplit_once('.') {
            Some((audience, member @ ("scopes" | "clients"))) => vec!["resource_servers", audience, member],
            Some(_) | None => vec!["resource_servers", rest],
        },
        None => path.split('.').collect(),
    }
}

fn typed(name: &str, text: &str, shape: Option<&Shape>) -> Result<Value, String> {
    let json = || match read_own_json(Pointer::Member(&Pointer::Root, name), text.as_bytes()) {
        Ok(value) => Ok(value.take()),
        Err(error) => Err(format!("not valid JSON: {error}")),
    };
    match shape {
        _ if text == "null" => Ok(Value::Null),
        Some(Shape::Switch) => text.parse().map(Value::Bool).map_err(|_| "write true or false".to_owned()),
        Some(Shape::Number { .. }) => {
            text.parse().map(|number: u64| json!(number)).map_err(|_| "write a whole number".to_owned())
        }
        Some(Shape::Span) => match text.parse::<u64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => text.parse().map(|span: Lifetime| json!(span)).map_err(|error| error.to_string()),
        },
        Some(Shape::Object { .. }) => json(),
        Some(Shape::List(_) | Shape::Described) if text.starts_with(['[', '{']) => json(),
        Some(Shape::List(_) | Shape::Described) => {
            Ok(text.split([',', ' ']).filter(|item| !item.is_empty()).map(Value::from).collect())
        }
        Some(Shape::Text | Shape::Rate | Shape::Instant | Shape::Any) | None => Ok(Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use administration::documents::{ClientSettings, TenantSettings};

    use super::*;

    #[track_caller]
    fn check(settings: &Shape, assignments: &[&str], expected: Result<Value, &str>) {
        let assignments: Vec<Assignment> =
            assignments.iter().map(|text| parse_assignment(text).unwrap()).collect();
        assert_eq!(patch(&assignments, settings), expected.map_err(str::to_owned));
    }

    #[test]
    fn assignments_become_a_merge_patch() {
        let (tenant, client) = (Shape::new::<TenantSettings>(), Shape::new::<ClientSettings>());
        for (settings, assignments, expected) in [
            (&tenant, &["name=123"][..], json!({"name": "123"})),
            (&tenant, &["name=a=b", "issuer=null"], json!({"name": "a=b", "issuer": null})),
            (
                &tenant,
                &["access_token.lifetime=30m", "access_token.typ=JWT"],
                json!({"access_token": {"lifetime": 1800, "typ": "JWT"}}),
            ),
            (&tenant, &["stale_if_error=0"], json!({"stale_if_error": 0})),
            (&tenant, &["strategies.oidc.enabled=true"], json!({"strategies": {"oidc": {"enabled": true}}})),
            (&tenant, &["issuer_aliases=a, b"], json!({"issuer_aliases": ["a", "b"]})),
            (
                &tenant,
                &["resource_servers.https://api.example.com.scopes=a,b", "resource_servers.old=null"],
                json!({"resource_servers": {"https://api.example.com": {"scopes": ["a", "b"]}, "old": null}}),
            ),
            (
                &tenant,
                &["resource_servers.api.scopes={\"a.b\":\"Read\"}"],
                json!({"resource_servers": {"api": {"scopes": {"a.b": "Read"}}}}),
            ),
            (&client, &["scopes=", "description=2s"], json!({"scopes": [], "description": "2s"})),
            (&client, &["scopes=[\"a\"]"], json!({"scopes": ["a"]})),
            (&client, &["nmae=x"], json!({"nmae": "x"})),
        ] {
            check(settings, assignments, Ok(expected));
        }
        check(&tenant, &["strategies.oidc.enabled=yes"], Err("strategies.oidc.enabled: write true or false"));
        assert!(parse_assignment("name").is_err() && parse_assignment("=x").is_err());
    }

    #[test]
    fn expiry_is_an_instant_a_duration_or_never() {
        let at = |seconds| Ok(When(Some(Timestamp::from_seconds(seconds))));
        assert_eq!(When::from_str("never"), Ok(When(None)));
        assert_eq!(When::from_str("2027-01-31T12:00:01Z"), at(1_801_396_801));
        assert_eq!(When::from_str("1970-01-02"), at(86_400));
        assert_eq!(When::from_str("1970-01-02 00:01 UTC"), at(86_460));
        assert_eq!(When::from_str("1970-01-02 00:01:02 UTC"), at(86_462));
        let Ok(When(Some(later))) = When::from_str("90d") else { panic!("a duration") };
        assert!(later.seconds() >= clock::now().seconds() + 90 * 86_400 - 5);
        assert!(When::from_str("tomorrow").is_err());
        assert!(parse_since("1h").unwrap() < clock::now());
    }
}
