//! Enums whose values have one name each, on the wire and in rows.

/// Gives an enum its names: `NAMED` and `NAMES`, which list all of them, and `as_str`.
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
