//! The parameters `resource` and `audience`: the destination of the token (RFC 8707 §2).

/// The value of one of them, unchanged and compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceIndicator(String);

/// The value is not an absolute URI, or has a fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the resource is not an absolute URI without a fragment")]
pub struct InvalidResource;

impl ResourceIndicator {
    /// The value of `resource`: "an absolute URI […] MUST NOT include a fragment component" (RFC 8707 §2).
    /// Later code decides whether the client may request it.
    ///
    /// # Errors
    /// [`InvalidResource`], for which the token endpoint responds `invalid_target`.
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        // The URL parser corrects blanks and quotes, but resources are compared as exact text.
        let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
        if exact && url::Url::parse(text).is_ok() { Ok(Self(text.to_owned())) } else { Err(InvalidResource) }
    }

    /// The value of `audience`, which clients of other products send in place of `resource`. It need be no
    /// URI, because a client may be registered for audiences such as `orders-api`.
    #[must_use]
    pub fn audience(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The value as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [resources RFC 8707 §2]: `resource` is an absolute URI without a fragment
    #[test]
    fn only_absolute_uris_without_fragment_are_resources() {
        for good in ["https://api.example.com", "https://api.example.com/v1?x=1", "urn:example:api"] {
            assert_eq!(ResourceIndicator::parse(good).unwrap().as_str(), good);
        }
        let with_blanks = ["https://a b", " https://a", ""];
        let others = "api /api //host/api https://api.example.com#top https://";
        for bad in others.split(' ').chain(with_blanks) {
            assert_eq!(ResourceIndicator::parse(bad), Err(InvalidResource), "{bad}");
        }
    }
}
