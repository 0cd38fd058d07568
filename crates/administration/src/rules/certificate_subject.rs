//! The rules for the subject of a client's certificates (RFC 8705 §2.1.2).

use registry::{CertificateSubject, SubjectKind};

use super::FieldErrors;
use crate::documents::ClientSettings;

/// The certificate subject of a registration, if it has one.
pub(super) fn check_certificate_subject(
    errors: &mut FieldErrors,
    settings: &ClientSettings,
) -> Option<CertificateSubject> {
    let mut subjects = settings.certificate_subjects();
    let (kind, text) = subjects.next()?;
    // RFC 8705 §2.1.2: "A client using the "tls_client_auth" authentication method MUST use exactly one of
    // the below metadata parameters".
    if let Some((other, _)) = subjects.next() {
        let detail =
            format!("`{}` is also set, and a client has only one subject (RFC 8705 §2.1.2)", kind.member());
        errors.refuse(&pointer(other), detail, "remove one of the two");
        return None;
    }
    let subject = CertificateSubject::parse(kind, text);
    subject.map_err(|error| errors.refuse(&pointer(kind), error.to_string(), hint(kind))).ok()
}

/// Requires a subject for a method that uses certificates of an authority.
pub(super) fn check_has_subject(errors: &mut FieldErrors, at: &str, settings: &ClientSettings) {
    if settings.certificate_subjects().next().is_none() {
        let detail = "this method needs the subject of the client's certificates, and none is set";
        let hint = "set one of `tls_client_auth_subject_dn`, `tls_client_auth_san_dns`, \
            `tls_client_auth_san_uri`, `tls_client_auth_san_ip` and `tls_client_auth_san_email`";
        errors.refuse(at, detail, hint);
    }
}

fn pointer(kind: SubjectKind) -> String {
    format!("/{}", kind.member())
}

const fn hint(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Dn => {
            "write the name in RFC 4514 form, the most specific part first, such as CN=client,O=Example,C=DE"
        }
        SubjectKind::Dns => "use a name without a wildcard, such as client.example.com",
        SubjectKind::Uri => "write the full URI, such as spiffe://example.com/client",
        SubjectKind::Ip => "use an address without a port, such as 192.0.2.1 or 2001:db8::1",
        SubjectKind::Email => "use a mailbox and a host, such as client@example.com",
    }
}
