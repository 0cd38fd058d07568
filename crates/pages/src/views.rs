//! The pages, each next to its template.

pub(crate) mod account;
pub(crate) mod account_email;
pub(crate) mod account_password;
pub(crate) mod caught_mail;
pub(crate) mod confirm_address;
pub(crate) mod consent;
pub(crate) mod continuation;
pub(crate) mod device;
pub(crate) mod error;
pub(crate) mod form_post;
pub(crate) mod front;
pub(crate) mod recover;
pub(crate) mod reference;
pub(crate) mod select_account;
pub(crate) mod set_password;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
