//! Parses the form fields of the console.

use url::form_urlencoded;
use zeroize::Zeroizing;

const MOST: usize = 256;

/// In the order of the form. A name may occur several times.
pub(super) struct FormFields(Vec<(String, Zeroizing<String>)>);

impl FormFields {
    pub(super) fn read(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body).take(MOST);
        Self(pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect())
    }

    pub(super) fn from_pairs(pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), Zeroizing::new(value))).collect())
    }

    /// The first value without blanks around it. Empty if the form does not have the field.
    pub(super) fn text(&self, name: &str) -> &str {
        self.values(name).next().unwrap_or_default()
    }

    /// `None` if the value is empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    pub(super) fn values<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let name = name.to_owned();
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value.trim())
    }

    /// Splits at line ends.
    pub(super) fn lines(&self, name: &str) -> Vec<String> {
        let lines = self.text(name).lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Splits at blanks, commas and line ends.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        let parts = self.text(name).split([' ', ',', '\n', '\r', '\t']);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_read_as_texts_lists_and_words() {
        let fields = FormFields::read(b"name=+Acme+&scope=a&scope=b&words=a%0D%0Ab,+c&empty=");
        assert_eq!((fields.text("name"), fields.text("none")), ("Acme", ""));
        assert_eq!(fields.values("scope").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.words("words"), ["a", "b", "c"]);
        assert_eq!((fields.given("empty"), fields.given("name")), (None, Some("Acme")));
    }
}
