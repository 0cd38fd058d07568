//! "Did you mean": finds the valid name that is most similar to an invalid one.

/// The most similar valid name, if it is so similar that `given` may be a typing error.
#[must_use]
pub fn nearest<'a>(given: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: String = given.chars().take(64).flat_map(char::to_lowercase).collect();
    valid
        .into_iter()
        .map(|name| (strsim::osa_distance(&given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The valid name to suggest for an unknown one: the [`nearest`], or else the shortest that has all of its
/// words, as `client_secret` has `secret`.
#[must_use]
pub fn suggested<'a>(given: &str, valid: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    nearest(given, valid.clone()).or_else(|| {
        let words = |name: &str| {
            let words = name.split(['_', '-', '.']).map(|word| word.trim_end_matches('s').to_lowercase());
            words.filter(|word| !word.is_empty()).collect::<Vec<_>>()
        };
        let wanted = words(given);
        let has_all = |name: &&str| {
            let present = words(name);
            !wanted.is_empty() && wanted.iter().all(|word| present.contains(word))
        };
        valid.into_iter().filter(has_all).min_by_key(|name| name.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_similar_names_are_suggested() {
        let valid = ["client_id", "client_secret", "client_secrets", "scopes", "issuer", "env"];
        for (given, meant) in [
            ("clinet_id", Some("client_id")),
            ("Scopes", Some("scopes")),
            ("scope", Some("scopes")),
            ("client_secert", Some("client_secret")),
            ("isuer", Some("issuer")),
            ("evn", Some("env")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, valid), meant, "{given}");
        }
    }

    #[test]
    fn name_with_the_same_words_is_suggested() {
        let valid =
            ["client_secret", "redirect_uris", "access_token_lifetime", "default_max_age", "jwks_uri"];
        for (given, meant) in [
            ("client_secert", Some("client_secret")),
            ("secret", Some("client_secret")),
            ("secrets", Some("client_secret")),
            ("redirect", Some("redirect_uris")),
            ("uri", Some("jwks_uri")),
            ("token_lifetime", Some("access_token_lifetime")),
            ("max-age", Some("default_max_age")),
            ("banana", None),
            ("secret_lifetime", None),
            ("_", None),
            ("", None),
        ] {
            assert_eq!(suggested(given, valid), meant, "{given}");
        }
    }
}
