//! Patterns for texts such as subjects. `*` matches any characters except `:` and `/`; `**` matches any
//! characters; every other character matches itself.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TextPattern(String);

/// The maximum length in bytes of a text that can match a pattern with `*`, which limits the duration of a
/// check.
const LONGEST_TEXT: usize = 1_024;

#[derive(Clone, Copy)]
enum Part {
    Byte(u8),
    Segment,
    Any,
}

impl Part {
    fn allows(self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => own == byte,
            Self::Segment => byte != b':' && byte != b'/',
            Self::Any => true,
        }
    }

    const fn is_star(self) -> bool {
        matches!(self, Self::Segment | Self::Any)
    }
}

/// Adds a position in the pattern, and the positions after it that can be reached without consuming a
/// character.
fn reach(reached: &mut Vec<usize>, parts: &[Part], mut place: usize) {
    loop {
        if reached.last().is_none_or(|last| *last < place) {
            reached.push(place);
        }
        match parts.get(place) {
            Some(part) if part.is_star() => place += 1,
            _ => return,
        }
    }
}

impl TextPattern {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern has no wildcards.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether the pattern matches nearly everything: it consists of wildcards and separators only.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.bytes().all(|byte| matches!(byte, b'*' | b':' | b'/'))
    }

    /// The text before the first wildcard.
    #[must_use]
    pub fn beginning(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// The number of wildcards: `*` and `**` each count as one.
    #[must_use]
    pub fn stars(&self) -> usize {
        self.parts().iter().filter(|part| part.is_star()).count()
    }

    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.matches_within(text, &mut usize::MAX.clone()) == Some(true)
    }

    /// Whether a text matches. `None` if the steps are used up. Needs at most one step for each character of
    /// the pattern and of the text.
    pub(crate) fn matches_within(&self, text: &str, steps: &mut usize) -> Option<bool> {
        *steps = steps.checked_sub(1)?;
        if self.is_exact() {
            return Some(self.0 == text);
        }
        // Most texts differ before the first wildcard or after the last, so these parts are compared first.
        let start = self.beginning();
        let end = self.0.rsplit('*').next().unwrap_or_default();
        let may_fit = text.len() <= LONGEST_TEXT && text.len() >= start.len() + end.len();
        if !may_fit || !text.starts_with(start) || !text.ends_with(end) {
            return Some(false);
        }
        let parts = self.parts();
        let parts = &parts[start.len()..parts.len() - end.len()];
        // The positions in the pattern that the text read so far can reach, in ascending order.
        let mut reached = Vec::new();
        reach(&mut reached, parts, 0);
        for byte in text[start.len()..text.len() - end.len()].bytes() {
            *steps = steps.checked_sub(reached.len())?;
            let mut next = Vec::with_capacity(reached.len() + 1);
            for place in reached {
                match parts.get(place) {
                    Some(part) if part.is_star() && part.allows(byte) => reach(&mut next, parts, place),
                    Some(Part::Byte(own)) if *own == byte => reach(&mut next, parts, place + 1),
                    _ => {}
                }
            }
            reached = next;
        }
        Some(reached.last() == Some(&parts.len()))
    }

    /// Whether a text exists that matches both patterns. Returns `false` if the steps are used up.
    #[must_use]
    pub fn overlaps(&self, other: &Self, steps: &mut usize) -> bool {
        if self.is_exact() && other.is_exact() {
            return self == other;
        }
        // Most patterns differ before their first wildcard.
        let bytes = self.0.bytes().zip(other.0.bytes());
        let first =
            bytes.take_while(|(one, other)| *one != b'*' && *other != b'*').find(|(one, other)| one != other);
        first.is_none() && *steps > 0 && meet(&self.parts(), &other.parts(), steps)
    }

    fn parts(&self) -> Vec<Part> {
        let mut bytes = self.0.bytes().peekable();
        let part = || {
            Some(match bytes.next()? {
                b'*' if bytes.next_if_eq(&b'*').is_some() => Part::Any,
                b'*' => Part::Segment,
                byte => Part::Byte(byte),
            })
        };
        std::iter::from_fn(part).collect()
    }
}

/// Whether a text exists that matches both patterns. Computes, row by row, which prefixes of `other` can
/// match the same text as the current prefix of `one`.
fn meet(one: &[Part], other: &[Part], steps: &mut usize) -> bool {
    let mut fits = vec![false; other.len() + 1];
    fits[0] = true;
    for at in 0..=one.len() {
        *steps = steps.saturating_sub(fits.len());
        if *steps == 0 {
            return false;
        }
        let mut next = vec![false; other.len() + 1];
        for place in 0..=other.len() {
            if !fits[place] {
                continue;
            }
            let (mine, theirs) = (one.get(at).copied(), other.get(place).copied());
            // A wildcard can match the empty text.
            if matches!(mine, Some(Part::Segment | Part::Any)) {
                next[place] = true;
            }
            if matches!(theirs, Some(Part::Segment | Part::Any)) {
                fits[place + 1] = true;
            }
            match (mine, theirs) {
                (Some(Part::Byte(mine)), Some(Part::Byte(theirs))) => next[place + 1] |= mine == theirs,
                (Some(Part::Byte(mine)), Some(star)) => next[place] |= star.allows(mine),
                (Some(star), Some(Part::Byte(theirs))) => fits[place + 1] |= star.allows(theirs),
                _ => {}
            }
        }
        if at == one.len() {
            return fits[other.len()];
        }
        fits = next;
        if !fits.contains(&true) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_star_matches_one_segment_two_match_any() {
        for (pattern, text, expected) in [
            ("repo:acme/billing:ref:refs/heads/main", "repo:acme/billing:ref:refs/heads/main", true),
            ("repo:acme/billing:ref:refs/heads/main", "repo:acme/billing:ref:refs/heads/mains", false),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/billing:ref:refs/heads/main", true),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/a:b:ref:refs/heads/main", false),
            ("repo:acme/*", "repo:acme/billing:pull_request", false),
            ("repo:acme/**", "repo:acme/billing:pull_request", true),
            ("repo:acme/**", "repo:acme/", true),
            ("repo:acme/*/x", "repo:acme//x", true),
            ("spiffe://example.org/ns/*/sa/web", "spiffe://example.org/ns/prod/sa/web", true),
            ("spiffe://example.org/ns/*/sa/web", "spiffe://example.org/ns/prod/x/sa/web", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("*", "anything", true),
            ("*", "a/b", false),
            ("a", "A", false),
            ("", "", true),
            ("é*", "école", true),
        ] {
            assert_eq!(TextPattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        assert!(!TextPattern::new("a**").matches(&"a".repeat(1_025)));
    }

    #[test]
    fn patterns_overlap_if_one_text_matches_both() {
        for (one, other, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a*", "*b", true),
            ("a*:x", "*:y", false),
            ("repo:acme/*:ref:main", "repo:acme/billing:ref:*", true),
            ("repo:acme/*", "repo:globex/*", false),
            ("repo:acme/*", "repo:acme/a/b", false),
            ("repo:acme/**", "repo:acme/a/b", true),
            ("*a", "*b", false),
            ("**", "", true),
        ] {
            let (one, other) = (TextPattern::new(one), TextPattern::new(other));
            let mut steps = 10_000;
            let overlap = [one.overlaps(&other, &mut steps), other.overlaps(&one, &mut steps)];
            assert_eq!(overlap, [expected; 2], "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_pattern_of_stars_and_separators_is_open() {
        for pattern in ["*", "**", "*:*", "*/**", ""] {
            assert!(TextPattern::new(pattern).is_open(), "{pattern}");
        }
        for pattern in ["a*", "a"] {
            assert!(!TextPattern::new(pattern).is_open(), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn patterns_matching_one_text_overlap(
            one in "[ab:*]{0,8}", other in "[ab:*]{0,8}", text in "[ab:]{0,8}",
        ) {
            let (one, other) = (TextPattern::new(&one), TextPattern::new(&other));
            let mut steps = 10_000;
            prop_assert_eq!(one.overlaps(&other, &mut steps), other.overlaps(&one, &mut steps));
            if one.matches(&text) && other.matches(&text) {
                prop_assert!(one.overlaps(&other, &mut steps));
            }
        }

        #[test]
        fn bounded_matching_agrees_with_overlap(text in ".{0,60}|[a:/]{0,12}", pattern in "[a*:/]{0,12}") {
            prop_assert!(TextPattern::new("**").matches(&text) || text.len() > LONGEST_TEXT);
            let pattern = TextPattern::new(&pattern);
            let mut steps = usize::MAX;
            let fits = pattern.matches_within(&text, &mut steps);
            let taken = usize::MAX - steps;
            prop_assert!(taken <= 1 + (pattern.as_str().len() + 1) * text.len());
            prop_assert_eq!(pattern.matches_within(&text, &mut taken.clone()), fits);
            // `overlaps` uses a different algorithm, so it can check the result.
            let is_plain = !text.contains('*');
            let overlaps = pattern.overlaps(&TextPattern::new(&text), &mut usize::MAX.clone());
            prop_assert!(!is_plain || fits == Some(overlaps), "{:?} {}", pattern, text);
        }
    }
}
