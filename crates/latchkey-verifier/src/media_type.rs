//! Media types of `typ` headers (RFC 7515 §4.1.9): without regard to case, with or without `application/`.

/// Whether both names mean the same type.
pub(crate) fn same_media_type(one: &str, other: &str) -> bool {
    bare(one).eq_ignore_ascii_case(bare(other))
}

fn bare(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_matches_with_or_without_prefix_ignoring_case() {
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
            assert!(same_media_type(typ, "at+jwt"), "{typ}");
        }
        for typ in ["application/application/at+jwt", "at+jwt ", "JWT", "", "applicatioñ/at+jwt"] {
            assert!(!same_media_type(typ, "at+jwt"), "{typ}");
        }
    }
}
