//! The name of a browser for people, from its `User-Agent`: browser and system, such as `Firefox on
//! Windows`. Only for display.

/// Browsers by words that only they send. The order matters, because most browsers also send the
/// words of the browsers that they imitate.
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
/// Characters to show of an unknown `User-Agent`.
const LONGEST: usize = 60;

/// `on` joins browser and system in the language of the page. `None` if the `User-Agent` is empty.
#[must_use]
pub fn browser_name(user_agent: &str, on: fn(&str, &str) -> String) -> Option<String> {
    let of = |known: &[(&str, &'static str)]| {
        known.iter().find(|(part, _)| user_agent.contains(part)).map(|(_, name)| *name)
    };
    let name = match (of(&BROWSERS), of(&SYSTEMS)) {
        (Some(browser), Some(system)) => on(browser, system),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => user_agent.chars().take(LONGEST).collect(),
    };
    (!name.trim().is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(user_agent: &str) -> Option<String> {
        browser_name(user_agent, |browser, system| format!("{browser} on {system}"))
    }

    #[test]
    fn user_agents_get_familiar_browser_names() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (user_agent, expected) in [
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/141.0.0.0 Safari/537.36"), "Chrome on Linux"),
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/141.0.0.0 Safari/537.36 Edg/141.0"),
                "Edge on Windows",
            ),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:143.0) Gecko/20100101 Firefox/143.0".to_owned(), "Firefox on macOS"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} Chrome/141.0.0.0 Mobile Safari/537.36"), "Chrome on Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1".to_owned(), "Safari on iPhone"),
            ("curl/8.14.1".to_owned(), "curl/8.14.1"),
            ("x".repeat(256), &"x".repeat(60)),
        ] {
            assert_eq!(name(&user_agent).as_deref(), Some(expected), "{user_agent}");
        }
        for nothing in ["", "  "] {
            assert_eq!(name(nothing), None);
        }
    }
}
