//! Whether two sets of times have the same mean, by Welch's t-test, which does not need equal variances.
//! Among times of one distribution, a t over 4.5 is as rare as one in a hundred thousand.

/// Welch's t of two sets: the difference of their means in units of its standard error. 0 if the means are
/// equal, and infinite if they differ and the values do not vary.
pub(super) fn t(left: &[f64], right: &[f64]) -> f64 {
    let ((left, left_error), (right, right_error)) = (moments(left), moments(right));
    let (difference, error) = (left - right, (left_error + right_error).sqrt());
    if difference == 0.0 { 0.0 } else { difference / error }
}

/// The mean, and the square of its standard error.
fn moments(times: &[f64]) -> (f64, f64) {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (mean, squares / (count - 1.0) / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Python: `(mean(a) - mean(b)) / (variance(a) / len(a) + variance(b) / len(b)) ** 0.5`, of
    /// its module `statistics`.
    #[test]
    fn statistic_equals_that_of_python() {
        let a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
        let b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.2];
        assert!((t(&a, &b) + 2.841_322_271_378_381_4).abs() < 1e-12, "{}", t(&a, &b));
        assert!((t(&b, &a) - 2.841_322_271_378_381_4).abs() < 1e-12);
        let c = [17.2, 20.9, 22.6, 18.1, 21.7, 21.4, 23.5, 24.2, 14.7, 21.8];
        assert!((t(&c, &b) + 2.59377087823308).abs() < 1e-12, "{}", t(&c, &b));
    }

    #[test]
    fn equal_times_give_zero_and_constant_times_infinity() {
        assert_eq!(t(&[1.0, 2.0, 3.0], &[3.0, 1.0, 2.0]), 0.0);
        assert_eq!(t(&[1.0, 1.0], &[1.0, 1.0]), 0.0);
        assert_eq!(t(&[2.0, 2.0], &[1.0, 1.0]), f64::INFINITY);
    }

    /// In two thousand times, the test does not find a difference of a thousandth of their variation, and it
    /// finds one of a tenth.
    #[test]
    fn only_large_enough_differences_are_found() {
        let times = |more: f64| -> Vec<f64> {
            let varied = super::super::order::mixed(2_000);
            varied.into_iter().map(|number| 100.0 + number as f64 / 2_000.0 + more).collect()
        };
        assert!(t(&times(0.001), &times(0.0)).abs() < 0.2);
        assert!(t(&times(0.1), &times(0.0)) > 4.5);
    }
}
