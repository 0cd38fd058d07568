//! The parameters `scope`, `resource` and `audience`, which token requests and authorization
//! requests have in common.

use crate::{ErrorCode, ErrorResponse, Form, RefusalReason, ResourceIndicator, Scope};

/// Includes repetitions.
const MAX_SCOPES: usize = 128;
/// Includes audiences and repetitions.
const MAX_RESOURCES: usize = 16;
const AUDIENCE: &str = "audience";

impl Form<'_> {
    /// Takes `scope` (RFC 6749 §3.3). A value of only blanks counts as absent.
    ///
    /// # Errors
    /// - `invalid_request` if the parameter is repeated.
    /// - `invalid_scope` for a malformed value or more than 128 scope tokens.
    pub fn take_scope(&mut self) -> Result<Option<Scope>, ErrorResponse> {
        let invalid = |reason, description| ErrorResponse::new(ErrorCode::InvalidScope, reason, description);
        let Some(text) = self.take("scope")? else { return Ok(None) };
        if Scope::sent(&text).nth(MAX_SCOPES).is_some() {
            return Err(invalid(RefusalReason::TooManyParameters, "More than 128 scopes were requested"));
        }
        let scope = Scope::parse(&text)
            .map_err(|_| invalid(RefusalReason::MalformedScope, "The requested scope is malformed"))?;
        Ok(Some(scope).filter(|scope| !scope.is_empty()))
    }

    /// Takes every `resource` in order (RFC 8707 §2.1), and treats every `audience` as a resource.
    /// Drops duplicates.
    ///
    /// # Errors
    /// - `invalid_request` for more than 16 values.
    /// - `invalid_target` for a malformed resource.
    pub fn take_resources(&mut self) -> Result<Vec<ResourceIndicator>, ErrorResponse> {
        let sent = self.take_all(["resource", AUDIENCE]);
        if sent.len() > MAX_RESOURCES {
            let reason = RefusalReason::TooManyParameters;
            return Err(ErrorResponse::invalid_request(reason, "More than 16 resources were requested"));
        }
        let mut resources = Vec::with_capacity(sent.len());
        for (name, text) in &sent {
            let resource = if *name == AUDIENCE {
                ResourceIndicator::audience(text)
            } else {
                ResourceIndicator::parse(text).map_err(|_| {
                    let description = "The resource must be an absolute URI without a fragment";
                    ErrorResponse::new(
                        ErrorCode::InvalidTarget,
                        RefusalReason::MalformedResource,
                        description,
                    )
                })?
            };
            if !resources.iter().any(|known: &ResourceIndicator| known.as_str() == resource.as_str()) {
                resources.push(resource);
            }
        }
        Ok(resources)
    }

    /// Refuses `audience` when a client redeems a code, because the authorization request decided
    /// the audience. If the server ignored the parameter, the token would have an audience that the
    /// client did not ask for.
    ///
    /// # Errors `invalid_request` with the name of the parameter.
    pub fn refuse_audience(&mut self) -> Result<(), ErrorResponse> {
        if self.take_all([AUDIENCE]).is_empty() {
            return Ok(());
        }
        let description = "The parameter audience is not valid here: send it in the authorization request";
        Err(ErrorResponse::invalid_request(RefusalReason::ParameterOfAnotherRequest, description))
    }
}
