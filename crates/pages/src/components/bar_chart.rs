//! A chart of bars with two counts each, one above the other. It is SVG without its own styles, and a table
//! has the same numbers.

use super::{Column, Table, Value};

/// A chart.
#[derive(Clone, Debug)]
pub struct BarChart {
    /// A unique identifier in the page.
    pub id: String,
    /// The title.
    pub title: String,
    /// The sums, for people who do not see the bars.
    pub summary: String,
    /// The noun of a slot, such as an hour.
    pub slot: &'static str,
    /// The two counted things: the lower, and the upper.
    pub series: [&'static str; 2],
    /// The bars in their order.
    pub slots: Vec<ChartSlot>,
    /// The label that opens the table.
    pub numbers: String,
}

/// The counts of an hour, or of another slot.
#[derive(Clone, Debug)]
pub struct ChartSlot {
    /// Its name.
    pub name: String,
    /// The two counts.
    pub counts: [u64; 2],
}

/// A part of a bar, in the units of the drawing.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Which of the two counts it is, as a class of the style sheet.
    pub class: &'static str,
    /// Its left side.
    pub x: usize,
    /// Its upper side.
    pub y: u64,
    /// Its height.
    pub height: u64,
}

/// The height of the drawing. A count above zero has at least one unit, and two parts of a bar have a gap.
const HEIGHT: u64 = 100;
const STEP: usize = 10;

impl BarChart {
    /// The width of a bar.
    pub const WIDTH: usize = STEP - 2;

    /// The size of the drawing as SVG has it.
    #[must_use]
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.slots.len().max(1) * STEP)
    }

    /// The largest sum of a slot.
    fn most(&self) -> u128 {
        let sums = self.slots.iter().map(|slot| slot.counts.map(u128::from).iter().sum());
        sums.max().unwrap_or_default()
    }

    /// The parts that are not empty.
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

    /// The numbers as a table.
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
    fn the_highest_bar_fills_the_drawing_and_what_was_counted_is_seen() {
        check(&[], &[]);
        check(&[[0, 0]], &[]);
        check(&[[0, 0], [5, 0]], &[("lower", 11, 1, 99)]);
        check(&[[50, 50]], &[("lower", 1, 51, 49), ("upper", 1, 1, 49)]);
        check(&[[1_000_000, 1]], &[("lower", 1, 2, 98), ("upper", 1, 0, 1)]);
        check(&[[u64::MAX, u64::MAX]], &[("lower", 1, 51, 49), ("upper", 1, 1, 49)]);
    }
}
