//! The limit of open files of this process, on Linux.

use std::fs;

/// The soft limit.
pub(crate) fn limit() -> Option<usize> {
    parse(&fs::read_to_string("/proc/self/limits").ok()?)
}

fn parse(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_the_first_number() {
        let limits = "Limit  Soft Limit  Hard Limit  Units\nMax processes  5  6  processes\nMax open files            1024                 524288               files\n";
        assert_eq!(parse(limits), Some(1024));
        assert_eq!(parse("Max open files  unlimited  unlimited  files"), None);
        assert_eq!(parse(""), None);
    }
}
