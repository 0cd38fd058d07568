//! `prompt` of an authorization request: what the person must be asked, whether or not it is needed (OpenID
//! Connect Core §3.1.2.1).

/// The prompts of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nothing may be shown. If something would have to be, the answer is an error.
    pub none: bool,
    /// The person signs in again.
    pub login: bool,
    /// The person is asked for consent again.
    pub consent: bool,
    /// The person chooses another account.
    pub select_account: bool,
}

impl Prompt {
    /// Reads the list, in any order; `None` for an unknown value, or for `none` beside another.
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
    fn none_is_alone_and_every_value_is_known() {
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
