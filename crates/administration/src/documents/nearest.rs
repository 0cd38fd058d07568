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
}
