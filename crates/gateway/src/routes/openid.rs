//! The OpenID Provider: requests of browsers and of the clients that sign people in. In reading
//! order:

pub(crate) mod authorize;
pub(crate) mod par;
pub(crate) mod sign_in;

pub(crate) mod device;
pub(crate) mod device_authorization;

pub(crate) mod account;
pub(crate) mod link;
pub(crate) mod logout;
pub(crate) mod recover;
pub(crate) mod userinfo;

mod account_email;
mod account_page;
mod account_password;
mod authorization;
mod browser;
mod forms;
mod mailed_code;
mod outcome;
mod posted;
mod proceed;
mod request_source;
mod scope_lines;
mod visit;
