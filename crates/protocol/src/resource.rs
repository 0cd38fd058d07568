//! The `resource` parameter: where the caller means to use the token (RFC 8707 §2).

/// "An absolute URI […] MUST NOT include a fragment component" (RFC 8707 §2), kept as it was sent and compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceIndicator(String);

/// The value is not an absolute URI, or has a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not an absolute URI without a fragment")]
pub struct InvalidResource;

impl ResourceIndicator {
    /// Checks the shape; whether the client may ask for it is decided later.
    ///
    /// # Errors
    /// [`InvalidResource`], which the token endpoint answers as `invalid_target`.
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        // The URL parser corrects blanks and quotes, but resources are compared as exact text.
        let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
        if exact && url::Url::parse(text).is_ok() { Ok(Self(text.to_owned())) } else { Err(InvalidResource) }
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_uris_without_fragment_are_resources() {
        for good in ["https://api.example.com", "https://api.example.com/v1?x=1", "urn:example:api"] {
            assert_eq!(ResourceIndicator::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "api",
            "/api",
            "//host/api",
            "https://api.example.com#top",
            "https://",
            "https://a b",
            " https://a",
        ] {
            assert_eq!(ResourceIndicator::parse(bad), Err(InvalidResource), "{bad}");
        }
    }
}
