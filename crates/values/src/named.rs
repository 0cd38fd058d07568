//! Enums with one name for each variant, in JSON and in rows of the database.

/// Generates `NAMED`, `NAMES` (both list all variants) and `as_str`.
#[macro_export]
macro_rules! named {
    ($type:ident { $($variant:ident => $name:literal),+ }) => {
        impl $type {
            pub const NAMED: [(&'static str, Self); Self::NAMES.len()] = [$(($name, Self::$variant)),+];

            pub const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// The name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}
