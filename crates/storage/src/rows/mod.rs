//! The rows that statements return, and what they become.

/// A struct that is read column by column. What follows `with` is read from the same row.
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

        impl crate::row::FromRow for $name {
            fn from_row(row: &crate::row::Row) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($field: row.get(stringify!($field))?,)+
                    $($($nested: crate::row::FromRow::from_row(row)?,)+)?
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
pub(crate) use signing_key::{CountedKeyRow, key_records};
pub(crate) use tenant::{PlacedRow, SummaryRow, TenantRow};
pub(crate) use usage::{FetchRow, UsageRow};
