//! Paths of the console.

use tenancy::TenantId;
use url::{Position, Url, form_urlencoded};

/// The parameter with the page to open after a sign-in.
pub(crate) const WANTED: &str = "to";

/// `/console` for operators, `/console/t/…` for the administrators of a tenant.
pub(crate) fn path_of(home: &TenantId) -> String {
    if home.as_str() == TenantId::PLATFORM { "/console".to_owned() } else { format!("/console/t/{home}") }
}

/// The page to open after a sign-in at this tenant. `None` unless the text is the path of a page that
/// the tenant's administrators can open, so that nobody sends a browser elsewhere.
pub(crate) fn wanted(home: &TenantId, text: &str) -> Option<String> {
    const WITHOUT_SESSION: [&str; 4] = ["/sign-in", "/link", "/account", "/sign-out"];
    let below = text.strip_prefix(&*path_of(home))?;
    let is_page = (below.is_empty() || below.starts_with('/')) && !WITHOUT_SESSION.contains(&below);
    // The same text for a browser: no other host, no `..`, no query.
    let read = Url::parse("http://localhost").and_then(|base| base.join(text)).ok()?;
    (is_page && read[Position::BeforePath..] == *text && read[Position::AfterPath..].is_empty())
        .then(|| text.to_owned())
}

/// A path with the page to open after a sign-in, if there is one.
pub(crate) fn with_wanted(path: String, wanted: Option<&str>) -> String {
    let Some(wanted) = wanted else { return path };
    let mark = if path.contains('?') { '&' } else { '?' };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(WANTED, wanted).finish();
    format!("{path}{mark}{query}")
}

/// The path of the link from an error page back to the overview. `None` outside the console.
pub(crate) fn way_from(path: &str) -> Option<&str> {
    let below = path.strip_prefix("/console")?;
    let end = match below.strip_prefix("/t/") {
        Some(rest) => path.len() - rest.len() + rest.find('/').unwrap_or(rest.len()),
        None => path.len() - below.len(),
    };
    Some(&path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    // [attacks #41]
    #[test]
    fn only_own_console_pages_are_wanted() {
        let acme = TenantId::parse("acme").unwrap();
        for path in ["/console/t/acme", "/console/t/acme/keys", "/console/t/acme/applications/a%2Fb"] {
            assert_eq!(wanted(&acme, path).as_deref(), Some(path));
        }
        for path in [
            "",
            "/",
            "/console",
            "/console/t/globex/keys",
            "/console/t/acmes",
            "/console/t/acme/sign-out",
            "/console/t/acme/../globex",
            "/console/t/acme/%2e%2e/globex",
            "/console/t/acme/\\..",
            "/console/t/acme?to=x",
            "/console/t/acme#x",
            "//evil.example/console/t/acme",
            "https://evil.example/console/t/acme",
            "/console/t/acme/\nx",
        ] {
            assert_eq!(wanted(&acme, path), None, "{path}");
        }
        let platform = TenantId::platform();
        assert_eq!(wanted(&platform, "/console/tenants").as_deref(), Some("/console/tenants"));
        assert_eq!(wanted(&platform, "/consoles"), None);
    }
}
