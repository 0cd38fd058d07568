//! How long a response may be cached (RFC 9111 §5.2.2, RFC 5861 §3).

use std::time::Duration;

/// The cache headers of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheControl {
    /// `max-age` without the present age of the response. 0 if it must not be cached.
    pub(crate) max_age: Option<Duration>,
    /// `stale-while-revalidate`.
    pub(crate) revalidate: Option<Duration>,
}

impl CacheControl {
    /// Reads the values of all `Cache-Control` headers, and of `Age` (RFC 9111 §5.1).
    pub(crate) fn read<'a>(headers: impl Iterator<Item = &'a str>, age: Option<&str>) -> Self {
        let mut found = Self::default();
        for directive in headers.flat_map(|header| header.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let seconds = || value.trim().trim_matches('"').parse().ok().map(Duration::from_secs);
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" if found.max_age.is_none() => found.max_age = seconds(),
                "no-store" | "no-cache" => found.max_age = Some(Duration::ZERO),
                "stale-while-revalidate" => found.revalidate = seconds(),
                _ => {}
            }
        }
        let age = age.and_then(|age| age.trim().parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
        found.max_age = found.max_age.map(|max_age| max_age.saturating_sub(age));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_and_age_are_parsed() {
        for (headers, age, max_age, revalidate) in [
            (&["public, max-age=300, stale-while-revalidate=60"][..], None, Some(300), Some(60)),
            (&["Max-Age=\"30\"", "Stale-While-Revalidate=5"], None, Some(30), Some(5)),
            (&["max-age=300"], Some("100"), Some(200), None),
            (&["max-age=300"], Some("900"), Some(0), None),
            (&["no-store"], None, Some(0), None),
            (&["max-age=10, no-cache"], None, Some(0), None),
            (&["max-age=-1, s-maxage=7"], None, None, None),
            (&["max-age=1e3"], None, None, None),
            (&[], None, None, None),
        ] {
            let [max_age, revalidate] = [max_age, revalidate].map(|age| age.map(Duration::from_secs));
            let expected = CacheControl { max_age, revalidate };
            assert_eq!(CacheControl::read(headers.iter().copied(), age), expected, "{headers:?}");
        }
    }
}
