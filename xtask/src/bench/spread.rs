//! Minimum, median and maximum of a figure over the rounds.

use std::fmt;

/// Prints as three columns with the requested precision.
#[derive(Clone)]
pub(super) struct Spread {
    sorted: Vec<f64>,
}

impl Spread {
    pub(super) fn from_figures(figures: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    /// The middle value, or the mean of the two middle values.
    pub(super) fn median(&self) -> f64 {
        let last = self.sorted.len().saturating_sub(1);
        let at = |index: usize| self.sorted.get(index).copied().unwrap_or(f64::NAN);
        f64::midpoint(at(last / 2), at(last.div_ceil(2)))
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = formatter.precision().unwrap_or(2);
        let [min, max] =
            [self.sorted.first(), self.sorted.last()].map(|end| end.copied().unwrap_or(f64::NAN));
        write!(formatter, "{min:>10.precision$} {:>10.precision$} {max:>10.precision$}", self.median())
    }
}
