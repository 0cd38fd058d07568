//! Scopes: a list of case-sensitive tokens (RFC 6749 §3.3).

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use values::{AsStr, SerializeDisplay};

use crate::steps;

/// Up to this number of tokens, a linear search is cheaper than a hash set.
const FEW: usize = 16;

/// Bytes. Avoids growing the buffer for most scopes.
const USUAL_TEXT: usize = 64;

/// Requests a refresh token that stays valid after the session (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// One token of a scope: `1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
#[derive(AsStr, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeToken(String);

/// A set of scope tokens in the order of the request. The answer keeps the order.
#[derive(Clone, Debug, Default, PartialEq, Eq, SerializeDisplay, Deserialize)]
#[serde(try_from = "String")]
pub struct Scope(Vec<ScopeToken>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope token contains a character that RFC 6749 section 3.3 does not allow")]
pub struct InvalidScope;

impl ScopeToken {
    /// The prefix of administrators' permissions. Configuration files and resource servers cannot
    /// declare a scope with this prefix.
    pub const RESERVED_PREFIX: &str = "latchkey:";

    /// The scope of OpenID Connect, and those that request claims about people (OpenID Connect Core §5.4).
    /// `groups` is not standard, but usual.
    pub const OF_PEOPLE: [&str; 7] =
        ["openid", "profile", "email", "address", "phone", "groups", "offline_access"];

    /// # Errors [`InvalidScope`] when the token is empty or contains a space, a quote, a backslash
    /// or a character outside printable ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        steps::note(text.len());
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let fits = !text.is_empty() && text.bytes().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidScope) }
    }

    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(Self::RESERVED_PREFIX)
    }
}

impl Scope {
    /// Splits at spaces. Repeated spaces are accepted, although the grammar has single ones.
    /// Repeated tokens are kept once.
    ///
    /// # Errors [`InvalidScope`] if any token is not allowed. No token is dropped silently.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let mut tokens = Vec::with_capacity(Self::sent(text).count());
        for token in Self::sent(text) {
            tokens.push(ScopeToken::parse(token)?);
        }
        Ok(tokens.into_iter().collect())
    }

    /// The tokens of the text, unchecked and with repetitions.
    pub fn sent(text: &str) -> impl Iterator<Item = &str> {
        steps::note(text.len());
        text.split(' ').filter(|token| !token.is_empty())
    }

    /// `None` if there are no tokens, because the grammar has no empty scope.
    #[must_use]
    pub fn text<'a>(tokens: impl Iterator<Item = &'a ScopeToken>) -> Option<String> {
        let mut text = String::new();
        for token in tokens {
            if text.is_empty() {
                text.reserve(USUAL_TEXT);
            } else {
                text.push(' ');
            }
            text.push_str(token.as_str());
        }
        (!text.is_empty()).then_some(text)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn contains(&self, token: &ScopeToken) -> bool {
        self.0.contains(token)
    }

    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        let mut tokens: Vec<ScopeToken> = tokens.into_iter().collect();
        if tokens.len() <= FEW {
            let mut next = 0;
            while let Some(token) = tokens.get(next) {
                steps::note(next);
                if tokens[..next].contains(token) {
                    tokens.remove(next);
                } else {
                    next += 1;
                }
            }
            return Self(tokens);
        }
        let mut known = HashSet::with_capacity(tokens.len());
        let are_first: Vec<bool> = tokens
            .iter()
            .map(|token| {
                steps::note(1);
                known.insert(token)
            })
            .collect();
        let mut are_first = are_first.into_iter();
        tokens.retain(|_| are_first.next() == Some(true));
        Self(tokens)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<&str, InvalidScope>) {
        let found = Scope::parse(text).map(|scope| scope.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{text:?}");
    }

    // [oauth RFC 6749 §3.3 b]: One space between two tokens. Here runs of spaces are accepted, since they are
    //   unambiguous | departs
    // [oauth RFC 6749 §3.3]
    #[test]
    fn scopes_keep_their_order_and_lose_repetitions() {
        check("api:write api:read", Ok("api:write api:read"));
        check("a b a", Ok("a b"));
        check("  a  b ", Ok("a b"));
        check("", Ok(""));
    }

    // [oauth RFC 6749 §3.3]: A scope is a list of case-sensitive tokens of printable ASCII without quote and
    //   backslash, in any order
    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for bad in ["a\"b", "a\\b", "a\tb", "a\u{e9}", "a\nb", "a\u{7f}"] {
            check(bad, Err(InvalidScope));
        }
    }

    /// The previous implementation, which did not use a set.
    fn one_by_one(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        for token in text.split(' ').filter(|token| !token.is_empty()) {
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        tokens
    }

    proptest! {
        #[test]
        fn each_token_is_kept_once_in_order(text in "([a-d]{1,3} {0,2}){0,60}") {
            let scope = Scope::parse(&text).unwrap();
            let found: Vec<_> = scope.iter().map(ScopeToken::as_str).collect();
            prop_assert_eq!(found, one_by_one(&text));
            prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        }

        #[test]
        fn any_text_is_a_scope_or_refused(text in ".{0,60}") {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert!(text.is_ascii());
                prop_assert!(scope.iter().all(|token| ScopeToken::parse(token.as_str()).as_ref() == Ok(token)));
            }
        }
    }
}
