//! The claims that an access token has besides the registered ones (RFC 9068 §2.2): all but `scope` and `cnf`
//! are required.

use crate::TokenError;
use crate::members::Members;
use crate::verifying::confirmation::Confirmation;

/// The caller, and its rights.
pub(crate) struct KindClaims<'a> {
    pub(crate) sub: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) jti: &'a str,
    pub(crate) scope: Option<&'a str>,
    /// The claim may mean anything at other issuers.
    pub(crate) sid: Option<&'a str>,
    pub(crate) grant_id: Option<&'a str>,
    pub(crate) confirmation: Confirmation,
}

impl<'a> KindClaims<'a> {
    pub(crate) fn read(members: &'a Members<'_>, json: &str) -> Result<Self, TokenError> {
        let optional = |name| members.text(name).ok().flatten();
        Ok(Self {
            sub: members.required("sub")?,
            client_id: members.required("client_id")?,
            jti: members.required("jti")?,
            scope: members.text("scope")?,
            sid: optional("sid"),
            grant_id: optional("grant_id"),
            confirmation: Confirmation::read(members, json)?,
        })
    }
}
