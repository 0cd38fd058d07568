//! Addresses that contain the text of a field of the same form. A script updates them while a person types.

/// Addresses below a field.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The name of the field.
    pub field: &'static str,
    /// The text in place of an absent value, such as `ID`.
    pub placeholder: String,
    /// Labels and addresses. Each address has the mark `{}` once, where the value belongs.
    pub lines: Vec<(String, String)>,
}

impl Preview {
    /// The parts before and after the value. An address without a mark has no value.
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
