//! Parsing of names in paths of the admin API. A tenant's id must not be escaped. Ids of clients
//! and secrets may be percent-encoded (RFC 3986 §2.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, PercentEncode, percent_decode_str, utf8_percent_encode};
use tenancy::TenantId;

use crate::openapi::NameInPath;
use crate::request::{RawRequest, ServerFailure};
use crate::respond::Problem;

/// The characters that are always percent-encoded in a segment.
const RESERVED: &AsciiSet = &{
    let mut set = CONTROLS.add(b' ');
    let mut rest: &[u8] = b"\"#%+/<>?[\\]^`{|}";
    while let [byte, others @ ..] = rest {
        (set, rest) = (set.add(*byte), others);
    }
    set
};

/// Parsed after the caller is authorized, so that a caller without permission cannot find out which
/// names exist.
pub(crate) trait PathNames: Sized + 'static {
    /// The names below the tenant, for OpenAPI.
    fn names() -> Vec<NameInPath> {
        Vec::new()
    }

    /// 404 for a name that no row can have.
    fn from_request(raw: &RawRequest) -> Result<Self, Problem>;
}

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

impl<A: Segment> PathNames for (TenantId, A) {
    fn names() -> Vec<NameInPath> {
        A::IN_PATH.to_vec()
    }

    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::from_request(raw)?, A::from_request(raw)?))
    }
}

impl<A: Segment, B: Segment> PathNames for (TenantId, A, B) {
    fn names() -> Vec<NameInPath> {
        [A::IN_PATH, B::IN_PATH].concat()
    }

    fn from_request(raw: &RawRequest) -> Result<Self, Problem> {
        Ok((TenantId::from_request(raw)?, A::from_request(raw)?, B::from_request(raw)?))
    }
}

/// A name below that of a tenant. Ids that the program generates need no escapes.
pub(crate) trait Segment: Sized + 'static {
    /// The name of the parameter, its description and an example. Empty if the path does not
    /// contain the name.
    const IN_PATH: &'static [NameInPath];

    /// 404 for a name that no row can have.
    fn from_request(raw: &RawRequest) -> Result<Self, Problem>;
}

/// The row is the tenant itself.
impl Segment for () {
    const IN_PATH: &'static [NameInPath] = &[];

    fn from_request(_: &RawRequest) -> Result<Self, Problem> {
        Ok(())
    }
}

/// Implements [`Segment`] for a type.
macro_rules! segment {
    ($segment:ty, $noun:literal, $in_path:tt: |$raw:ident| $name:expr) => {
        impl super::names::Segment for $segment {
            const IN_PATH: &'static [crate::openapi::NameInPath] = &[$in_path];

            fn from_request($raw: &crate::request::RawRequest) -> Result<Self, crate::respond::Problem> {
                let unknown = || crate::respond::Problem::not_found(concat!("no ", $noun, " has this id"));
                $name.ok_or_else(unknown)
            }
        }
    };
}

pub(super) use segment;

pub(crate) fn encoded(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, RESERVED)
}

pub(super) fn path_of_client(tenant: &TenantId, client: &str) -> String {
    format!("/api/v1/tenant/{tenant}/clients/{}", encoded(client))
}

pub(crate) fn decoded(raw: &RawRequest, place: &str) -> Option<String> {
    percent_decode_str(raw.place(place)?).decode_utf8().ok().map(Cow::into_owned)
}
