//! The names in a path of the admin API. A tenant's id is sent unescaped; the id of a client or of a secret
//! may be percent-encoded (RFC 3986 §2.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, percent_decode_str, utf8_percent_encode};
use tenancy::TenantId;

use crate::openapi::NameInPath;
use crate::request::{RawRequest, ServerFailure};
use crate::respond::Problem;

/// The characters that a segment of a path has in encoded form only.
const RESERVED: &AsciiSet = &{
    let mut set = CONTROLS.add(b' ');
    let mut rest: &[u8] = b"\"#%+/<>?[\\]^`{|}";
    while let [byte, others @ ..] = rest {
        (set, rest) = (set.add(*byte), others);
    }
    set
};

/// The names in a path. They are parsed after the caller is authorized: a caller without permission gets no
/// 404.
pub(crate) trait PathNames: Sized + 'static {
    /// The names below the tenant, for the OpenAPI document.
    fn names() -> Vec<NameInPath> {
        Vec::new()
    }

    /// The names, or 404 for a name that no row can have.
    fn from_request(raw: &RawRequest) -> Result<Self, Problem>;
}

/// A path without names.
impl PathNames for () {
    fn from_request(_: &RawRequest) -> Result<Self, Problem> {
        Ok(())
    }
}

impl PathNames for TenantId {
    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Self::parse(raw.place("id").unwrap_or_default()).map_err(|_| ServerFailure::UnknownTenant.into())
    }
}

/// A row of a tenant.
impl<A: Segment> PathNames for (TenantId, A) {
    fn names() -> Vec<NameInPath> {
        A::IN_PATH.to_vec()
    }

    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::from_request(raw)?, A::from_request(raw)?))
    }
}

/// The path of a row below a row of a tenant.
impl<A: Segment, B: Segment> PathNames for (TenantId, A, B) {
    fn names() -> Vec<NameInPath> {
        [A::IN_PATH, B::IN_PATH].concat()
    }

    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::from_request(raw)?, A::from_request(raw)?, B::from_request(raw)?))
    }
}

/// A name in a path below that of a tenant. Ids that the program makes are sent as they are.
pub(crate) trait Segment: Sized + 'static {
    /// Its name in the pattern of the path, its description, and an example, if the path has it.
    const IN_PATH: &'static [NameInPath];

    /// The name, or 404 for a name that no row can have.
    fn from_request(raw: &RawRequest) -> Result<Self, Problem>;
}

/// The tenant is the row.
impl Segment for () {
    const IN_PATH: &'static [NameInPath] = &[];

    fn from_request(_: &RawRequest) -> Result<Self, Problem> {
        Ok(())
    }
}

/// Implements [`Segment`] for a type, with its noun and its description in the OpenAPI document. If the path
/// has the name, it includes that name.
macro_rules! segment {
    ($segment:ty, $noun:literal, $in_path:tt: |$raw:ident| $name:expr) => {
        impl super::names::Segment for $segment {
            const IN_PATH: &'static [crate::openapi::NameInPath] = &[$in_path];

            fn from_request($raw: &crate::request::RawRequest) -> Result<Self, crate::respond::Problem> {
                let unknown =
                    || crate::respond::Problem::not_found(concat!("there is no ", $noun, " of this id"));
                $name.ok_or_else(unknown)
            }
        }
    };
}

pub(super) use segment;

/// A name as a segment of a path.
pub(crate) fn encoded(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, RESERVED)
}

/// The path of a client.
pub(super) fn path_of_client(tenant: &TenantId, client: &str) -> String {
    format!("/api/v1/tenant/{tenant}/clients/{}", encoded(client))
}

/// The segment at this place, decoded.
pub(crate) fn decoded(raw: &RawRequest, place: &str) -> Option<String> {
    percent_decode_str(raw.place(place)?).decode_utf8().ok().map(Cow::into_owned)
}
