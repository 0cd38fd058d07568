//! Authorization requests (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1), read in
//! two steps: first the redirect URI, then all other parameters. An error in the first step is
//! shown to the person, because the server does not know a safe address yet. Errors of the second
//! step go to the client.

use std::borrow::Cow;

use values::Lifetime;

use crate::{
    AuthorizationError, AuthorizationErrorCode, ClaimsRequest, CodeChallenge, Form, Prompt,
    ResourceIndicator, ResponseMode, Scope, Thumbprint,
};

/// Bytes. The server returns `state` and never stores it with a code.
const LONGEST_STATE: usize = 2_048;
/// Bytes. The server stores the `nonce` with each code. A digest of 512 bits has 128 hexadecimal
/// digits.
const LONGEST_NONCE: usize = 512;
/// Bytes.
const LONGEST_HINT: usize = 255;

/// The address to send the answer to. The caller has to compare it with the registered redirect
/// URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationAddress {
    /// Always required, although RFC 6749 §3.1.2.3 lets a client with one registered URI leave it
    /// out.
    pub redirect_uri: String,
}

/// How to answer, apart from the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerForm {
    /// `query` if the request has an unknown mode, which is also an error.
    pub mode: ResponseMode,
    /// Returned unchanged (RFC 6749 §4.1.1).
    pub state: Option<String>,
}

/// The parameters that are read once the redirect URI is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `None` if the request has no `scope`.
    pub scope: Option<Scope>,
    /// In the order of the request (RFC 8707 §2).
    pub resources: Vec<ResourceIndicator>,
    /// Returned in the ID token.
    pub nonce: Option<String>,
    pub code_challenge: Option<CodeChallenge>,
    /// Only the holder of this key can redeem the code (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
    pub prompt: Prompt,
    /// The maximum age of the person's authentication. `None` accepts any age.
    pub max_age: Option<Lifetime>,
    /// Claims that the client requests individually (OpenID Connect Core §5.5).
    pub claims: ClaimsRequest,
    /// The account to fill in on the sign-in form.
    pub login_hint: Option<String>,
    /// An ID token of this server. Its subject is the person who must be signed in.
    pub id_token_hint: Option<String>,
}

impl AuthorizationAddress {
    /// # Errors `invalid_request` when `redirect_uri` is missing or repeated.
    pub fn take(form: &mut Form<'_>) -> Result<Self, AuthorizationError> {
        Ok(Self { redirect_uri: form.require("redirect_uri")?.into_owned() })
    }
}

impl AuthorizationRequest {
    /// Every parameter that this module reads, including those of the redirect URI and of the
    /// answer.
    pub const PARAMETERS: [&str; 17] = [
        "client_id",
        "redirect_uri",
        "state",
        "response_mode",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "resource",
        "audience",
        "nonce",
        "dpop_jkt",
        "prompt",
        "max_age",
        "claims",
        "login_hint",
        "id_token_hint",
    ];

    /// Takes all other parameters out of a request. Returns the form of the answer even if the
    /// request is refused, so that the client gets the error.
    pub fn take(mut form: Form<'_>) -> (AnswerForm, Result<Self, AuthorizationError>) {
        let mut answer = AnswerForm::default();
        // If `state` is repeated, neither value is returned.
        let state = take_text(&mut form, "state", LONGEST_STATE, "The state is longer than 2048 bytes");
        let unknown_mode = "The response_mode must be query or form_post";
        let mode = take_parsed(&mut form, "response_mode", |mode| mode.parse().ok(), unknown_mode);
        let state = state.map(|state| answer.state = state);
        let mode = mode.map(|mode| answer.mode = mode.unwrap_or_default());
        let request = state.and(mode).and_then(|()| Self::take_rest(form));
        (answer, request)
    }

    fn take_rest(mut own: Form<'_>) -> Result<Self, AuthorizationError> {
        use AuthorizationErrorCode::UnsupportedResponseType;
        const BAD_KEY: &str = "The dpop_jkt is not a SHA-256 thumbprint in base64url";
        const BAD_PROMPT: &str = "The prompt is unknown, or combines none with another value";
        const BAD_CLAIMS: &str = "The claims parameter does not have the form of OpenID Connect Core section 5.5, or is longer than 4096 bytes";
        let form = &mut own;
        // RFC 6749 §3.1.1: a missing or unknown `response_type` is an error.
        if form.require("response_type")? != "code" {
            return Err(AuthorizationError::new(UnsupportedResponseType, "The response_type must be code"));
        }
        let request = Self {
            code_challenge: take_code_challenge(form)?,
            scope: form.take_scope()?,
            resources: form.take_resources()?,
            nonce: take_text(form, "nonce", LONGEST_NONCE, "The nonce is longer than 512 bytes")?,
            dpop_jkt: take_parsed(form, "dpop_jkt", Thumbprint::parse, BAD_KEY)?,
            prompt: take_parsed(form, "prompt", Prompt::parse, BAD_PROMPT)?.unwrap_or_default(),
            max_age: take_parsed(form, "max_age", seconds, "The max_age is not a number of seconds")?,
            claims: take_parsed(form, "claims", ClaimsRequest::parse, BAD_CLAIMS)?.unwrap_or_default(),
            login_hint: take_text(
                form,
                "login_hint",
                LONGEST_HINT,
                "The login_hint is longer than 255 bytes",
            )?,
            id_token_hint: form.take("id_token_hint")?.map(Cow::into_owned),
        };
        own.finish()?;
        Ok(request)
    }

    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.iter().any(|token| token.as_str() == name))
    }
}

fn take_code_challenge(form: &mut Form<'_>) -> Result<Option<CodeChallenge>, AuthorizationError> {
    let challenge = form.take("code_challenge")?;
    let method = form.take("code_challenge_method")?;
    match (challenge, method.as_deref()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(AuthorizationError::invalid_request("Missing code_challenge parameter")),
        (Some(challenge), Some("S256")) => {
            let is_malformed = "The code_challenge is not 43 characters of base64url";
            let challenge = CodeChallenge::parse(&challenge);
            challenge.map(Some).ok_or_else(|| AuthorizationError::invalid_request(is_malformed))
        }
        // Without a method the challenge is `plain` (RFC 7636 §4.3), which reveals the verifier.
        (Some(_), _) => Err(AuthorizationError::invalid_request("The code_challenge_method must be S256")),
    }
}

fn seconds(text: &str) -> Option<Lifetime> {
    let seconds: u32 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Lifetime::from_seconds(seconds.into()))
}

fn take_text(
    form: &mut Form<'_>,
    name: &str,
    longest: usize,
    too_long: &'static str,
) -> Result<Option<String>, AuthorizationError> {
    take_parsed(form, name, |text| (text.len() <= longest).then(|| text.to_owned()), too_long)
}

/// Takes an optional parameter. Refuses the request with this description if the value does not
/// parse.
fn take_parsed<T>(
    form: &mut Form<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    refusal: &'static str,
) -> Result<Option<T>, AuthorizationError> {
    let Some(text) = form.take(name)? else { return Ok(None) };
    parse(&text).map(Some).ok_or_else(|| AuthorizationError::invalid_request(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SentRequest;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn take(query: &str) -> (AnswerForm, Result<AuthorizationRequest, AuthorizationError>) {
        let mut form = Form::parse(query.as_bytes()).unwrap();
        assert_eq!(SentRequest::take(&mut form).unwrap().client_id, "web");
        let address = AuthorizationAddress::take(&mut form).unwrap();
        assert_eq!(address.redirect_uri, "https://app.example/cb");
        AuthorizationRequest::take(form)
    }

    fn with(rest: &str) -> (AnswerForm, Result<AuthorizationRequest, AuthorizationError>) {
        take(&format!("client_id=web&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&{rest}"))
    }

    #[test]
    fn authorization_request_is_parsed() {
        let (answer, request) = with(&format!(
            "response_type=code&scope=openid+email&state=s%20t&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256\
             &prompt=login&max_age=0&login_hint=ada%40example.com&response_mode=form_post&resource=urn:a&audience=api\
             &dpop_jkt={CHALLENGE}&display=page&extra=1"
        ));
        let request = request.unwrap();
        assert_eq!(answer, AnswerForm { mode: ResponseMode::FormPost, state: Some("s t".to_owned()) });
        assert!(request.has_scope("openid") && request.has_scope("email") && !request.has_scope("profile"));
        assert_eq!(request.code_challenge, CodeChallenge::parse(CHALLENGE));
        let found = (request.nonce.as_deref(), request.login_hint.as_deref());
        assert_eq!(found, (Some("n"), Some("ada@example.com")));
        assert_eq!(request.dpop_jkt, Thumbprint::parse(CHALLENGE));
        assert_eq!(request.max_age, Some(Lifetime::from_seconds(0)));
        assert!(request.prompt.login);
        let resources: Vec<_> = request.resources.iter().map(ResourceIndicator::as_str).collect();
        assert_eq!(resources, ["urn:a", "api"]);
    }

    #[test]
    fn redirect_uri_is_required_exactly_once() {
        for (query, expected) in [
            ("client_id=web", "Missing redirect_uri parameter"),
            ("client_id=web&redirect_uri=", "Missing redirect_uri parameter"),
            ("redirect_uri=a&redirect_uri=a", "Parameter redirect_uri was sent more than once"),
        ] {
            let refused =
                AuthorizationAddress::take(&mut Form::parse(query.as_bytes()).unwrap()).unwrap_err();
            assert_eq!(refused.description, expected);
        }
    }

    // [oauth RFC 6749 §3.1.1, §4.1.1]: `response_type` is required, and an unknown one is
    //   `unsupported_response_type`
    // [dpop RFC 9449 §10]: `dpop_jkt` binds the code: without a proof of its key it is `invalid_grant`, and
    //   used up
    // [rfc9700 §4.6]: Injection of access tokens | No access token is in an authorization response: the only
    //   response type is `code`
    // [native RFC 7636 §4.2]
    #[test]
    fn invalid_parameters_are_refused_and_state_is_kept() {
        use AuthorizationErrorCode::*;
        let long = "a".repeat(2_049);
        let base = "response_type=code&state=s&";
        let invalid = format!(
            "response_mode=fragment code_challenge={CHALLENGE} code_challenge={CHALLENGE}&code_challenge_method=plain \
                code_challenge=short&code_challenge_method=S256 code_challenge_method=S256 dpop_jkt=short \
                dpop_jkt={CHALLENGE}%3D dpop_jkt={CHALLENGE}&dpop_jkt={CHALLENGE} prompt=none+login prompt=create \
                max_age=-1 max_age=soon claims=name claims=%7B%7D&claims=%7B%7D display=page&display=popup nonce={long} \
                login_hint={long} nonce=a&nonce=b extra=1&extra=2"
        );
        let invalid = invalid.split(' ').map(|rest| (format!("{base}{rest}"), InvalidRequest));
        let others = [
            ("state=s".to_owned(), InvalidRequest),
            ("response_type=token&state=s".to_owned(), UnsupportedResponseType),
            ("response_type=code+id_token&state=s".to_owned(), UnsupportedResponseType),
            (format!("{base}scope=%22"), InvalidScope),
            (format!("{base}resource=api"), InvalidTarget),
        ];
        for (rest, expected) in invalid.chain(others) {
            let (answer, request) = with(&rest);
            assert_eq!(answer.state.as_deref(), Some("s"), "{rest}");
            assert_eq!(request.unwrap_err().error, expected, "{rest}");
        }
        for rest in
            [format!("response_type=code&state={long}"), "response_type=code&state=a&state=b".to_owned()]
        {
            let (answer, request) = with(&rest);
            assert_eq!(answer.state, None);
            assert_eq!(request.unwrap_err().error, InvalidRequest);
        }
    }
}
