//! The rules for new passwords (NIST SP 800-63B-4 §3.1.1.2): they must be long and not easily guessed. There
//! are no rules about kinds of characters, and passwords do not expire.

use std::collections::BTreeSet;

use derive_more::Display;
use values::Secret;
use zeroize::Zeroizing;
use zxcvbn::feedback::{Feedback, Warning};
use zxcvbn::{Score, zxcvbn};

use crate::normalised_password;

/// The minimum number of characters. With a second factor 8 would be enough, but tenants cannot require one
/// yet.
pub const SHORTEST_PASSWORD: usize = 15;

/// The number of characters that are checked for guessability. All characters are hashed.
const JUDGED: usize = 64;
/// The maximum number of distinct ambiguous characters for which every possible letter is checked.
const MOST_AMBIGUOUS: usize = 3;
/// The signs that `zxcvbn` interprets as letters.
const SIGNS: [(char, char); 10] = [
    ('@', 'a'),
    ('(', 'c'),
    ('{', 'c'),
    ('[', 'c'),
    ('<', 'c'),
    ('!', 'i'),
    ('|', 'l'),
    ('$', 's'),
    ('+', 't'),
    ('%', 'x'),
];

#[derive(Clone, Debug, Display, PartialEq, Eq)]
pub enum UnfitPassword {
    /// Fewer than [`SHORTEST_PASSWORD`] characters.
    #[display("a password must have at least {SHORTEST_PASSWORD} characters")]
    Short,
    /// More than 1 024 bytes, or control characters.
    #[display("a password can have at most 1024 bytes and no control characters")]
    Unreadable,
    /// Easily guessed, with the reason if it is known.
    #[display("this password is easy to guess{}", _0.map(|why| format!(", because it {why}")).unwrap_or_default())]
    Guessable(Option<&'static str>),
}

/// The normalized password, if it is acceptable. `context` contains what a stranger would guess first: the
/// names of the tenant, and the person's identifiers. Takes at most about 5 ms of a core, because `zxcvbn`
/// gets only the [`judged`] text.
///
/// # Errors
/// [`UnfitPassword`].
pub fn check_new_password(password: Secret, context: &[String]) -> Result<Secret, UnfitPassword> {
    let password = normalised_password(password).ok_or(UnfitPassword::Unreadable)?;
    if password.expose().chars().count() < SHORTEST_PASSWORD {
        return Err(UnfitPassword::Short);
    }
    let context: Vec<&str> = context.iter().flat_map(|text| words(text)).collect();
    let guessed = zxcvbn(&judged(password.expose()), &context);
    if guessed.score() >= Score::Three {
        return Ok(password);
    }
    let text = password.expose().to_lowercase();
    let is_context = |word: &&str| word.chars().count() > 2 && text.contains(&word.to_lowercase());
    Err(UnfitPassword::Guessable(match context.iter().any(is_context) {
        true => Some("contains a name or an address of the account or the tenant"),
        false => guessed.feedback().and_then(Feedback::warning).map(reason),
    }))
}

/// The sentences of `zxcvbn` are about passwords in general. These are about the one that was refused.
fn reason(warning: Warning) -> &'static str {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => "contains a row of keys",
        Warning::ShortKeyboardPatternsAreEasyToGuess => "contains a keyboard pattern",
        Warning::RepeatsLikeAaaAreEasyToGuess => "repeats one character",
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => "repeats the same characters",
        Warning::ThisIsATop10Password
        | Warning::ThisIsATop100Password
        | Warning::ThisIsACommonPassword
        | Warning::ThisIsSimilarToACommonlyUsedPassword => "contains a common password",
        Warning::SequencesLikeAbcAreEasyToGuess => "contains a sequence such as abc or 4321",
        Warning::RecentYearsAreEasyToGuess => "contains a recent year",
        Warning::DatesAreOftenEasyToGuess => "contains a date",
        Warning::AWordByItselfIsEasyToGuess => "is mostly a single word",
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess
        | Warning::CommonNamesAndSurnamesAreEasyToGuess => "is mostly a name",
    }
}

/// The text to pass to `zxcvbn`: the beginning of the password. `zxcvbn` evaluates a text once for each
/// combination of letters that its digits and signs can mean. If there are too many such characters, this
/// replaces each sign by its most likely letter; digits alone have only eight combinations.
fn judged(password: &str) -> Zeroizing<String> {
    let letter = |sign| SIGNS.iter().find(|(found, _)| *found == sign).map_or(sign, |(_, letter)| *letter);
    let beginning = || password.chars().take(JUDGED);
    let ambiguous = beginning().filter(|&sign| sign.is_ascii_digit() || letter(sign) != sign);
    let is_costly = ambiguous.collect::<BTreeSet<_>>().len() > MOST_AMBIGUOUS;
    Zeroizing::new(beginning().map(|sign| if is_costly { letter(sign) } else { sign }).collect())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() > 2);
    std::iter::once(text).chain(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, UnfitPassword> {
        let context = ["acme", "Acme Limited", "ada.lovelace@example.com"].map(str::to_owned);
        let checked = check_new_password(Secret::new(text.to_owned()), &context);
        checked.map(|password| password.expose().to_owned())
    }

    // [passwords §3.1.1.2]: A password that is the only factor has 15 characters or more; long ones are
    //   taken, and checked whole. Here up to 1 024 bytes
    // [passwords §3.1.1.2 b]: Passwords that are expected are refused, with the reason: common ones, and the
    //   names of the service and the person. No composition rules, no change by date
    // [V6 6.2.1]: 1 | Passwords have 8 characters or more, better 15 | not met | 15, at each interface that
    //   takes the password of an account. Not known of a hash that is given or imported, and not checked in
    //   `admin.users`
    // [V6 6.2.4]: 1 | New passwords are compared with the 3000 most common ones that the policy admits | not
    //   met | `zxcvbn` refuses what is made of common passwords, words, names and sequences. Of the 30 000
    //   passwords that it knows, 31 have 15 characters or more. Passwords in files are not compared
    // [V6 6.2.5]: 1 | Passwords may be made of any characters, and no kind is demanded | Of any but control
    //   characters
    // [V6 6.2.9]: 2 | Passwords of 64 characters are accepted | 1024 bytes: 256 characters at least
    #[test]
    fn password_must_be_long_and_hard_to_guess() {
        for text in [
            "correct horse battery staple",
            "all lower case words of a person",
            "\u{1f600}\u{1f643}\u{1f9ed}\u{1f9ea}\u{1f40c}\u{1f335}\u{1f3bb}\u{1f525}\u{1f9ca}\u{1f3b2}\u{1f9f6}\u{1f98a}\u{1f347}\u{1f6b2}\u{1f5ff}",
            &format!("correct horse battery staple {}", "x7Qk".repeat(240)),
        ] {
            assert_eq!(check(text).as_deref(), Ok(text));
        }
        assert_eq!(check("fourteen chars"), Err(UnfitPassword::Short));
        assert_eq!(check(&"\u{1f600}".repeat(14)), Err(UnfitPassword::Short), "characters count, not bytes");
        for text in [&"a".repeat(1_025), "a line\nfeed in a password", ""] {
            assert_eq!(check(text), Err(UnfitPassword::Unreadable), "{text:?}");
        }
        let guessable = "aaaaaaaaaaaaaaaaaaaa 123456789012345678 passwordpassword qwertyuiopasdfgh \
            ada.lovelace@example.com LovelaceLovelace1";
        for text in guessable.split(' ').chain(["Acme Limited 2026"]) {
            assert!(matches!(check(text), Err(UnfitPassword::Guessable(_))), "{text}");
        }
    }

    #[test]
    fn reason_of_a_guessable_password_is_its_own() {
        for (text, expected) in [
            ("aaaaaaaaaaaaaaaaaaaa", "repeats one character"),
            ("passwordpassword", "repeats the same characters"),
            ("qwertyuiopasdfgh", "contains a common password"),
            ("ada.lovelace@example.com", "contains a name or an address of the account or the tenant"),
            ("LovelaceLovelace1", "contains a name or an address of the account or the tenant"),
        ] {
            let said = check(text).unwrap_err().to_string();
            assert_eq!(said, format!("this password is easy to guess, because it {expected}"), "{text}");
        }
    }

    // [V6 6.2.11]: 2 | The listed words of the context make a password easy to guess, and so refused | not
    //   met | At the API and the command line. Of a password in a file the length alone is checked, of a
    //   given or imported hash nothing
    // [passwords §3.1.1.2 b]
    #[test]
    fn context_words_count_only_for_their_account() {
        let check = |context: &[&str]| {
            let context: Vec<_> = context.iter().map(|&text| text.to_owned()).collect();
            check_new_password(Secret::new("zorblattuxquuxly".to_owned()), &context)
        };
        assert!(check(&["globex", "ada@example.com"]).is_ok());
        assert!(check(&["acme", "zorblattuxquuxly@example.com"]).is_err());
    }

    // [V6 6.2.8]: 1 | The password is checked as it was typed, not cut and in its own case | not met | It is
    //   taken whole and in its own case, but in normalisation form C, on purpose (NIST SP 800-63B-4
    //   §3.1.1.2). An imported bcrypt hash counts 72 bytes, until the person signs in
    // [passwords §3.1.1.2]
    #[test]
    fn password_is_normalised_and_not_truncated() {
        let typed = format!("cafe\u{301} {}", "k9 zu ".repeat(20));
        assert_eq!(check(&typed), Ok(format!("caf\u{e9} {}", "k9 zu ".repeat(20))));
    }

    /// Texts for which `zxcvbn` takes long. A review found the first ones.
    fn costly() -> Vec<String> {
        let texts = [
            "<a4@8b({[<c3e69g1!|il70o$5s+t%x2z",
            "1|7+4@",
            "1|7+!(",
            "1|7+4@a",
            "4@8({[<3691!|70$5+%2",
            "a4@8b(c3e6g1i!l|7t",
            "01/02/1987",
            "19871203",
            "1qaz2wsx3edc",
            "qwertyuiop",
            "a1b2",
            "aab",
            "\u{e9}4@\u{1f600}|1",
        ];
        texts.iter().map(|text| text.chars().cycle().take(1_024 / text.len() * 5).collect()).collect()
    }

    // [third 7]: An import of passwords made of `4@8({[<3…`, each of which `zxcvbn` judged for a second, kept
    //   the other tenants' passwords waiting | fixed | `zxcvbn` judges 64 characters. If more than three
    //   distinct digits and signs can be letters, each sign is one letter, so that a text has at most ten
    //   combinations of letters
    #[test]
    fn zxcvbn_tries_at_most_ten_letter_combinations() {
        for text in costly() {
            let judged = judged(&text);
            assert!(judged.chars().count() <= JUDGED, "{text}");
            assert!(combinations(&judged) <= 10, "{text}: {}", combinations(&judged));
        }
        assert_eq!(combinations("<4@8({[<3691!|70$5+%2"), 800, "the count is that of zxcvbn");
        // All sets of ambiguous characters up to one more than the limit, and the set of all.
        let ambiguous: Vec<char> = SIGNS.iter().map(|(sign, _)| *sign).chain('0'..='9').collect();
        let few = (0..1_u32 << ambiguous.len()).filter(|set| set.count_ones() as usize <= MOST_AMBIGUOUS + 1);
        for set in few.chain([u32::MAX]) {
            let chosen = ambiguous.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
            let text: String = chosen.map(|(_, sign)| *sign).collect();
            assert!(combinations(&judged(&text)) <= 10, "{text}");
        }
    }

    /// How many times `zxcvbn` evaluates a text with different letters, counted like its function
    /// `enumerate_l33t_replacements`.
    fn combinations(text: &str) -> usize {
        let table = [
            ('a', "4@"),
            ('b', "8"),
            ('c', "({[<"),
            ('e', "3"),
            ('g', "69"),
            ('i', "1!|"),
            ('l', "1|7"),
            ('o', "0"),
            ('s', "$5"),
            ('t', "+7"),
            ('x', "%"),
            ('z', "2"),
        ];
        let mut found = vec![String::new()];
        for (_, signs) in table {
            let signs: Vec<char> = signs.chars().filter(|sign| text.contains(*sign)).collect();
            let mut next = Vec::new();
            for sign in &signs {
                for taken in &found {
                    if taken.contains(*sign) {
                        next.push(taken.clone());
                        next.push(taken.clone());
                    } else {
                        next.push(format!("{taken}{sign}"));
                    }
                }
            }
            if !signs.is_empty() {
                found = next;
            }
        }
        found.len()
    }

    // [third 7]
    #[test]
    fn substitutions_stay_guessable_and_tails_are_not_judged() {
        for text in ["P@$$w0rd1234567", "1234567890123456", "20011987200119872001"] {
            assert!(matches!(check(text), Err(UnfitPassword::Guessable(_))), "{text}");
        }
        let strong = "correct horse battery staple ";
        let words = strong.repeat(3);
        for rest in ["a".repeat(900), "4@8({[<3691!|70$5+%2".repeat(40)] {
            let text = format!("{words}{rest}");
            assert_eq!(check(&text).as_deref(), Ok(&*text), "all of it is hashed");
        }
        assert!(check("4@8({[<3691!|70$5+%2 9zkqwvHbtY").is_ok());
    }

    #[test]
    fn sample_password_of_the_docs_is_accepted() {
        assert!(check("acme-sample-password").is_ok());
    }
}
