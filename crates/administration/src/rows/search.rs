//! Finds tenants by words. A page costs the same among ten tenants and among a hundred thousand. One word of
//! the query drives the search: tenants are read in the order of their own words that begin with the driving
//! word, and the other words are checked for each tenant. The driving word is the rarest one: nearly every
//! tenant may have the word `tenant`, but only one the word `99999`.

use crate::store::query::TenantQuery;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantSearch {
    /// The driving word. The position of a tenant is the smallest of its words with this prefix.
    pub prefix: String,
    /// The page begins after this position: a word and a tenant's id.
    pub after: (String, String),
    /// All words with the driving prefix are smaller than this text.
    pub end: String,
    /// Prefixes that other words of the tenant must have.
    pub others: Vec<Prefix>,
}

/// All words with a prefix: those between the prefix and an end, compared by bytes.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Prefix {
    /// The smallest word.
    pub prefix: String,
    /// A text that is greater than all words with the prefix.
    pub following: String,
}

/// The most words that are counted to find the rarest one.
pub const COUNTED_TERMS: u64 = 10_000;

impl Prefix {
    /// The range for this prefix. The greatest character is in no word, because words have only letters and
    /// digits.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self { prefix: text.to_owned(), following: format!("{text}{}", char::MAX) }
    }
}

impl TenantSearch {
    /// Whether the words with each prefix must be counted. Otherwise the driving word can be chosen without
    /// counts.
    #[must_use]
    pub fn needs_counts(query: &TenantQuery) -> bool {
        query.terms.len() > 1 && query.after.is_none()
    }

    /// The search for a query with words. `count` returns how many words of tenants have a prefix, at most
    /// [`COUNTED_TERMS`].
    ///
    /// Only the first page counts. The cursor of a later page contains a word that begins with the driving
    /// word. If it begins with two words of the query, the longer one is at least as rare.
    #[must_use]
    pub fn new(query: &TenantQuery, count: impl Fn(&str) -> u64) -> Option<Self> {
        let terms = query.terms.iter();
        let driving = match &query.after {
            Some(after) => terms.filter(|word| after.word.starts_with(*word)).max_by_key(|word| word.len()),
            None if query.terms.len() == 1 => query.terms.first(),
            None => terms.min_by_key(|word| (count(word).min(COUNTED_TERMS), usize::MAX - word.len())),
        };
        // A cursor from another search contains no word of this search.
        let driving = driving.or_else(|| query.terms.first())?;
        let Prefix { prefix, following: end } = Prefix::from_text(driving);
        let after = query.after.as_ref().map(|after| (after.word.clone(), after.tenant.to_string()));
        // A cursor from another search may be before all words with the prefix.
        let after = after.unwrap_or_default().max((prefix.clone(), String::new()));
        let others =
            query.terms.iter().filter(|word| *word != driving).map(|word| Prefix::from_text(word)).collect();
        Some(Self { prefix, after, end, others })
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;
    use crate::store::query::{TenantCursor, search_terms};

    fn query(terms: &str, after: Option<(&str, &str)>) -> TenantQuery {
        let after = after.map(|(word, tenant)| TenantCursor {
            word: word.to_owned(),
            tenant: TenantId::parse(tenant).unwrap(),
        });
        TenantQuery { terms: search_terms(terms), after, limit: 9 }
    }

    /// Counts as if every tenant had the name `tenant` and a number.
    fn count(prefix: &str) -> u64 {
        if prefix.starts_with(|letter: char| letter.is_ascii_digit()) { 3 } else { 90_000 }
    }

    #[test]
    fn the_rarest_term_is_searched_first() {
        for (terms, driving) in [
            ("tenant", "tenant"),
            ("tenant-99", "99"),
            ("99 tenant", "99"),
            ("9 99", "99"),
            ("odd tenant", "tenant"),
        ] {
            let search = TenantSearch::new(&query(terms, None), count).unwrap();
            assert_eq!(search.prefix, driving, "{terms}");
            assert_eq!(search.after, (driving.to_owned(), String::new()), "{terms}");
            assert_eq!(search.others.len() + 1, search_terms(terms).len(), "{terms}");
        }
        assert_eq!(TenantSearch::new(&query("-", None), count), None);
    }

    #[test]
    fn later_pages_reuse_the_driving_term_without_counts() {
        for (terms, at, driving) in [
            ("tenant-99", ("9901", "tenant-9901"), "99"),
            ("9 99", ("998", "tenant-998"), "99"),
            ("tenant", ("tenant", "tenant-1"), "tenant"),
        ] {
            let query = query(terms, Some(at));
            assert!(!TenantSearch::needs_counts(&query));
            let search = TenantSearch::new(&query, |_| unreachable!("counts a later page")).unwrap();
            assert_eq!((search.prefix.as_str(), search.after.0.as_str()), (driving, at.0), "{terms}");
        }
    }

    #[test]
    fn cursor_never_precedes_the_first_page() {
        for (at, word) in [(("", "acme"), "north"), (("acme", "acme"), "north"), (("zed", "acme"), "zed")] {
            let search = TenantSearch::new(&query("north", Some(at)), count).unwrap();
            assert_eq!((search.prefix.as_str(), search.after.0.as_str()), ("north", word), "{at:?}");
        }
    }

    #[test]
    fn prefix_end_follows_every_matching_term() {
        let Prefix { prefix, following: end } = Prefix::from_text("straß");
        for (word, begins) in [("straß", true), ("straße", true), ("straß\u{10fffd}", true), ("strat", false)]
        {
            assert_eq!((prefix.as_str()..end.as_str()).contains(&word), begins, "{word}");
        }
    }
}
