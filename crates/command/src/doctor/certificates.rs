//! Checks how long the certificates are still valid.

use protocol::Validity;
use server::{clock, tls};
use settings::Loaded;
use values::Timestamp;

use super::report::{DoctorCheck, ReportLine};

const CERTIFICATE: DoctorCheck = DoctorCheck("certificate");

const DAY: u64 = 86_400;
/// Warns this many days before a certificate expires.
const SOON: u64 = 14;

/// A certificate that cannot be used at all is reported as an error of the settings.
pub(super) fn check(loaded: &Loaded) -> Vec<ReportLine> {
    let lines = loaded.platform.server.listeners.iter().filter_map(|listener| {
        let address = listener.address.socket();
        let opened = tls::open(address, listener.tls.as_ref()?).ok()?;
        Some(match opened.validity() {
            Some(validity) => remaining(CERTIFICATE, &address.to_string(), validity, clock::now()),
            None => CERTIFICATE.skipped(format!("{address}: cannot read the expiry date of the certificate")),
        })
    });
    lines.collect()
}

/// Reports how long a certificate is still valid.
pub(super) fn remaining(
    check: DoctorCheck,
    address: &str,
    Validity { not_before, not_after }: Validity,
    now: Timestamp,
) -> ReportLine {
    let until = not_after.to_rfc3339();
    let days = not_after.seconds().saturating_sub(now.seconds()) / DAY;
    let renew = "replace the certificate and the key; a running server loads new files automatically";
    match () {
        () if not_after < now => check.error(format!("{address}: expired at {until}"), renew),
        () if not_before > now => check.error(
            format!("{address}: not valid before {}", not_before.to_rfc3339()),
            "correct the clock of this machine, or configure another certificate",
        ),
        () if days < SOON => check.warning(format!("{address}: valid for {days} days, until {until}"), renew),
        () => check.ok(format!("{address}: valid for {days} days, until {until}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::DoctorStatus;
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_certificate_is_judged_by_its_remaining_days() {
        let validity =
            Validity { not_before: at("2026-01-01T00:00:00Z"), not_after: at("2026-12-31T00:00:00Z") };
        for (now, expected, found) in [
            ("2025-12-31T00:00:00Z", DoctorStatus::Error, "a: not valid before 2026-01-01T00:00:00Z"),
            ("2026-12-01T00:00:00Z", DoctorStatus::Ok, "a: valid for 30 days, until 2026-12-31T00:00:00Z"),
            (
                "2026-12-18T00:00:00Z",
                DoctorStatus::Warning,
                "a: valid for 13 days, until 2026-12-31T00:00:00Z",
            ),
            ("2027-01-01T00:00:00Z", DoctorStatus::Error, "a: expired at 2026-12-31T00:00:00Z"),
        ] {
            let line = remaining(CERTIFICATE, "a", validity, at(now));
            assert_eq!((line.status, &*line.found), (expected, found));
        }
    }
}
