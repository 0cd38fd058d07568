//! The fields of a form of the console.

use url::form_urlencoded;
use zeroize::Zeroizing;

/// The most fields of a form.
const MOST: usize = 256;

/// The fields of a form in their order. A name with several values is a list.
pub(super) struct FormFields(Vec<(String, Zeroizing<String>)>);

impl FormFields {
    pub(super) fn read(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body).take(MOST);
        Self(pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect())
    }

    /// The first value of this name, without blanks around it; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// The value, if it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// All values of this name.
    pub(super) fn values<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let name = name.to_owned();
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value.trim())
    }

    /// The words of a text field, which blanks, commas or lines part.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).split([' ', ',', '\n', '\r', '\t']);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_texts_lists_and_words() {
        let fields = FormFields::read(b"name=+Acme+&scope=a&scope=b&words=a%0D%0Ab,+c&empty=");
        assert_eq!((fields.text("name"), fields.text("none")), ("Acme", ""));
        assert_eq!(fields.values("scope").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.words("words"), ["a", "b", "c"]);
        assert_eq!((fields.given("empty"), fields.given("name")), (None, Some("Acme")));
    }
}
