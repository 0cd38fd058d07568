//! The pages, each next to its template.

pub(crate) mod account;
pub(crate) mod caught_mail;
pub(crate) mod change_own;
pub(crate) mod consent;
pub(crate) mod continuation;
pub(crate) mod device;
pub(crate) mod done;
pub(crate) mod error;
pub(crate) mod form_error;
pub(crate) mod form_post;
pub(crate) mod front;
pub(crate) mod mailed_code;
pub(crate) mod recover;
pub(crate) mod reference;
pub(crate) mod select_account;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
