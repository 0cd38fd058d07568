//! What people call the browser that sends a `User-Agent`: its name and its system, such as `Firefox · Windows`. Nothing is decided by it.

/// Browsers by what only they say: each names those that it resembles, too, so the order counts.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];
/// Characters of a name that says neither.
const LONGEST: usize = 60;

/// The name; `None` where the browser says nothing of itself.
pub(crate) fn browser_name(user_agent: &str) -> Option<String> {
    let of = |known: &[(&str, &'static str)]| {
        known.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    let names: Vec<_> = [of(&BROWSERS), of(&SYSTEMS)].into_iter().flatten().collect();
    let name = if names.is_empty() { user_agent.chars().take(LONGEST).collect() } else { names.join(" · ") };
    (!name.trim().is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_as_people_call_them() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, expected) in [
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/141.0.0.0 Safari/537.36"), "Chrome · Linux"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0"),
                "Edge · Windows",
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0".to_owned(), "Firefox · macOS"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/141.0.0.0 Mobile Safari/537.36"), "Chrome · Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1".to_owned(), "Safari · iPhone"),
            ("curl/8.14.1".to_owned(), "curl/8.14.1"),
            ("x".repeat(256), &"x".repeat(60)),
        ] {
            assert_eq!(browser_name(&user_agent).as_deref(), Some(expected), "{user_agent}");
        }
        for nothing in ["", "  "] {
            assert_eq!(browser_name(nothing), None);
        }
    }
}
