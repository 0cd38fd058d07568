//! Faults of the isolation of tenants that a test plants, to see that `latchkey prove isolation` finds each.
//! Without the feature `planted-faults`, which only tests enable, none can be planted, and the compiler
//! removes what depends on one.

/// The ids of the tenants that `latchkey prove isolation` makes begin with this text.
pub const THROW_AWAY: &str = "isolation-proof-";

#[cfg(feature = "planted-faults")]
static PLANTED: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Plants the fault of this name for the rest of the process. The first call counts.
#[cfg(feature = "planted-faults")]
pub fn plant_fault(name: String) {
    PLANTED.get_or_init(|| name);
}

/// The name of the planted fault.
#[cfg(feature = "planted-faults")]
#[must_use]
pub fn planted_fault() -> Option<&'static str> {
    PLANTED.get().map(String::as_str)
}

/// The name of the planted fault: none.
#[cfg(not(feature = "planted-faults"))]
#[must_use]
pub const fn planted_fault() -> Option<&'static str> {
    None
}

/// Whether this fault is planted.
#[inline]
#[must_use]
pub fn has_planted_fault(name: &str) -> bool {
    planted_fault() == Some(name)
}
