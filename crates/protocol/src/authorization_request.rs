//! Authorization requests (RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core §3.1.2.1), read in two steps: first where the
//! answer goes, then all else. Errors of the first step are shown to the person; those of the second go back to the client.

use std::borrow::Cow;

use crate::{
    AuthorizationError, AuthorizationErrorCode, ClaimsRequest, CodeChallenge, ErrorResponse, Form, Lifetime,
    Prompt, ResourceIndicator, ResponseMode, Scope, Thumbprint,
};

/// The longest `state`, in bytes. It is returned, and never kept for a code.
const LONGEST_STATE: usize = 2_048;
/// The longest `nonce`, in bytes. It is kept with each code, and a digest of 512 bits in hexadecimal has 128.
const LONGEST_NONCE: usize = 512;
/// The longest `login_hint`, in bytes.
const LONGEST_HINT: usize = 255;
/// The most scopes and resources of a request.
const MOST_SCOPES: usize = 128;
const MOST_RESOURCES: usize = 16;

/// Where the answer goes. Nothing of it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationAddress {
    /// `redirect_uri`, which is always required.
    pub redirect_uri: String,
}

/// What an answer needs besides its address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerForm {
    /// `response_mode`; an unknown one is `query`, and an error.
    pub mode: ResponseMode,
    /// `state`, returned as it was sent.
    pub state: Option<String>,
}

/// What is requested, once the address is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The requested scope; `None` requests nothing in particular.
    pub scope: Option<Scope>,
    /// The requested resources in order (RFC 8707 §2).
    pub resources: Vec<ResourceIndicator>,
    /// `nonce`, returned in the ID token.
    pub nonce: Option<String>,
    /// The challenge of the code verifier.
    pub code_challenge: Option<CodeChallenge>,
    /// The key whose holder alone redeems the code (RFC 9449 §10).
    pub dpop_jkt: Option<Thumbprint>,
    /// What the person is to be asked.
    pub prompt: Prompt,
    /// The greatest age of the authentication; none is any.
    pub max_age: Option<Lifetime>,
    /// The claims that are requested one by one.
    pub claims: ClaimsRequest,
    /// Who is expected to sign in, to fill in the form with.
    pub login_hint: Option<String>,
    /// Who is expected to be signed in: an ID token of ours.
    pub id_token_hint: Option<String>,
}

impl AuthorizationAddress {
    /// Takes the address out of a request.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is missing or repeated.
    pub fn take(form: &mut Form<'_>) -> Result<Self, AuthorizationError> {
        let redirect_uri = form.take("redirect_uri").map_err(invalid)?.map(Cow::into_owned);
        let redirect_uri = redirect_uri.ok_or_else(|| refused("Missing redirect_uri parameter"))?;
        Ok(Self { redirect_uri })
    }
}

impl AuthorizationRequest {
    /// The parameters that are read: those of the address, of the answer and of the request itself.
    pub const PARAMETERS: [&str; 16] = [
        "client_id",
        "redirect_uri",
        "state",
        "response_mode",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "resource",
        "nonce",
        "dpop_jkt",
        "prompt",
        "max_age",
        "claims",
        "login_hint",
        "id_token_hint",
    ];

    /// Takes all else out of a request. The form of the answer is there also where the request is refused.
    pub fn take(mut form: Form<'_>) -> (AnswerForm, Result<Self, AuthorizationError>) {
        let mut answer = AnswerForm::default();
        // A repeated `state` is none, so that none of both is returned.
        let state = form.take("state").map_err(invalid);
        let mode = form.take("response_mode").map_err(invalid);
        if let Ok(Some(mode)) = &mode {
            answer.mode = mode.parse().unwrap_or_default();
        }
        let state =
            state.and_then(|state| fitting(state, LONGEST_STATE, "The state is longer than 2048 bytes"));
        let state = state.map(|state| answer.state = state);
        let mode = mode.and_then(|mode| match mode.map(|mode| mode.parse::<ResponseMode>().is_ok()) {
            Some(false) => Err(refused("The response_mode is neither query nor form_post")),
            _ => Ok(()),
        });
        let request = state.and(mode).and_then(|()| Self::take_rest(form));
        (answer, request)
    }

    fn take_rest(mut form: Form<'_>) -> Result<Self, AuthorizationError> {
        use AuthorizationErrorCode::UnsupportedResponseType;
        // RFC 6749 §3.1.1: without `response_type`, or with one that is not understood, the answer is an error.
        let response_type = form.take("response_type").map_err(invalid)?;
        match response_type.as_deref() {
            Some("code") => {}
            None => return Err(refused("Missing response_type parameter")),
            Some(_) => {
                let description = "The response_type is not code";
                return Err(AuthorizationError::new(UnsupportedResponseType, description));
            }
        }
        let request = Self {
            code_challenge: take_code_challenge(&mut form)?,
            scope: take_scope(&mut form)?,
            resources: take_resources(&mut form)?,
            nonce: take_text(&mut form, "nonce", LONGEST_NONCE, "The nonce is longer than 512 bytes")?,
            dpop_jkt: take_dpop_jkt(&mut form)?,
            prompt: take_prompt(&mut form)?,
            max_age: take_max_age(&mut form)?,
            claims: take_claims(&mut form)?,
            login_hint: take_text(
                &mut form,
                "login_hint",
                LONGEST_HINT,
                "The login_hint is longer than 255 bytes",
            )?,
            id_token_hint: form.take("id_token_hint").map_err(invalid)?.map(Cow::into_owned),
        };
        form.finish().map_err(invalid)?;
        Ok(request)
    }

    /// Whether the scope has this token.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.iter().any(|token| token.as_str() == name))
    }
}

fn take_code_challenge(form: &mut Form<'_>) -> Result<Option<CodeChallenge>, AuthorizationError> {
    let challenge = form.take("code_challenge").map_err(invalid)?;
    let method = form.take("code_challenge_method").map_err(invalid)?;
    match (challenge, method.as_deref()) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(refused("Missing code_challenge parameter")),
        // Without a method it is `plain` (RFC 7636 §4.3), which reveals the verifier.
        (Some(_), None | Some("plain")) => Err(refused("The code_challenge_method is not S256")),
        (Some(challenge), Some("S256")) => {
            let challenge = CodeChallenge::parse(&challenge);
            challenge.map(Some).ok_or_else(|| refused("The code_challenge is not 43 characters of base64url"))
        }
        (Some(_), Some(_)) => Err(refused("The code_challenge_method is not S256")),
    }
}

fn take_dpop_jkt(form: &mut Form<'_>) -> Result<Option<Thumbprint>, AuthorizationError> {
    let Some(text) = form.take("dpop_jkt").map_err(invalid)? else { return Ok(None) };
    let key = Thumbprint::parse(&text);
    key.map(Some).ok_or_else(|| refused("The dpop_jkt is not a SHA-256 thumbprint in base64url"))
}

fn take_scope(form: &mut Form<'_>) -> Result<Option<Scope>, AuthorizationError> {
    let invalid_scope = |description: &'static str| {
        AuthorizationError::new(AuthorizationErrorCode::InvalidScope, description)
    };
    let Some(text) = form.take("scope").map_err(invalid)? else { return Ok(None) };
    if Scope::sent(&text).nth(MOST_SCOPES).is_some() {
        return Err(invalid_scope("More than 128 scopes were requested"));
    }
    let scope = Scope::parse(&text).map_err(|_| invalid_scope("The requested scope is malformed"))?;
    Ok(Some(scope).filter(|scope| !scope.is_empty()))
}

fn take_resources(form: &mut Form<'_>) -> Result<Vec<ResourceIndicator>, AuthorizationError> {
    let resources = form.take_all("resource");
    if resources.len() > MOST_RESOURCES {
        return Err(refused("More than 16 resources were requested"));
    }
    let resources = resources.iter().map(|text| ResourceIndicator::parse(text)).collect::<Result<_, _>>();
    resources.map_err(|_| {
        let description = "The resource must be an absolute URI without a fragment";
        AuthorizationError::new(AuthorizationErrorCode::InvalidTarget, description)
    })
}

fn take_prompt(form: &mut Form<'_>) -> Result<Prompt, AuthorizationError> {
    let Some(text) = form.take("prompt").map_err(invalid)? else { return Ok(Prompt::default()) };
    Prompt::parse(&text).ok_or_else(|| refused("The prompt is unknown, or none is not alone"))
}

fn take_max_age(form: &mut Form<'_>) -> Result<Option<Lifetime>, AuthorizationError> {
    let Some(text) = form.take("max_age").map_err(invalid)? else { return Ok(None) };
    let seconds = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
    let seconds = seconds.ok_or_else(|| refused("The max_age is not a number of seconds"))?;
    Ok(Some(Lifetime::from_seconds(seconds.into())))
}

fn take_claims(form: &mut Form<'_>) -> Result<ClaimsRequest, AuthorizationError> {
    let Some(text) = form.take("claims").map_err(invalid)? else { return Ok(ClaimsRequest::default()) };
    let malformed = "The claims are no JSON of OpenID Connect Core section 5.5, or longer than 4096 bytes";
    ClaimsRequest::parse(&text).ok_or_else(|| refused(malformed))
}

fn take_text(
    form: &mut Form<'_>,
    name: &str,
    longest: usize,
    too_long: &'static str,
) -> Result<Option<String>, AuthorizationError> {
    fitting(form.take(name).map_err(invalid)?, longest, too_long)
}

fn fitting(
    text: Option<Cow<'_, str>>,
    longest: usize,
    too_long: &'static str,
) -> Result<Option<String>, AuthorizationError> {
    match text {
        Some(text) if text.len() > longest => Err(refused(too_long)),
        text => Ok(text.map(Cow::into_owned)),
    }
}

fn refused(description: &'static str) -> AuthorizationError {
    AuthorizationError::invalid_request(description)
}

/// The form refuses with the codes of the token endpoint.
pub(crate) fn invalid(error: ErrorResponse) -> AuthorizationError {
    AuthorizationError::invalid_request(error.error_description)
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
    fn a_request_is_read_whole() {
        let (answer, request) = with(&format!(
            "response_type=code&scope=openid+email&state=s%20t&nonce=n&code_challenge={CHALLENGE}&code_challenge_method=S256\
             &prompt=login&max_age=0&login_hint=ada%40example.com&response_mode=form_post&resource=urn:a\
             &dpop_jkt={CHALLENGE}&display=page&extra=1"
        ));
        let request = request.unwrap();
        assert_eq!(answer, AnswerForm { mode: ResponseMode::FormPost, state: Some("s t".to_owned()) });
        assert!(request.has_scope("openid") && request.has_scope("email") && !request.has_scope("profile"));
        assert_eq!(request.code_challenge, CodeChallenge::parse(CHALLENGE));
        assert_eq!(
            (request.nonce.as_deref(), request.login_hint.as_deref()),
            (Some("n"), Some("ada@example.com"))
        );
        assert_eq!(request.dpop_jkt, Thumbprint::parse(CHALLENGE));
        assert_eq!(request.max_age, Some(Lifetime::from_seconds(0)));
        assert!(request.prompt.login && request.resources.len() == 1);
    }

    #[test]
    fn an_address_is_required_and_not_repeated() {
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

    #[test]
    fn each_parameter_has_its_rule_and_the_answer_keeps_its_form() {
        use AuthorizationErrorCode::*;
        let long = "a".repeat(2_049);
        let base = "response_type=code&state=s&";
        for (rest, expected) in [
            ("state=s".to_owned(), InvalidRequest),
            ("response_type=token&state=s".to_owned(), UnsupportedResponseType),
            ("response_type=code+id_token&state=s".to_owned(), UnsupportedResponseType),
            (format!("{base}response_mode=fragment"), InvalidRequest),
            (format!("{base}code_challenge={CHALLENGE}"), InvalidRequest),
            (format!("{base}code_challenge={CHALLENGE}&code_challenge_method=plain"), InvalidRequest),
            (format!("{base}code_challenge=short&code_challenge_method=S256"), InvalidRequest),
            (format!("{base}code_challenge_method=S256"), InvalidRequest),
            (format!("{base}scope=%22"), InvalidScope),
            (format!("{base}resource=api"), InvalidTarget),
            (format!("{base}dpop_jkt=short"), InvalidRequest),
            (format!("{base}dpop_jkt={CHALLENGE}%3D"), InvalidRequest),
            (format!("{base}dpop_jkt={CHALLENGE}&dpop_jkt={CHALLENGE}"), InvalidRequest),
            (format!("{base}prompt=none+login"), InvalidRequest),
            (format!("{base}prompt=create"), InvalidRequest),
            (format!("{base}max_age=-1"), InvalidRequest),
            (format!("{base}max_age=soon"), InvalidRequest),
            (format!("{base}claims=name"), InvalidRequest),
            (format!("{base}claims=%7B%7D&claims=%7B%7D"), InvalidRequest),
            (format!("{base}display=page&display=popup"), InvalidRequest),
            (format!("{base}nonce={long}"), InvalidRequest),
            (format!("{base}login_hint={long}"), InvalidRequest),
            (format!("{base}nonce=a&nonce=b"), InvalidRequest),
            (format!("{base}extra=1&extra=2"), InvalidRequest),
        ] {
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
