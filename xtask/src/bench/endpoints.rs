//! Where a program serves what the workloads request.

/// The paths of a program.
#[derive(Clone, Copy)]
pub(super) struct Endpoints {
    pub(super) health: &'static str,
    pub(super) token: &'static str,
    pub(super) jwks: &'static str,
    pub(super) introspection: &'static str,
    /// A protected resource.
    pub(super) resource: &'static str,
    pub(super) people: PeoplesEndpoints,
}

/// The paths of a sign-in.
#[derive(Clone, Copy)]
pub(super) struct PeoplesEndpoints {
    /// The path with the query of an authorization request.
    pub(super) authorization: &'static str,
    /// The target of the page's form.
    pub(super) sign_in: &'static str,
    pub(super) userinfo: &'static str,
}
