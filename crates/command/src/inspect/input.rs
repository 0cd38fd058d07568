//! The input of `inspect`: a token as people copy it, possibly with its scheme, quotes, line breaks, or
//! within a token response; or bytes.

use std::io::{Read as _, stdin};
use std::path::Path;

use anyhow::{Context as _, bail};
use keys::key_of_opaque_token;
use protocol::api_key_parts;
use serde_json::Value;
use zeroize::Zeroizing;

use settings::files;

/// Longer than any token response.
const LARGEST: usize = 1 << 20;

/// The prefix of every generated client secret. The rest is not checked, because a part of a secret must not
/// be shown either.
const SECRET: &str = "lk_";
/// The prefix of every API key after its brand.
const API_KEY: &str = "lkk_";
/// A text with at least this many characters after the prefix counts as a part of a secret. The id of an API
/// key has fewer.
const PIECE: usize = 16;

/// Reads the token from a file, or from the standard input.
pub(crate) fn read(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    token(&read_bytes(file)?)
}

/// Reads a complete file, or the standard input.
pub(crate) fn read_bytes(file: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let name = file.to_string_lossy();
    if looks_like_credential(&name) {
        bail!(
            "do not pass a token or secret as an argument, because other users of this machine can see arguments. Write it to \
                 a file, or pipe it to standard input"
        );
    }
    if name == "-" { read_input() } else { read_file(file) }
}

/// Finds the token in these bytes.
pub(super) fn token(bytes: &[u8]) -> anyhow::Result<Zeroizing<String>> {
    // Text that is not UTF-8 is not base64url either; the check of the encoding reports the position.
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    token_in(&text)
}

/// Replaces parts of generated secrets and API keys in a text, because a claim may contain one.
pub(super) fn without_secrets(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, mark)) =
        [SECRET, API_KEY].iter().filter_map(|mark| Some((rest.find(mark)?, *mark))).min()
    {
        let (before, found) = rest.split_at(at);
        let after = &found[mark.len()..];
        let length = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        shown.push_str(before);
        shown.push_str(if length < PIECE { mark } else { "[a secret]" });
        rest = &after[if length < PIECE { 0 } else { length }..];
    }
    shown.push_str(rest);
    shown
}

fn read_input() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let mut input = stdin().lock();
    files::skip_mark(&mut input)
        .and_then(|()| input.take(LARGEST as u64 + 1).read_to_end(&mut bytes))
        .context("cannot read standard input")?;
    if bytes.len() > LARGEST {
        bail!("standard input has more than {LARGEST} bytes, which is too large for a token");
    }
    Ok(bytes)
}

fn read_file(file: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    files::read_public(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Finds the token in a text.
fn token_in(text: &str) -> anyhow::Result<Zeroizing<String>> {
    let text = bare(text);
    let token =
        if text.starts_with('{') { token_of_response(text)? } else { Zeroizing::new(text.to_owned()) };
    // An API key may have the brand `lk`, and an opaque token begins with `lk_`, too.
    let is_token = api_key_parts(&token).is_some() || key_of_opaque_token(&token).is_some();
    if token.starts_with(SECRET) && !is_token {
        bail!(
            "this is a client secret, not a token, so it is not shown. Use the secret to fetch a token at the token endpoint. \
                 If other people have seen the secret, replace it: `latchkey secret rotate TENANT CLIENT`"
        );
    }
    Ok(token)
}

/// Removes white space, quotes, the name of the header and the scheme around the token.
fn bare(text: &str) -> &str {
    let around = |character: char| character.is_whitespace() || "\"'`\u{feff}".contains(character);
    let mut text = text.trim_matches(around);
    for prefix in ["authorization:", "bearer"] {
        let after = text.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix));
        let rest = after.map(|_| &text[prefix.len()..]);
        // A token may begin with this word, but then no space follows.
        text = rest.filter(|rest| prefix.ends_with(':') || rest.starts_with(around)).unwrap_or(text);
        text = text.trim_matches(around);
    }
    text
}

/// The token in a token response (RFC 6749 §5.1). Other members are not shown, because one may be a secret.
fn token_of_response(text: &str) -> anyhow::Result<Zeroizing<String>> {
    let response: Value = match serde_json::from_str(text) {
        Ok(response) => response,
        Err(error) => bail!("this starts like a JSON object but is not valid JSON: {error}"),
    };
    if let Some(token) = response["access_token"].as_str() {
        return Ok(Zeroizing::new(bare(token).to_owned()));
    }
    match response["error"].as_str() {
        Some(code) => bail!(
            "this is an error response ({}) without a token. See docs/errors.md for the meaning of the code",
            code_of(code)
        ),
        None if response["signatures"].is_array() || response["signature"].is_string() => {
            bail!(
                "this is a token in JSON form (RFC 7515 section 7.2), but only the compact form is supported"
            )
        }
        None => bail!("this JSON object has no member `access_token`"),
    }
}

/// Error codes are short names. Other text is not repeated.
fn code_of(code: &str) -> &str {
    let is_name = code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_name { code } else { "with an unknown code" }
}

fn looks_like_credential(name: &str) -> bool {
    let name = bare(name);
    let is_token =
        name.bytes().filter(|byte| *byte == b'.').count() >= 2 && name.len() > 60 && !name.contains('/');
    let is_secret = name.starts_with(SECRET) || api_key_parts(name).is_some();
    is_token || is_secret || name.starts_with("eyJ") || name.starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_found_in_copied_text() {
        for text in [
            "a.b.c",
            " a.b.c\r\n",
            "\u{feff}a.b.c",
            "\"a.b.c\"",
            "'a.b.c'\n",
            "Bearer a.b.c",
            "bearer   a.b.c",
            "Authorization: Bearer a.b.c\n",
            "\"Authorization: Bearer a.b.c\"",
            "Bearer \"a.b.c\"",
            r#"{"access_token":"a.b.c","token_type":"Bearer"}"#,
            " {\n\"access_token\": \"a.b.c\"}\n",
        ] {
            assert_eq!(*token_in(text).unwrap(), "a.b.c", "{text}");
        }
        assert_eq!(*token_in("bearera.b.c").unwrap(), "bearera.b.c");
        assert_eq!(*token_in("Bearer").unwrap(), "Bearer");
        assert_eq!(*token_in("").unwrap(), "");
    }

    #[test]
    fn input_without_token_is_refused_without_its_content() {
        const SECRET: &str = "lk_0000000000000000000000000000000000000000000canary";
        for (text, words) in [
            (SECRET.to_owned(), "this is a client secret"),
            (format!("Bearer {SECRET}\n"), "this is a client secret"),
            (format!(r#"{{"access_token":"{SECRET}"}}"#), "this is a client secret"),
            (format!(r#"{{"client_secret":"{SECRET}"}}"#), "no member `access_token`"),
            (format!("{{{SECRET}"), "is not valid JSON"),
            (r#"{"error":"invalid_client"}"#.to_owned(), "(invalid_client)"),
            (format!(r#"{{"error":"{SECRET}"}}"#), "an unknown code"),
            (r#"{"payload":"e30","signatures":[]}"#.to_owned(), "token in JSON form"),
        ] {
            let error = format!("{:#}", token_in(&text).unwrap_err());
            assert!(error.contains(words) && !error.contains("canary"), "{text}: {error}");
        }
        let token = format!("eyJhbGciOiJub25lIn0.{}.canary", "A".repeat(60));
        let key = format!("globex_lkk_4fT9xQ2bV7mK_{}canary", "a".repeat(43));
        for name in [SECRET, &key, &token, &format!("Bearer {token}"), "{\"access_token\":\"canary\"}"] {
            let error = format!("{:#}", read(Path::new(name)).unwrap_err());
            assert!(
                error.contains("do not pass a token or secret as an argument") && !error.contains("canary"),
                "{error}"
            );
        }
        assert!(!looks_like_credential("tokens/a.b.c.json") && !looks_like_credential("-"));
    }

    #[test]
    fn secrets_within_a_text_are_hidden() {
        let secret = format!("lk_{}", "a".repeat(49));
        for (text, expected) in [
            (format!("x {secret} y {secret}"), "x [a secret] y [a secret]"),
            ("lk_ and lk_short".to_owned(), "lk_ and lk_short"),
            (
                format!("lkk_4fT9xQ2bV7mK globex_lkk_4fT9xQ2bV7mK_{}", "a".repeat(49)),
                "lkk_4fT9xQ2bV7mK globex_[a secret]",
            ),
            (String::new(), ""),
        ] {
            assert_eq!(without_secrets(&text), expected);
        }
    }
}
