//! Previews of URLs that contain the value of a form field. A script updates them while the person
//! types.

#[derive(Clone, Debug)]
pub struct Preview {
    pub field: &'static str,
    /// Shown while the field is empty, such as `ID`.
    pub placeholder: String,
    /// Label and URL. `{}` in the URL marks the place of the value.
    pub lines: Vec<(String, String)>,
}

impl Preview {
    /// The URL before and after the mark. `None` if the URL has no mark.
    pub(crate) fn parts(address: &str) -> (&str, Option<&str>) {
        address.split_once("{}").map_or((address, None), |(before, after)| (before, Some(after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_is_split_at_the_first_placeholder() {
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
