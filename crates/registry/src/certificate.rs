//! Client certificates (RFC 8705): parsing, facts and checks.

mod certificate_facts;
mod certificate_inspection;
mod certificate_subject;
pub(crate) mod client_certificate;
pub(crate) mod distinguished_name;
pub(crate) mod distinguished_name_text;

pub use certificate_facts::{AlternativeName, CertificateFacts};
pub use certificate_inspection::CertificateInspection;
pub use certificate_subject::{CertificateSubject, InvalidSubject, SubjectKind};
pub use client_certificate::{CertificateMethod, check_client_certificate, count_certificates};
pub use distinguished_name::{DistinguishedName, InvalidName};
