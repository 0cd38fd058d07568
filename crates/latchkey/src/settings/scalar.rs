//! The small values that config.yaml writes as text: spans of time, rates, addresses, the public URL and instants.
//! Each is checked where it is read, so that the message carries its line and column.

use std::{fmt, net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// A span of time in whole seconds, written as an integer and s, m, h or d: `90s`, `15m`, `1h`, `90d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]+[smhd]$"))]
pub(crate) struct Lifetime(u64);

/// How often something may happen, written as a count and s, min or h: `10000/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]+/(s|min|h)$"))]
pub(crate) struct Rate {
    /// How many times.
    pub(crate) count: u32,
    unit: RateUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RateUnit {
    Second,
    Minute,
    Hour,
}

/// An IP address and a port to listen on: `127.0.0.1:3000`, `0.0.0.0:8443`, `[::1]:3000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ListenAddress(SocketAddr);

/// The http or https URL that the world reaches the server at; issuers and metadata are derived from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "uri"))]
pub(crate) struct PublicUrl(String);

/// An instant in UTC, written `2027-01-31T12:00:00Z` (RFC 3339), or `2027-01-31` for the start of that day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("pattern" = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"))]
pub(crate) struct Instant(u64);

/// A longer span is a slip of the pen, and would overflow the times it is added to.
const LONGEST: u64 = 36_525 * 86_400;

impl Lifetime {
    pub(crate) const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    pub(crate) const fn as_secs(self) -> u64 {
        self.0
    }

    pub(crate) const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mend = "write an integer and s, m, h or d, such as 90s, 15m, 1h or 30d";
        let unit = match text.chars().last() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            _ => return Err(format!("`{}` is not a span of time; {mend}", cropped(&text))),
        };
        let digits = &text[..text.len() - 1];
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("`{}` is not a span of time; {mend}", cropped(&text)));
        }
        match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)) {
            Some(seconds) if seconds <= LONGEST => Ok(Self(seconds)),
            _ => Err(format!("`{}` is longer than 36525d; write a shorter span of time", cropped(&text))),
        }
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            seconds if seconds % 86_400 == 0 => write!(f, "{}d", seconds / 86_400),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

impl Rate {
    pub(crate) const fn per_minute(count: u32) -> Self {
        Self { count, unit: RateUnit::Minute }
    }

    /// The span of time that the count is for.
    pub(crate) const fn period(self) -> Duration {
        Duration::from_secs(match self.unit {
            RateUnit::Second => 1,
            RateUnit::Minute => 60,
            RateUnit::Hour => 3600,
        })
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let rate = text.split_once('/').and_then(|(count, unit)| {
            let unit = match unit {
                "s" => RateUnit::Second,
                "min" => RateUnit::Minute,
                "h" => RateUnit::Hour,
                _ => return None,
            };
            let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
            let count = count.parse().ok().filter(|count| digits && *count > 0)?;
            Some(Self { count, unit })
        });
        rate.ok_or_else(|| {
            format!("`{}` is not a rate; write a count and s, min or h, such as 10000/min", cropped(&text))
        })
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        let unit = match rate.unit {
            RateUnit::Second => "s",
            RateUnit::Minute => "min",
            RateUnit::Hour => "h",
        };
        format!("{}/{unit}", rate.count)
    }
}

impl ListenAddress {
    pub(crate) const fn socket(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<String> for ListenAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!(
                "`{}` is not an address to listen on; write an IP address and a port, such as 127.0.0.1:3000 or 0.0.0.0:3000",
                cropped(&text)
            )
        })
    }
}

impl From<ListenAddress> for String {
    fn from(address: ListenAddress) -> Self {
        address.0.to_string()
    }
}

impl PublicUrl {
    /// The URL without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What every derived issuer begins with.
    pub(crate) fn tenant_prefix(&self) -> String {
        format!("{}/api/v1/tenant/", self.0)
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mend = "write the http or https URL that callers use, such as https://auth.example.com, without a query, a fragment or a user";
        let fits = Url::parse(&text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        // The parser forgives blanks around and backslashes inside; an issuer is compared byte for byte.
        let exact = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        if fits && exact {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(format!("this is not a URL to derive issuers from; {mend}"))
        }
    }
}

impl From<PublicUrl> for String {
    fn from(url: PublicUrl) -> Self {
        url.0
    }
}

impl Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) const fn as_unix(self) -> u64 {
        self.0
    }
}

impl TryFrom<String> for Instant {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse_instant(&text).map(Self).ok_or_else(|| {
            format!(
                "`{}` is not an instant in UTC; write it as 2027-01-31T12:00:00Z, or 2027-01-31",
                cropped(&text)
            )
        })
    }
}

fn parse_instant(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if year < 1970 || day == 0 || day > length || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    Some((years + months + day - 1) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (slot, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// A value as a message quotes it: short, whatever the file holds.
pub(crate) fn cropped(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_an_integer_and_a_unit() {
        for (text, seconds) in [
            ("0s", Some(0)),
            ("2s", Some(2)),
            ("15m", Some(900)),
            ("1h", Some(3600)),
            ("90d", Some(7_776_000)),
            ("3600", None),
            ("", None),
            ("s", None),
            ("1.5h", None),
            ("-1s", None),
            ("+1s", None),
            ("1 h", None),
            ("1w", None),
            ("1é", None),
            ("36526d", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(Lifetime::try_from(text.to_owned()).ok().map(Lifetime::as_secs), seconds, "{text}");
        }
    }

    #[test]
    fn a_span_of_time_is_written_back_in_its_largest_unit() {
        for text in ["0s", "61s", "15m", "25h", "2d"] {
            assert_eq!(Lifetime::try_from(text.to_owned()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_rate_is_a_count_and_a_unit() {
        for (text, rate) in [
            ("10000/min", Some((10_000, 60))),
            ("5/s", Some((5, 1))),
            ("1/h", Some((1, 3600))),
            ("0/s", None),
            ("+5/s", None),
            ("10000", None),
            ("10/day", None),
            ("/min", None),
        ] {
            let found = Rate::try_from(text.to_owned()).ok().map(|rate| (rate.count, rate.period().as_secs()));
            assert_eq!(found, rate, "{text}");
        }
    }

    #[test]
    fn a_public_url_is_http_without_more_than_a_path() {
        for (text, url) in [
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("https://auth.example.com/", Some("https://auth.example.com")),
            ("https://example.com/auth", Some("https://example.com/auth")),
            ("ftp://example.com", None),
            ("https://user@example.com", None),
            ("https://example.com?x=1", None),
            ("https://example.com#x", None),
            (" https://example.com", None),
            ("example.com", None),
            ("https://", None),
        ] {
            let found = PublicUrl::try_from(text.to_owned()).ok();
            assert_eq!(found.as_ref().map(PublicUrl::as_str), url, "{text}");
        }
    }

    #[test]
    fn an_instant_is_utc() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("2027-01-31T12:00:01Z", Some(1_801_396_801)),
            ("2000-02-29", Some(951_782_400)),
            ("2024-12-31T23:59:59Z", Some(1_735_689_599)),
            ("2026-02-29", None),
            ("2027-01-31T12:00:00+01:00", None),
            ("2027-13-01", None),
            ("2027-1-1", None),
            ("1969-12-31", None),
            ("tomorrow", None),
        ] {
            assert_eq!(Instant::try_from(text.to_owned()).ok().map(Instant::as_unix), seconds, "{text}");
        }
    }
}
