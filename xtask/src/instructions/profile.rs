//! Reads a profile of callgrind: the instructions of a whole program without those of
//! cryptography and of the client.

/// The names of the cryptographic library's functions begin with this, except those that only the library
/// itself calls. Its wrapper in Rust, `aws_lc_rs::`, is counted.
const CRYPTOGRAPHY: &str = "aws_lc_";

/// The functions in which the client of `crates/warm_requests` sends and receives.
const CLIENT: [&str; 2] = ["warm_requests::client::send", "warm_requests::client::receive"];

/// The instructions of the profile, or none when the client's functions have no names in it.
pub(super) fn instructions(profile: &str) -> Option<u64> {
    let (mut function, mut called) = ("", "");
    let (mut total, mut left_out) = (0, 0);
    let (mut is_call, mut has_client) = (false, false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            called = name;
        } else if line.starts_with("calls=") {
            // The next line is the cost of these calls, with all that they called.
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let cost: u64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            if !is_call {
                total += cost;
            } else if is_left_out(function, called) {
                left_out += cost;
                has_client |= is_client(called);
            }
            is_call = false;
        }
    }
    has_client.then(|| total - left_out)
}

/// Calls within the library belong to the call into it. The names of Rust's functions are paths, so the
/// caller of the library is a path.
fn is_left_out(caller: &str, called: &str) -> bool {
    let is_path = |name: &str| name.contains("::");
    is_client(called) || called.starts_with(CRYPTOGRAPHY) && !is_path(called) && is_path(caller)
}

fn is_client(called: &str) -> bool {
    CLIENT.iter().any(|name| called.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
events: Ir
fl=a.rs
fn=gateway::handler
10 100
12 20
cfn=aws_lc_rs::sign
calls=2 0
13 5002
cfn=keys::header
calls=1 7
14 30

fn=keys::header
7 30

fn=aws_lc_rs::sign
9 2
cfn=aws_lc_0_43_0_EVP_DigestSign
calls=2 0
9 5000

fn=aws_lc_0_43_0_EVP_DigestSign
0 1000
cfn=sha256_block
calls=2 0
0 4000

fn=sha256_block
0 3500
cfn=aws_lc_0_43_0_OPENSSL_malloc
calls=1 0
0 500

fn=aws_lc_0_43_0_OPENSSL_malloc
0 500
";

    #[test]
    fn cryptography_and_client_are_not_counted() {
        let client = "fn=warm_requests::main\n1 5\ncfn=warm_requests::client::send\ncalls=1 0\n1 70\n\
                      fn=warm_requests::client::send\n1 70\n";
        assert_eq!(instructions(&format!("{PROFILE}{client}")), Some(100 + 20 + 30 + 2 + 5));
    }

    #[test]
    fn profile_without_names_has_no_figure() {
        assert_eq!(instructions(PROFILE), None);
        assert_eq!(instructions("fn=0x1234\n0 50\ncfn=0x99\ncalls=1 0\n0 10\n"), None);
    }
}
