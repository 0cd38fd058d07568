//! How an error of the API names what it concerns, in the words of the command line.

use percent_encoding::percent_decode_str;

/// The options that fill a member of a new row.
const OPTIONS: [(&str, &str); 12] = [
    ("scopes", "--scope"),
    ("audiences", "--audience"),
    ("resource_servers", "--audience"),
    ("resources", "--resource"),
    ("token_endpoint_auth_method", "--auth-method"),
    ("introspection", "--introspection"),
    ("access_token_lifetime", "--lifetime"),
    ("issuer", "--issuer"),
    ("description", "--description"),
    ("name", "--name"),
    ("grace", "--grace"),
    ("expires_at", "--expires"),
];

/// A JSON pointer (RFC 6901) as the option of a new row, else as the name that `set` takes.
pub(super) fn name_of(pointer: &str, is_new: bool) -> String {
    let segments: Vec<String> =
        pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~")).collect();
    let option = |segment: &String| OPTIONS.iter().find(|(member, _)| member == segment);
    if is_new && let Some((_, option)) = segments.iter().find_map(option) {
        return (*option).to_owned();
    }
    segments.join(".")
}

/// The ids in the path of a request, such as `globex/billing`.
pub(super) fn rows_of(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let decoded = |segment| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    let segments = path.split('/').skip_while(|segment| !segment.starts_with("tenant")).skip(1);
    let ids: Vec<String> = segments.step_by(2).map(decoded).collect();
    ids.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_an_option_or_a_name_of_set() {
        for (pointer, is_new, expected) in [
            ("/client/scopes/0", true, "--scope"),
            ("/scopes/0", false, "scopes.0"),
            ("/access_token/lifetime", false, "access_token.lifetime"),
            ("/resource_servers/urn:a~1b/scopes/1", true, "--audience"),
            ("/id", true, "id"),
        ] {
            assert_eq!(name_of(pointer, is_new), expected, "{pointer}");
        }
    }

    #[test]
    fn a_path_names_its_rows() {
        for (path, expected) in [
            ("/api/v1/admin/tenants/globex", "globex"),
            ("/api/v1/tenant/globex/clients/a%2Fb?x=y", "globex/a/b"),
            ("/api/v1/tenant/globex/clients/a/secrets/s1", "globex/a/s1"),
            ("/api/v1/tenant/globex/keys/k/", "globex/k"),
        ] {
            assert_eq!(rows_of(path).trim_end_matches('/'), expected, "{path}");
        }
    }
}
