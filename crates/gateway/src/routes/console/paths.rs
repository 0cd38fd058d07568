//! Where the console is.

use tenancy::TenantId;

/// The path of the pages of a tenant's administrators; of `platform` those of the operators.
pub(crate) fn path_of(home: &TenantId) -> String {
    if home.as_str() == TenantId::PLATFORM { "/console".to_owned() } else { format!("/console/t/{home}") }
}

/// The link back from an error page below a path of the console: its text, and the path of its overview.
pub(crate) fn way_from(path: &str) -> Option<(String, &str)> {
    let below = path.strip_prefix("/console")?;
    let end = match below.strip_prefix("/t/") {
        Some(rest) => path.len() - rest.len() + rest.find('/').unwrap_or(rest.len()),
        None => path.len() - below.len(),
    };
    Some(("the console".to_owned(), &path[..end]))
}
