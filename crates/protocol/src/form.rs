//! `application/x-www-form-urlencoded` bodies (RFC 6749 appendix B). The parser is strict, because
//! a wrong guess could change a credential.

use std::borrow::Cow;

use url::form_urlencoded;
use values::Secret;
use zeroize::Zeroize;

use crate::{ErrorResponse, RefusalReason, steps, urlencoded};

/// The limit includes empty parameters.
const MOST_PARAMETERS: usize = 128;

/// The parameters of one request in order. Text without escapes is borrowed from the body. Decoded
/// copies are wiped on drop, because they may be secrets.
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Decodes the body and drops empty parameters: "Parameters sent without a value MUST be
    /// treated as if they were omitted" (RFC 6749 §3.2).
    ///
    /// # Errors `invalid_request` when a name or value is not UTF-8, or when there are more than
    /// 128 parameters.
    pub fn parse(body: &'a [u8]) -> Result<Self, ErrorResponse> {
        let mut form = Self(Vec::with_capacity(8));
        for (before, pair) in pairs(body).filter(|pair| !pair.is_empty()).enumerate() {
            if before == MOST_PARAMETERS {
                let reason = RefusalReason::TooManyParameters;
                return Err(ErrorResponse::invalid_request(reason, "More than 128 parameters were sent"));
            }
            let equals = urlencoded::find(pair, |byte| byte == b'=').unwrap_or(pair.len());
            let value = decode(pair.get(equals + 1..).unwrap_or_default())?;
            if !value.is_empty() {
                form.0.push((decode(&pair[..equals])?, value));
            }
        }
        Ok(form)
    }

    /// For parameters that are already decoded, for example of a request object. Drops empty
    /// values, as [`Self::parse`] does.
    #[must_use]
    pub fn from_parameters(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let parameters = parameters.into_iter().filter(|(_, value)| !value.is_empty());
        Self(parameters.map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// # Errors `invalid_request` when the parameter is repeated: "Request and response parameters
    /// MUST NOT be included more than once" (RFC 6749 §3.2).
    pub fn take(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, ErrorResponse> {
        let (mut value, mut is_repeated) = (None, false);
        self.remove([name], |_, mut next| {
            if let Some(before) = &mut value {
                is_repeated = true;
                wipe(before);
                wipe(&mut next);
            } else {
                value = Some(next);
            }
        });
        if is_repeated { Err(repeated(name)) } else { Ok(value) }
    }

    /// Takes parameters that may be repeated (`resource`, RFC 8707 §2), in order, each with its
    /// name.
    pub fn take_all<const N: usize>(
        &mut self,
        names: [&'static str; N],
    ) -> Vec<(&'static str, Cow<'a, str>)> {
        let mut values = Vec::new();
        self.remove(names, |name, value| values.push((name, value)));
        values
    }

    /// # Errors The errors of [`Form::take`].
    pub fn take_secret(&mut self, name: &str) -> Result<Option<Secret>, ErrorResponse> {
        Ok(self.take(name)?.map(|value| Secret::new(value.into_owned())))
    }

    /// # Errors The errors of [`Form::take`], and `invalid_request` when the parameter is missing.
    pub fn require(&mut self, name: &str) -> Result<Cow<'a, str>, ErrorResponse> {
        let description = || format!("Missing {name} parameter");
        let missing = || ErrorResponse::invalid_request(RefusalReason::MissingParameter, description());
        self.take(name)?.ok_or_else(missing)
    }

    /// # Errors The errors of [`Form::require`].
    pub fn require_secret(&mut self, name: &str) -> Result<Secret, ErrorResponse> {
        Ok(Secret::new(self.require(name)?.into_owned()))
    }

    /// Encodes the remaining parameters that have one of these names.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let known = self.0.iter().filter(|(name, _)| names.contains(&&**name));
        text.extend_pairs(known.map(|(name, value)| (&**name, &**value)));
        text.finish()
    }

    /// Encodes all remaining parameters.
    #[must_use]
    pub fn rest(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(self.0.iter().map(|(name, value)| (&**name, &**value)));
        text.finish()
    }

    /// Refuses repetitions among the remaining parameters. Unknown parameters are ignored, but must
    /// not be repeated.
    ///
    /// # Errors `invalid_request`. The description does not contain the name, because the name is
    /// text of the caller.
    pub fn finish(self) -> Result<(), ErrorResponse> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable_by(|one, other| {
            steps::note(1);
            one.cmp(other)
        });
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            let reason = RefusalReason::RepeatedParameter;
            return Err(ErrorResponse::invalid_request(reason, "A parameter was sent more than once"));
        }
        Ok(())
    }

    /// Passes the removed parameters to the closure, in order.
    fn remove<'n, const N: usize>(
        &mut self,
        names: [&'n str; N],
        mut take: impl FnMut(&'n str, Cow<'a, str>),
    ) {
        steps::note(self.0.len());
        self.0.retain_mut(|(key, value)| {
            let name = names.into_iter().find(|name| **name == **key);
            if let Some(name) = name {
                take(name, std::mem::take(value));
            }
            name.is_none()
        });
    }
}

impl Drop for Form<'_> {
    fn drop(&mut self) {
        for (name, value) in &mut self.0 {
            wipe(name);
            wipe(value);
        }
    }
}

/// Wipes an owned copy. The owner of the body wipes borrowed text.
fn wipe(text: &mut Cow<'_, str>) {
    if let Cow::Owned(text) = text {
        text.zeroize();
    }
}

fn pairs(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = urlencoded::find(text, |byte| byte == b'&');
        let pair = &text[..end.unwrap_or(text.len())];
        steps::note(pair.len() + 1);
        rest = end.map(|end| &text[end + 1..]);
        Some(pair)
    })
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, ErrorResponse> {
    urlencoded::decode(text).ok_or_else(|| {
        ErrorResponse::invalid_request(RefusalReason::UnreadableBody, "The request body is not UTF-8")
    })
}

fn repeated(name: &str) -> ErrorResponse {
    let description = format!("Parameter {name} was sent more than once");
    ErrorResponse::invalid_request(RefusalReason::RepeatedParameter, description)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::urlencoded::tests::encode;

    fn take(body: &str, name: &str) -> Result<Option<String>, String> {
        let mut form = Form::parse(body.as_bytes()).map_err(|error| error.error_description.into_owned())?;
        let taken = form.take(name).map_err(|error| error.error_description.into_owned());
        taken.map(|value| value.map(Cow::into_owned))
    }

    // [oauth RFC 6749 §3.2 b]: A parameter without a value counts as absent
    #[test]
    fn values_are_decoded_and_empty_values_are_absent() {
        assert_eq!(take("a=b+c%2Bd&e=f", "a"), Ok(Some("b c+d".to_owned())));
        assert_eq!(take("a=&a=1", "a"), Ok(Some("1".to_owned())));
        for absent in ["", "a", "a=", "b=1", "&&", "A=1"] {
            assert_eq!(take(absent, "a"), Ok(None), "{absent}");
        }
        assert_eq!(take("a=%zz&b=%", "a"), Ok(Some("%zz".to_owned())));
    }

    // [oauth RFC 6749 §3.2 e]
    #[test]
    fn repetitions_and_broken_utf_8_are_refused() {
        assert_eq!(take("a=1&a=1", "a"), Err("Parameter a was sent more than once".to_owned()));
        assert_eq!(take("a=%ff", "a"), Err("The request body is not UTF-8".to_owned()));
        let mut form = Form::parse(b"x=1&a=1&x=2").unwrap();
        assert!(form.take("a").is_ok());
        assert!(form.finish().is_err());
    }

    #[test]
    fn repeated_parameters_keep_names_and_order() {
        let mut form = Form::parse(b"b=1&x=2&a=3&b=4&c=5").unwrap();
        let taken = form.take_all(["a", "b"]);
        let taken: Vec<_> = taken.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(taken, ["b=1", "a=3", "b=4"]);
        assert_eq!(form.rest(), "x=2&c=5");
    }

    #[test]
    fn remaining_parameters_are_encoded_again() {
        let mut form = Form::parse("a=1&client_secret=s&b=x+%26%3D\u{e4}&a=2&c=".as_bytes()).unwrap();
        form.take_secret("client_secret").unwrap();
        assert_eq!(form.rest(), "a=1&b=x+%26%3D%C3%A4&a=2");
    }

    #[test]
    fn only_encoded_values_are_copied() {
        let mut form = Form::parse(b"plain=a-b.c&encoded=a%2Db&spaced=a+b").unwrap();
        for (name, is_copied) in [("plain", false), ("encoded", true), ("spaced", true)] {
            let value = form.take(name).unwrap().unwrap();
            assert_eq!(matches!(value, Cow::Owned(_)), is_copied, "{name}");
        }
    }

    // [oauth RFC 6749 §3.2 c]: Ours: a request has at most 128 parameters and 16 `resource`s and `audience`s
    //   (`invalid_request`) and names at most 128 scopes (`invalid_scope`), for known and unknown clients
    //   alike
    // [limits #9], [found 2]
    #[test]
    fn more_than_128_parameters_are_refused() {
        for filler in ["x=1", "x=", "x"] {
            let full = vec![filler; MOST_PARAMETERS - 1].join("&") + "&a=1";
            assert_eq!(take(&full, "a"), Ok(Some("1".to_owned())), "{filler}");
            let spaced = full.replace('&', "&&");
            assert_eq!(take(&spaced, "a"), Ok(Some("1".to_owned())), "nothing between two & is no parameter");
            let over = format!("{full}&{filler}");
            assert_eq!(take(&over, "a"), Err("More than 128 parameters were sent".to_owned()), "{filler}");
        }
    }

    proptest! {
        #[test]
        fn encoded_pairs_round_trip(pairs in proptest::collection::vec((".{1,8}", ".{1,20}"), 0..12)) {
            let body: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            let body = body.join("&");
            let form = Form::parse(body.as_bytes()).unwrap();
            let read: Vec<_> = form.0.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            prop_assert_eq!(&read, &pairs);
            let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            prop_assert_eq!(form.finish().is_ok(), names.len() == pairs.len());
        }

        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            match Form::parse(&body) {
                Ok(form) => prop_assert!(form.0.len() <= MOST_PARAMETERS),
                Err(error) => prop_assert_eq!(error.error.as_str(), "invalid_request"),
            }
        }
    }
}
