//! How each type is read from a column and sent to the store in JSON.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::{Debug, Display};

use accounts::{AccountId, AccountPassword};
use administration::administrator::console_session::ConsoleHolder;
use administration::audit::usage::Counter;
use administration::declaration::fingerprint::Fingerprint;
use administration::documents::Instant;
use administration::documents::application::ApplicationId;
use administration::kinds::state::ManagedBy;
use administration::rows::hex;
use grants::{ConsentedResources, GrantId, Granted};
use keys::{KeyAlgorithm, KeyId};
use protocol::{Scope, SigningAlgorithm};
use registry::{ApiKeyId, ClientId, CredentialTag, SecretId, SecretRotation, TextPattern, TrustRules};
use secrets::SecretHash;
use serde_json::{Map, Value, json};
use sessions::SessionId;
use tenancy::{Issuer, TenantId, TokenFormat};
use values::{LetterKind, Lifetime, Timestamp};

use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};

pub(crate) trait ColumnValue: Sized {
    /// The PostgreSQL name of the column's type.
    const TYPE: &'static str;

    fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error>;

    /// The value as JSON. Times and durations are seconds; bytes are hexadecimal digits.
    fn json(&self) -> Value;
}

/// Implements [`ColumnValue`] for types that both engines support.
macro_rules! engine_columns {
    ($($type:ty: $name:literal;)+) => {$(
        impl ColumnValue for $type {
            const TYPE: &'static str = $name;

            fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error> {
                row.get(column)
            }

            fn json(&self) -> Value {
                json!(self)
            }
        }
    )+};
}

/// Implements [`ColumnValue`] for types that are stored as another type. Each entry has a conversion for
/// reading and a conversion for writing.
macro_rules! columns_stored_as {
    ($($type:ty, $stored:ty: $read:expr, $write:expr;)+) => {$(
        impl ColumnValue for $type {
            const TYPE: &'static str = <$stored as ColumnValue>::TYPE;

            fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error> {
                read_as::<$stored, _, _>(row, column, $read)
            }

            fn json(&self) -> Value {
                let write: fn(&Self) -> $stored = $write;
                write(self).json()
            }
        }
    )+};
}

/// Implements [`ColumnValue`] for types that are stored as their `Display` text and parsed with `FromStr`.
macro_rules! text_columns {
    ($($type:ty),+ $(,)?) => {
        columns_stored_as! { $($type, String: |text| text.parse::<$type>(), ToString::to_string;)+ }
    };
}

engine_columns! {
    String: "text";
    i64: "bigint";
    bool: "boolean";
}

text_columns!(
    AccountId,
    AccountPassword,
    ApiKeyId,
    ClientId,
    GrantId,
    SecretHash,
    SessionId,
    SigningAlgorithm,
    TenantId
);

columns_stored_as! {
    ApplicationId, String: |text| ApplicationId::parse(&text).ok_or("not a UUID"), ToString::to_string;
    CredentialTag, String:
        |text| CredentialTag::parse(&text).ok_or("not a tag of a credential"), ToString::to_string;
    Issuer, String: |text| Issuer::parse(&text), ToString::to_string;
    Scope, String: |text| Scope::parse(&text), ToString::to_string;
    SecretId, String: |text| Ok::<_, Infallible>(SecretId::new(&text)), ToString::to_string;

    KeyAlgorithm, String: |text| text.parse::<KeyAlgorithm>(), ToString::to_string;

    ManagedBy, String:
        |text| named(&[ManagedBy::Config, ManagedBy::Api], ManagedBy::as_str, &text),
        |value| value.as_str().to_owned();

    Counter, String: |text| named(&Counter::NAMED.map(|(_, counter)| counter), Counter::as_str, &text),
        |counter| counter.as_str().to_owned();

    LetterKind, String: |text| named(&LetterKind::NAMED.map(|(_, letter)| letter), LetterKind::as_str, &text),
        |letter| letter.as_str().to_owned();

    TokenFormat, String: |text| named(&TokenFormat::NAMED.map(|(_, format)| format), TokenFormat::as_str, &text),
        |format| format.as_str().to_owned();

    // JSON documents.
    BTreeMap<String, String>, String: |text| serde_json::from_str(&text), |texts| json!(texts).to_string();
    ConsoleHolder, String: |text| serde_json::from_str(&text), |holder| json!(holder).to_string();
    ConsentedResources, String: |text| serde_json::from_str(&text), |resources| json!(resources).to_string();
    SecretRotation, String: |text| serde_json::from_str(&text), |rotation| json!(rotation).to_string();
    // Empty rules are stored as NULL, so that the index contains only clients with rules.
    Vec<(String, TextPattern)>, String: |text| serde_json::from_str(&text), |rules| json!(rules).to_string();
    TrustRules, Option<String>: |text| text.map_or(Ok(TrustRules::default()), |text| serde_json::from_str(&text)),
        |rules| (!rules.0.is_empty()).then(|| json!(rules).to_string());
    // Redeeming a code empties this column.
    Granted, String: |text| if text.is_empty() { Ok(Granted::default()) } else { serde_json::from_str(&text) }, |granted| json!(granted).to_string();
    Value, String: |text| text.parse(), ToString::to_string;
    Map<String, Value>, String: |text| serde_json::from_str(&text), |members| json!(members).to_string();

    // Both engines have only signed 64-bit integers. Times and durations are never negative, and larger
    // values do not occur in practice.
    Lifetime, u64: |seconds| Ok::<_, Infallible>(Lifetime::from_seconds(seconds)), |span| span.seconds();
    Timestamp, u64: |seconds| Ok::<_, Infallible>(Timestamp::from_seconds(seconds)), |at| at.seconds();
    Instant, Timestamp: |at| Ok::<_, Infallible>(Instant(at)), |instant| instant.0;
    u64, i64:
        |number| Ok::<_, Infallible>(number.max(0).unsigned_abs()),
        |number| i64::try_from(*number).unwrap_or(i64::MAX);
    u32, i64: u32::try_from, |number| i64::from(*number);
    KeyId, u32: |number| Ok::<_, Infallible>(KeyId::numbered(number)), |id| id.number();

    [u8; 32], Vec<u8>: |bytes| Self::try_from(bytes).map_err(|_| "not 32 bytes"), |bytes| bytes.to_vec();
    Fingerprint, [u8; 32]:
        |bytes| Ok::<_, Infallible>(Fingerprint::from_bytes(bytes)),
        |fingerprint| *fingerprint.as_bytes();

    Vec<TenantId>, Vec<String>:
        |texts| texts.iter().map(|text| text.parse()).collect::<Result<Self, _>>(),
        |ids| ids.iter().map(ToString::to_string).collect();
}

/// A list is an array in PostgreSQL and a JSON array in SQLite.
impl ColumnValue for Vec<String> {
    const TYPE: &'static str = "text[]";

    fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error> {
        row.texts(column)
    }

    fn json(&self) -> Value {
        json!(self)
    }
}

impl ColumnValue for Vec<u8> {
    const TYPE: &'static str = "bytea";

    fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error> {
        row.bytes(column)
    }

    fn json(&self) -> Value {
        hex(self).into()
    }
}

impl<T: ColumnValue> ColumnValue for Option<T> {
    const TYPE: &'static str = T::TYPE;

    fn read(row: &DatabaseRow, column: &str) -> Result<Self, Error> {
        if row.is_null(column)? { Ok(None) } else { T::read(row, column).map(Some) }
    }

    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, ColumnValue::json)
    }
}

fn read_as<S: ColumnValue, T, E: Display>(
    row: &DatabaseRow,
    column: &str,
    read: impl FnOnce(S) -> Result<T, E>,
) -> Result<T, Error> {
    read(S::read(row, column)?).map_err(|cause| Error::unreadable(column, cause))
}

/// Finds the value of an enumeration by its stored name.
fn named<T: Copy + Debug>(all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Result<T, String> {
    all.iter().copied().find(|value| name(*value) == text).ok_or_else(|| format!("unknown name {text:?}"))
}

/// Whether a column can hold the text. PostgreSQL does not accept NUL characters.
pub(crate) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Seconds as a signed integer. Values above `i64::MAX` become `i64::MAX`.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    i64::try_from(at.seconds()).unwrap_or(i64::MAX)
}

macro_rules! tuple {
    ($($name:ident $place:literal),+) => {
        impl<$($name: ColumnValue),+> FromRow for ($($name,)+) {
            fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
                Ok(($($name::read(row, row.name($place)?)?,)+))
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);

impl FromRow for TenantId {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        Self::read(row, "tenant_id")
    }
}
