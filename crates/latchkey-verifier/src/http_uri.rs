//! HTTP URIs in normal form, so that two of them can be compared (RFC 3986 §6.2.2, §6.2.3, RFC 9449 §4.3).

/// The URI without query and fragment in its normal form. `None` if the text is no absolute HTTP URI. The
/// work is linear in its length.
#[must_use]
pub fn normalized(uri: &str) -> Option<String> {
    let is_printable = uri.bytes().all(|byte| byte.is_ascii_graphic());
    // RFC 9449 §4.3, check 9: "ignoring any query and fragment parts".
    let uri = uri.split(['?', '#']).next().filter(|_| is_printable)?;
    let (scheme, rest) = uri.split_once("://")?;
    // RFC 3986 §6.2.2.1: "the scheme and host are case-insensitive and therefore should be normalized to
    // lowercase".
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = decoded(authority)?.to_ascii_lowercase();
    // RFC 3986 §6.2.3: an explicit default port, an empty port and an empty path are equal to an absent one.
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority).trim_end_matches(':');
    if authority.is_empty() {
        return None;
    }
    Some(format!("{scheme}://{authority}{}", without_dot_segments(&decoded(path)?)))
}

/// RFC 3986 §6.2.2.2: "normalized by decoding any percent-encoded octet that corresponds to an unreserved
/// character"; other hexadecimal digits are upper-case (§6.2.2.1).
fn decoded(text: &str) -> Option<String> {
    let (mut parts, mut decoded) = (text.split('%'), String::with_capacity(text.len()));
    decoded.push_str(parts.next()?);
    for part in parts {
        let (digits, rest) = (part.get(..2)?, part.get(2..)?);
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let character = char::from(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        if character.is_ascii_alphanumeric() || "-._~".contains(character) {
            decoded.push(character);
        } else {
            decoded.push('%');
            decoded.push_str(&digits.to_ascii_uppercase());
        }
        decoded.push_str(rest);
    }
    Some(decoded)
}

/// RFC 3986 §6.2.2.3 and §5.2.4, of an absolute path.
fn without_dot_segments(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = true;
    for segment in path.split('/').skip(1) {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let end = if ends_in_folder && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // [dpop RFC 9449 §4.3 i]: 9: `htu` is the URI without query and fragment, compared in normal form
    #[test]
    fn uris_are_normalized() {
        for (uri, expected) in [
            ("https://a.example/oauth/token", "https://a.example/oauth/token"),
            ("HTTPS://A.Example/oauth/token", "https://a.example/oauth/token"),
            ("https://a.example:443/oauth/token", "https://a.example/oauth/token"),
            ("https://a.example:/oauth/token", "https://a.example/oauth/token"),
            ("http://a.example:80/x", "http://a.example/x"),
            ("http://a.example:443/x", "http://a.example:443/x"),
            ("https://a.example:80/x", "https://a.example:80/x"),
            ("https://a.example:8443/x", "https://a.example:8443/x"),
            ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
            ("https://a.example/x?a=b", "https://a.example/x"),
            ("https://a.example/x#a", "https://a.example/x"),
            ("https://a.example/x#a?b", "https://a.example/x"),
            ("https://a.example?a=/b", "https://a.example/"),
            ("https://a.example", "https://a.example/"),
            ("https://a.example/", "https://a.example/"),
            ("https://a.example/%6fauth/%74oken", "https://a.example/oauth/token"),
            ("https://a.example/a%2fb", "https://a.example/a%2Fb"),
            ("https://a.example/a%2Fb", "https://a.example/a%2Fb"),
            ("https://a.example/%7euser", "https://a.example/~user"),
            ("https://a.example/a/./b/../c", "https://a.example/a/c"),
            ("https://a.example/a/%2e%2E/c", "https://a.example/c"),
            ("https://a.example/../../c", "https://a.example/c"),
            ("https://a.example/a/..", "https://a.example/"),
            ("https://a.example/a/b/..", "https://a.example/a/"),
            ("https://a.example/a/.", "https://a.example/a/"),
            ("https://a.example/a/", "https://a.example/a/"),
            ("https://a.example//a", "https://a.example//a"),
            ("https://a.example/A", "https://a.example/A"),
            ("https://a.example@evil.example/a", "https://a.example@evil.example/a"),
        ] {
            assert_eq!(normalized(uri).as_deref(), Some(expected), "{uri}");
        }
        let bad = "a /oauth/token a.example/x //a.example/x https: https:// https:///x https://:443/x \
            ftp://a.example/x urn:a:b javascript://a.example/x https://a.example/% https://a.example/%4 \
            https://a.example/%zz https://a.example/%+1 https://a.example/\u{e4} https://a.example/%\u{e4}";
        let with_blanks = ["", "https://a.example/a b", "https://a.example/x\n", " https://a.example/x"];
        for uri in bad.split(' ').chain(with_blanks) {
            assert_eq!(normalized(uri), None, "{uri:?}");
        }
    }

    proptest! {
        // [dpop RFC 9449 §4.3 i]
        #[test]
        fn normalization_is_idempotent(uri in "https?://[a-zA-Z0-9.:]{1,12}(/[a-zA-Z0-9.%~]{0,6}){0,4}|.{0,40}") {
            if let Some(normal) = normalized(&uri) {
                prop_assert_eq!(normalized(&normal), Some(normal.clone()), "{}", uri);
            }
        }
    }
}
