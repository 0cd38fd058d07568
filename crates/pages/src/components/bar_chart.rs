//! A chart of stacked bars with two counts each. The SVG contains no styles of its own, because the
//! content security policy forbids them. A table below the chart has the same numbers.

use super::{Column, Table, Value};

#[derive(Clone, Debug)]
pub struct BarChart {
    /// Unique in the page.
    pub id: String,
    pub title: String,
    /// The sums in words, for people who cannot see the bars.
    pub summary: String,
    /// The heading of the first column of the table, such as the word for an hour.
    pub slot: &'static str,
    /// Lower part of the bars, then upper part.
    pub series: [&'static str; 2],
    pub slots: Vec<ChartSlot>,
    /// The label of the button that opens the table.
    pub numbers: String,
}

#[derive(Clone, Debug)]
pub struct ChartSlot {
    pub name: String,
    pub counts: [u64; 2],
}

/// A rectangle, in the units of the SVG.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// The class in the style sheet.
    pub class: &'static str,
    pub x: usize,
    pub y: u64,
    pub height: u64,
}

/// Units. A count above zero is at least one unit high, and the two parts of a bar have a gap
/// between them.
const HEIGHT: u64 = 100;
const STEP: usize = 10;

impl BarChart {
    pub const WIDTH: usize = STEP - 2;

    #[must_use]
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.slots.len().max(1) * STEP)
    }

    fn most(&self) -> u128 {
        let sums = self.slots.iter().map(|slot| slot.counts.map(u128::from).iter().sum());
        sums.max().unwrap_or_default()
    }

    /// The number at the top of the axis.
    pub(crate) fn top(&self) -> String {
        Value::grouped(&u64::try_from(self.most()).unwrap_or(u64::MAX))
    }

    /// The names of the first and the last slot.
    pub(crate) fn ends(&self) -> [&str; 2] {
        [self.slots.first(), self.slots.last()].map(|slot| slot.map_or("", |slot| &*slot.name))
    }

    #[must_use]
    pub fn bars(&self) -> Vec<Bar> {
        let most = self.most().max(1);
        let scaled = |count: u64| {
            let units = u128::from(count) * u128::from(HEIGHT - 1) / most;
            u64::try_from(units).unwrap_or(HEIGHT).max(u64::from(count > 0))
        };
        let of_slot = |(at, slot): (usize, &ChartSlot)| {
            let [lower, upper] = slot.counts.map(scaled);
            let gap = u64::from(lower > 0 && upper > 0);
            let x = at * STEP + 1;
            let bar = |class, y: u64, height| Bar { class, x, y, height };
            [
                bar("lower", HEIGHT - lower, lower),
                bar("upper", (HEIGHT - lower - gap).saturating_sub(upper), upper),
            ]
        };
        self.slots.iter().enumerate().flat_map(of_slot).filter(|bar| bar.height > 0).collect()
    }

    #[must_use]
    pub fn table(&self) -> Table {
        let columns =
            [Column::from_heading(self.slot)].into_iter().chain(self.series.map(Column::of_numbers));
        let row = |slot: &ChartSlot| {
            let [lower, upper] = slot.counts.map(Value::Number);
            vec![Value::Text(slot.name.clone()), lower, upper]
        };
        let rows = self.slots.iter().map(row).collect();
        Table { caption: self.title.clone(), columns: columns.collect(), rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: &[[u64; 2]], expected: &[(&str, usize, u64, u64)]) {
        let slots = counts.iter().map(|counts| ChartSlot { name: String::new(), counts: *counts }).collect();
        let (id, title, summary, numbers) = <(String, String, String, String)>::default();
        let chart = BarChart { id, title, summary, slot: "", series: [""; 2], slots, numbers };
        let bars = chart.bars();
        let found: Vec<_> = bars.iter().map(|bar| (bar.class, bar.x, bar.y, bar.height)).collect();
        assert_eq!(found, expected, "{counts:?}");
    }

    #[test]
    fn highest_bar_fills_the_chart_small_counts_stay_visible() {
        check(&[], &[]);
        check(&[[0, 0]], &[]);
        check(&[[0, 0], [5, 0]], &[("lower", 11, 1, 99)]);
        check(&[[50, 50]], &[("lower", 1, 51, 49), ("upper", 1, 1, 49)]);
        check(&[[1_000_000, 1]], &[("lower", 1, 2, 98), ("upper", 1, 0, 1)]);
        check(&[[u64::MAX, u64::MAX]], &[("lower", 1, 51, 49), ("upper", 1, 1, 49)]);
    }
}
