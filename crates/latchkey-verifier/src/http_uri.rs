//! HTTP URIs in one spelling, so that two of them can be compared (RFC 3986 §6.2.2, §6.2.3, RFC 9449 §4.3).

/// The URI without query and fragment in its normal form; `None` for what is no absolute HTTP URI. The work is linear in its length.
pub(crate) fn normalized(uri: &str) -> Option<String> {
    let is_printable = uri.bytes().all(|byte| byte.is_ascii_graphic());
    let uri = uri.split(['?', '#']).next().filter(|_| is_printable)?;
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = decoded(authority)?.to_ascii_lowercase();
    // An explicit default port, an empty port and an empty path are the same as none.
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority).trim_end_matches(':');
    if authority.is_empty() {
        return None;
    }
    Some(format!("{scheme}://{authority}{}", without_dot_segments(&decoded(path)?)))
}

/// Unreserved characters as they are, all others with upper-case digits.
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

/// RFC 3986 §5.2.4, of an absolute path.
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
    use super::*;

    #[test]
    fn two_spellings_of_one_uri_are_equal_and_other_uris_are_not() {
        const URI: &str = "https://api.example.com/orders/7";
        for (spelling, is_same) in [
            (URI, true),
            ("HTTPS://API.example.com:443/orders/7?a=b#c", true),
            ("https://api.example.com/./orders/x/../%37", true),
            ("https://api.example.com:8443/orders/7", false),
            ("http://api.example.com/orders/7", false),
            ("https://api.example.com/Orders/7", false),
            ("https://api.example.com/orders/7/", false),
            ("https://api.example.com/orders%2F7", false),
            ("https://api.example.com@evil.example/orders/7", false),
            ("/orders/7", false),
            ("https:///orders/7", false),
            ("https://api.example.com/orders/7 ", false),
            ("https://api.example.com/orders/%7", false),
        ] {
            assert_eq!(normalized(spelling).as_deref() == Some(URI), is_same, "{spelling}");
        }
        assert_eq!(normalized("https://a").as_deref(), Some("https://a/"));
    }
}
