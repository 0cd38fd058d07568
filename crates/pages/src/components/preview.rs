//! Addresses with what a person types into a field of the same form. A script shows them as it is typed.

/// Addresses below a field.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The name of the field.
    pub field: &'static str,
    /// What takes the place of the value where there is none, such as `ID`.
    pub placeholder: String,
    /// Labels and addresses. Each address has the mark `{}` once, where the value belongs.
    pub lines: Vec<(String, String)>,
}

impl Preview {
    /// What is before the value, and what is after it. An address without a mark has no value.
    pub(crate) fn parts(address: &str) -> (&str, Option<&str>) {
        address.split_once("{}").map_or((address, None), |(before, after)| (before, Some(after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_at_the_first_mark() {
        for (address, parts) in [
            ("https://a.example/{}/b", ("https://a.example/", Some("/b"))),
            ("https://a.example/{}", ("https://a.example/", Some(""))),
            ("{}{}", ("", Some("{}"))),
            ("https://a.example/", ("https://a.example/", None)),
            ("", ("", None)),
        ] {
            assert_eq!(Preview::parts(address), parts, "{address}");
        }
    }
}
