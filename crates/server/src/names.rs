//! Lists tenants on one line: some names, and the number of the others.

const NAMED: usize = 20;

pub(crate) fn names<'a>(all: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let names: Vec<&str> = all.take(NAMED).collect();
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_names_are_listed() {
        let all: Vec<String> = (1..=23).map(|number| format!("t{number}")).collect();
        let of = |count: usize| names(all[..count].iter().map(String::as_str));
        assert_eq!(of(2), "t1, t2");
        assert!(of(20).ends_with("t19, t20") && of(23).ends_with("t19, t20 and 3 more"));
    }
}
