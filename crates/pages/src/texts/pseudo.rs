//! The pseudo-language: each English text in brackets.

use std::sync::LazyLock;

use super::{Text, Texts};

pub(super) fn texts() -> &'static Texts {
    static TEXTS: LazyLock<Texts> = LazyLock::new(Texts::pseudo);
    &TEXTS
}

/// Lives as long as the test.
pub(super) fn bracketed(text: Text) -> Text {
    Box::leak(format!("⟦{text}⟧").into_boxed_str())
}

/// Wraps the English text of one field.
macro_rules! wrapped {
    (Text, $english:expr) => {
        $crate::texts::pseudo::bracketed($english)
    };
    (With, $english:expr) => {
        |value| format!("⟦{}⟧", ($english)(value))
    };
    (WithTwo, $english:expr) => {
        |first, second| format!("⟦{}⟧", ($english)(first, second))
    };
    (Named, $english:expr) => {
        |name| ($english)(name).map($crate::texts::pseudo::bracketed)
    };
    (ErrorTexts, $english:expr) => {
        |kind| {
            let (title, explanation) = ($english)(kind);
            ($crate::texts::pseudo::bracketed(title), $crate::texts::pseudo::bracketed(explanation))
        }
    };
    ($part:ident, $english:expr) => {
        $part::pseudo()
    };
}
pub(super) use wrapped;
