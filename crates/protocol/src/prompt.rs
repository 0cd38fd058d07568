//! `prompt` of an authorization request: what the server must ask the person, even if it is not
//! necessary (OpenID Connect Core §3.1.2.1).

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The server may not show a page. It answers with an error if it needs one.
    pub none: bool,
    /// The person has to sign in again.
    pub login: bool,
    /// The person has to consent again.
    pub consent: bool,
    /// The person has to choose an account.
    pub select_account: bool,
}

impl Prompt {
    /// The values may be in any order. `None` for an unknown value, and for `none` together with
    /// another value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut prompt = Self::default();
        let (mut values, mut known) = (0_u8, true);
        for value in text.split(' ').filter(|value| !value.is_empty()) {
            values = values.saturating_add(1);
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => known = false,
            }
        }
        (known && !(prompt.none && values > 1)).then_some(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [core Core §3.1.2.1 d]
    #[test]
    fn prompt_none_excludes_others_and_unknown_values_fail() {
        let login = Prompt { login: true, ..Prompt::default() };
        for (text, expected) in [
            ("", Some(Prompt::default())),
            ("none", Some(Prompt { none: true, ..Prompt::default() })),
            ("login", Some(login)),
            ("consent login", Some(Prompt { consent: true, ..login })),
            ("select_account", Some(Prompt { select_account: true, ..Prompt::default() })),
            ("none login", None),
            ("none none", None),
            ("Login", None),
            ("create", None),
        ] {
            assert_eq!(Prompt::parse(text), expected, "{text}");
        }
    }
}
