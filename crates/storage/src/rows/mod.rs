//! The rows that statements give, once for both engines, and what they become.

/// A struct that is read column by column from a row of either engine. What follows `with` is read from the same row.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident { $($field_visibility:vis $field:ident: $type:ty),+ $(,)? }
        $(with { $($nested_visibility:vis $nested:ident: $nested_type:ty),+ $(,)? })?
    ) => {
        $(#[$meta])*
        $visibility struct $name {
            $($field_visibility $field: $type,)+
            $($($nested_visibility $nested: $nested_type,)+)?
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            for<'i> &'i str: sqlx::ColumnIndex<R>,
            $($type: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,)+
            $($($nested_type: sqlx::FromRow<'r, R>,)+)?
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($field: row.try_get(stringify!($field))?,)+
                    $($($nested: sqlx::FromRow::from_row(row)?,)+)?
                })
            }
        }
    };
}

mod bookkeeping;
mod client;
mod key_schedule;
mod lifecycle;
mod resource_server;
mod signing_key;
mod tenant;
mod texts;
mod usage;

pub(crate) use bookkeeping::{AnswerRow, ApplicationRow, AuditRow, ChangeRow, GenerationRow, application_id};
pub(crate) use client::ClientRow;
pub(crate) use key_schedule::{ScheduleRow, tenant_keys};
pub(crate) use signing_key::SigningKeyRow;
pub(crate) use tenant::{PlacedRow, SummaryRow, TenantRow};
pub(crate) use usage::{FetchRow, UsageRow};
