//! Translates the pointers and paths in an error of the API into the words of the command line.

use administration::documents::pointer_names;
use percent_encoding::percent_decode_str;

/// The option for each member of a new row.
const OPTIONS: [(&str, &str); 17] = [
    ("scopes", "--scope"),
    ("audiences", "--audience"),
    ("resource_servers", "--audience"),
    ("resources", "--resource"),
    ("token_endpoint_auth_method", "--auth-method"),
    ("introspection", "--introspection"),
    ("access_token_lifetime", "--lifetime"),
    ("issuer", "--issuer"),
    ("email", "--email"),
    ("username", "--username"),
    ("external_id", "--external-id"),
    ("claims", "--claim"),
    ("groups", "--group"),
    ("description", "--description"),
    ("name", "--name"),
    ("grace", "--grace"),
    ("expires_at", "--expires"),
];

/// Longer values are not repeated.
const LONGEST: usize = 100;

/// The name of a member on the command line: for a new row its option with the value, otherwise the name that
/// `set` accepts. `pointer` is a JSON pointer (RFC 6901). No option contains a secret.
pub(super) fn name_of(pointer: &str, is_new: bool, value: Option<&str>) -> String {
    let segments: Vec<String> = pointer_names(pointer).collect();
    let option = |segment: &String| OPTIONS.iter().find(|(member, _)| member == segment);
    if is_new && let Some((_, option)) = segments.iter().find_map(option) {
        let value = value.filter(|value| value.len() <= LONGEST && !value.contains(char::is_control));
        return value.map_or_else(|| (*option).to_owned(), |value| format!("{option} {value}"));
    }
    segments.join(".")
}

/// The ids in the path of a request, such as `globex/billing`. Ends with the row that is missing, according
/// to the detail.
pub(super) fn rows_of(path: &str, detail: &str) -> String {
    let depth = [("no tenant", 1), ("no client", 2), ("no account", 2), ("no key", 2)];
    let depth =
        depth.iter().find(|(words, _)| detail.contains(words)).map_or(usize::MAX, |(_, depth)| *depth);
    let path = path.split('?').next().unwrap_or_default();
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let segments = path.split('/').skip_while(|segment| !segment.starts_with("tenant")).skip(1);
    let ids: Vec<String> = segments.step_by(2).take(depth).map(decoded).collect();
    ids.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_options_or_names_of_set() {
        for (pointer, is_new, value, expected) in [
            ("/client/scopes/0", true, None, "--scope"),
            ("/introspection", true, Some("foo"), "--introspection foo"),
            ("/description", true, Some("a\nb"), "--description"),
            ("/scopes/0", false, Some("a"), "scopes.0"),
            ("/access_token/lifetime", false, None, "access_token.lifetime"),
            ("/resource_servers/urn:a~1b/scopes/1", true, None, "--audience"),
            ("/id", true, None, "id"),
            ("/client_secret", true, Some("hunter2"), "client_secret"),
        ] {
            assert_eq!(name_of(pointer, is_new, value), expected, "{pointer}");
        }
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(name_of("/issuer", true, Some(&long)), "--issuer");
    }

    #[test]
    fn paths_become_row_names() {
        for (path, what, expected) in [
            ("/api/v1/admin/tenants/globex", "tenant", "globex"),
            ("/api/v1/tenant/globex/clients/a%2Fb?x=y", "client", "globex/a/b"),
            ("/api/v1/tenant/globex/clients/a", "tenant", "globex"),
            ("/api/v1/tenant/globex/clients/a/secrets/rotate", "client", "globex/a"),
            ("/api/v1/tenant/globex/clients/a/secrets/s1", "secret", "globex/a/s1"),
            ("/api/v1/tenant/globex/keys/k/", "key", "globex/k"),
        ] {
            let detail = format!("no {what} has this id");
            assert_eq!(rows_of(path, &detail).trim_end_matches('/'), expected, "{path}");
        }
    }
}
