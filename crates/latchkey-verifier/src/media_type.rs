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
    fn a_type_has_two_spellings_in_any_case() {
        for (typ, is_same) in [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/AT+jwt", true),
            ("application/application/at+jwt", false),
            ("at+jwt ", false),
            ("JWT", false),
            ("", false),
            ("applicatioñ/at+jwt", false),
        ] {
            assert_eq!(same_media_type(typ, "at+jwt"), is_same, "{typ}");
        }
    }
}
