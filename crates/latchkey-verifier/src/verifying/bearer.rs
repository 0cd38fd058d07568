//! The caller as a parameter of a request handler, in actix-web and in axum.

use std::ops::Deref;

use serde::de::IgnoredAny;

use crate::{Caller, Thumbprint};

/// The caller of a request, whose token has been verified. As a parameter of a handler it refuses all other
/// requests.
#[derive(Clone, Debug)]
pub struct Bearer<C = IgnoredAny>(pub Caller<C>);

/// The certificate of the client's connection. The code that terminates TLS puts it into the extensions of
/// the request, or in actix-web of the connection. Without it, no token that is bound to a certificate is
/// accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate(pub Thumbprint);

impl<C> Deref for Bearer<C> {
    type Target = Caller<C>;

    fn deref(&self) -> &Caller<C> {
        &self.0
    }
}
