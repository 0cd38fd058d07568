//! Statements and their arguments. One text serves both engines: a word in braces is replaced by the SQL of
//! the engine.
//!
//! A text that contains `{tenant}` reads rows of the tenant `$1`. In PostgreSQL the same statement also
//! enters the tenant. The columns of structs are not part of the text: [`Statement::reading`] and
//! [`Statement::writing`] insert them.
//!
//! No macro checks a text at compile time, because two engines would need two sets of committed files and a
//! database to write them. The store contract of `testkit` runs each statement in both engines.

use std::borrow::Cow;
use std::sync::LazyLock;

use administration::rows::hex;
use sqlx::postgres::PgArguments;
use sqlx::query::{Query, QueryScalar};
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Encode, Postgres, Sqlite, Type};
use tenancy::TenantId;
use values::Timestamp;

use crate::columns::{self, Columns, DOCUMENT};
use crate::postgres::Role;
use crate::row::FromRow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// The words with their SQL for SQLite and for PostgreSQL. `@` is the word's argument. `{given(…)}` and
/// `{given_second(…)}` are handled by [`given`].
const WORDS: [(&str, &str, &str); 30] = [
    ("tenant", "$1", "entered.tenant_id"),
    // For statements that write and enter their tenant themselves: `entering` is the value of the common
    // table `entered`, and `entered` reads from that table, so it is evaluated later.
    ("entering", "$1", "set_config('latchkey.tenant', $1, true)"),
    ("entered", "$1", "entered.tenant_id"),
    ("lateral", "", "LATERAL"),
    ("fence", "", "OFFSET 0"),
    // Makes PostgreSQL plan for a single given row, and so use the index.
    ("of_one", "", "LIMIT 1"),
    // Collects rows into one JSON text.
    ("array", "json_group_array", "json_agg"),
    ("object", "json_object", "json_build_object"),
    ("json", "json", "to_json"),
    ("hex", "hex(@)", "encode(@, 'hex')"),
    // A list of texts is a JSON array in SQLite and an array in PostgreSQL. The argument is always a JSON
    // array.
    ("elements", "json_each(@)", "json_array_elements_text(@::json)"),
    ("texts", "@", "ARRAY(SELECT json_array_elements_text(@::json))"),
    ("no_texts", "'[]'", "'{}'"),
    ("empty_bytes", "x''", "''"),
    // Replaces the members of the existing document by those of the given document and keeps all others.
    // SQLite's `json_patch` would merge nested members too, so they are removed first. For a deleted row the
    // given document replaces the whole document, which may be unreadable.
    (
        "merged",
        "CASE WHEN excluded.deleted_at IS NULL THEN json_patch(json_patch(@.settings, (SELECT json_group_object(key, NULL) FROM json_each(excluded.settings))), excluded.settings) ELSE excluded.settings END",
        "CASE WHEN excluded.deleted_at IS NULL THEN (@.settings::jsonb || excluded.settings::jsonb)::text ELSE excluded.settings END",
    ),
    // A number in a tenant's settings document.
    ("setting", "(t.settings ->> '@')", "(t.settings::json ->> '@')::bigint"),
    ("position", "instr", "strpos"),
    ("greatest", "MAX", "GREATEST"),
    ("least", "MIN", "LEAST"),
    // In SQLite, CROSS JOIN fixes the order: the left table is read first.
    ("join", "CROSS JOIN", "JOIN"),
    ("bytewise", "COLLATE BINARY", "COLLATE \"C\""),
    // Protects the rows from changes until the end of the transaction. SQLite does not need this, because it
    // has one writer.
    ("for_share", "", "FOR SHARE OF @"),
    // In SQLite, the next position of the change log. In PostgreSQL, the oldest transaction that may still be
    // running. Triggers store it in rows.
    (
        "next_change",
        "(SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'change_log')",
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    ),
    (
        "history",
        "(SELECT incarnation FROM store_history WHERE id = 1)",
        "CASE WHEN current_user IS NOT NULL THEN latchkey_history() END",
    ),
    // The end of a reading of the log, as text. In SQLite, the last position: old rows are deleted, but the
    // counter stays. In PostgreSQL, transactions do not commit in the order of positions, so the end is the
    // snapshot of the reading, which includes the transactions that were running.
    (
        "end_of_log",
        "(SELECT CAST(COALESCE(MAX(seq), 0) AS TEXT) FROM sqlite_sequence WHERE name = 'change_log')",
        "pg_current_snapshot()::text",
    ),
    // Whether the store has reached the end of an earlier reading (`$1`). `false` if the store has lost
    // changes that the reading saw, for example by a failover.
    (
        "has_come_to",
        "(SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'change_log') >= CAST($1 AS INTEGER)",
        "pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax($1::pg_snapshot)",
    ),
    // A join condition: the rows of the log that a reading with the end `$1` has not seen.
    (
        "log_since",
        "change_log AS unseen ON position > CAST($1 AS INTEGER)",
        "(SELECT @ FROM change_log WHERE changed_in >= pg_snapshot_xmax($1::pg_snapshot)::text::bigint
          UNION ALL
          SELECT @ FROM change_log
           WHERE changed_in = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot)::text::bigint))) AS unseen ON TRUE",
    ),
    // A text that differs if the argument differs. Only PostgreSQL makes it short.
    ("digest", "(@)", "hashtextextended(@, 0)::text"),
    ("now", "unixepoch()", "EXTRACT(EPOCH FROM now())::bigint"),
    // The last second in which tokens may have been issued before now (`$2`). Each replica's clock is within
    // 2 s of the store's clock; otherwise its health check fails. For a file there is only one clock.
    ("revoked_at", "$2", "(GREATEST($2, EXTRACT(EPOCH FROM clock_timestamp())::bigint) + 2)"),
];

/// Enters the tenant `$1` for the duration of one statement and then runs a query on the tenant's rows, which
/// compares `tenant_id` with `entered.tenant_id`. Row level security reads the setting for each row, so the
/// setting must exist before the query reads: the query uses the result of entering, and OFFSET stops the
/// planner from changing the order. If the order were wrong, the query would find no rows.
const ENTER: &str = "
    WITH entered AS MATERIALIZED (SELECT set_config('latchkey.tenant', $1, true) AS tenant_id)
    SELECT found.* FROM entered CROSS JOIN LATERAL (";

/// SQL that enters a tenant, and SQL that requires the session's role. [`demanding`] replaces both
/// with checks of the role, because with the wrong role a query could silently find no rows.
const ENTERING: &str = "set_config('latchkey.tenant'";
const IN_ROLE: &str = "current_user IS NOT NULL";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Reads,
    Writes,
}

/// Columns that an update does not change.
const CONSTANT: [&str; 7] =
    ["tenant_id", "client_id", "account_id", "audience", "managed_by", "created_at", "valid_from"];

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    arguments: Vec<Argument>,
    asks_for_tenant: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// The first argument of a statement of one tenant. The statement uses the turn of this tenant at a
    /// connection.
    Tenant(TenantId),
    Text(String),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Statement {
    pub(crate) fn from_text(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), arguments: Vec::new(), asks_for_tenant: false }
    }

    /// A statement that writes rows. `{names}` becomes the list of columns, `{given}` a table with the rows
    /// of the JSON array `$1`, `{given_second}` the same for `$2`, and `{updates}` assignments for existing
    /// rows.
    ///
    /// A commit lists its columns, so columns that only a newer version knows keep their values. Columns that
    /// other writers change without a revision are not included: `next_key`, which requests increment, and
    /// all columns of tables without a revision (keys, usage, fetches, leases).
    pub(crate) fn writing<R: Columns>(text: &str) -> Self {
        let columns = R::columns();
        let joined = |of: &dyn Fn(&str, &str) -> Option<String>| {
            columns.iter().filter_map(|(name, kind)| of(name, kind)).collect::<Vec<_>>().join(", ")
        };
        let names = joined(&|name, _| Some(name.to_owned()));
        let given = joined(&|name, kind| Some(format!("{name} {kind}")));
        let table = text.split_whitespace().nth(2).unwrap_or_default();
        let updates = joined(&|name, kind| match kind {
            DOCUMENT => Some(format!("{name} = {{merged({table})}}")),
            _ => (!CONSTANT.contains(&name)).then(|| format!("{name} = excluded.{name}")),
        });
        let text = text.replace("{names}", &names).replace("{updates}", &updates);
        let text = text.replace("{given}", &format!("{{given({given})}}"));
        Self::from_text(text.replace("{given_second}", &format!("{{given_second({given})}}")))
    }

    /// A statement with the rows as `{given}` and the time as `$2`.
    pub(crate) fn of_rows<R: Columns>(text: &str, rows: &[R], at: Timestamp) -> Self {
        Self::writing::<R>(text).bind(columns::given(rows)).bind(at)
    }

    /// Replaces `{columns(ALIAS)}` with the columns that `R` reads.
    pub(crate) fn reading<R: FromRow>(self) -> Self {
        let Some((before, rest)) = self.text.split_once("{columns(") else { return self };
        let (table, after) = rest.split_once(")}").unwrap_or((rest, ""));
        let text = format!("{before}{}{after}", R::selection(table));
        Self { text: text.into(), ..self }
    }

    /// Binds the next argument: the first is `$1`.
    pub(crate) fn bind(mut self, argument: impl Into<Argument>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Appends SQL. `?` is replaced by this argument.
    pub(crate) fn push(self, text: &str, argument: impl Into<Argument>) -> Self {
        let place = format!("${}", self.arguments.len() + 1);
        let text = format!("{}{}", self.text, text.replace('?', &place));
        Self { text: text.into(), ..self }.bind(argument)
    }

    pub(crate) fn then(self, text: &str) -> Self {
        Self { text: format!("{}{text}", self.text).into(), ..self }
    }

    /// Appends SQL. `?` is replaced by a row of these arguments.
    pub(crate) fn push_row(self, text: &str, arguments: Vec<Argument>) -> Self {
        let first = self.arguments.len() + 1;
        let places: Vec<_> = (first..first + arguments.len()).map(|place| format!("${place}")).collect();
        let text = format!("{}{}", self.text, text.replace('?', &format!("({})", places.join(", "))));
        arguments.into_iter().fold(Self { text: text.into(), ..self }, Self::bind)
    }

    /// Marks a statement that asks whether the tenant `$1` exists. Callers may send any name, so all such
    /// statements share one turn. Otherwise invented names would get more turns than real tenants.
    pub(crate) fn asking_for_tenant(self) -> Self {
        Self { asks_for_tenant: true, ..self }
    }

    /// The tenant whose turn the statement uses: `$1`, if `$1` is a tenant.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        static NAMES: LazyLock<TenantId> = LazyLock::new(TenantId::platform);
        match self.arguments.first() {
            Some(Argument::Tenant(_)) if self.asks_for_tenant => Some(&NAMES),
            Some(Argument::Tenant(tenant)) => Some(tenant),
            _ => None,
        }
    }

    /// Whether the statement reads rows of the tenant `$1`.
    pub(crate) fn is_in_tenant(&self) -> bool {
        self.text.contains("{tenant}")
    }

    /// The SQL for this engine.
    pub(crate) fn text(&self, dialect: Dialect) -> String {
        let text = written(&self.text, dialect);
        match dialect {
            Dialect::Postgres if self.is_in_tenant() => format!("{ENTER}{text} OFFSET 0) AS found"),
            _ => text,
        }
    }

    /// The query for sqlx. The SQL is safe from injection, because it consists of constants of this crate.
    pub(crate) fn bound<DB>(&self, dialect: Dialect) -> Query<'static, DB, DB::Arguments>
    where
        DB: sqlx::Database,
        for<'q> String: Encode<'q, DB> + Type<DB>,
        for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
        for<'q> Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
    {
        bound(self.text(dialect), self.arguments.iter())
    }

    /// The query for a session with this role. If the session has another role, a statement that enters a
    /// tenant or reads the history fails. So row level security applies even if a pooler mixes up sessions.
    pub(crate) fn bound_as(&self, role: Role) -> Query<'static, Postgres, PgArguments> {
        self.bound_text(self.text_as(role))
    }

    /// The query for this text, which the statement itself has returned.
    pub(crate) fn bound_text(&self, text: String) -> Query<'static, Postgres, PgArguments> {
        bound(text, self.arguments.iter())
    }

    /// The SQL for a session with this role.
    pub(crate) fn text_as(&self, role: Role) -> String {
        demanding(self.text(Dialect::Postgres), role)
    }

    /// The SQL for a statement across tenants outside of a transaction. The statement fails if the session
    /// has another role. A writing statement returns the number of rows.
    pub(crate) fn text_alone(&self, role: Role, access: Access) -> String {
        let text = self.text(Dialect::Postgres);
        let text = match access {
            Access::Reads => format!("SELECT found.* FROM ({text}) AS found WHERE {IN_ROLE}"),
            Access::Writes => {
                format!("WITH done AS ({text} RETURNING 1) SELECT count(*) FROM done WHERE {IN_ROLE}")
            }
        };
        demanding(text, role)
    }

    /// The text, which the statement itself has returned, with its arguments as constants. One message can
    /// contain several such statements. Constants of text and bytes consist of hexadecimal digits, so no
    /// argument can end one.
    pub(crate) fn inlined(&self, text: &str) -> String {
        replaced(text, |number| self.arguments[number - 1].constant())
    }

    /// Combines several statements into one, which only PostgreSQL executes. The result says whether each
    /// statement has touched the required number of rows.
    pub(crate) fn all_required(
        statements: &[(Self, Option<u64>)],
    ) -> QueryScalar<'static, Postgres, bool, PgArguments> {
        let texts: Vec<_> = statements.iter().map(|(of, _)| of.text(Dialect::Postgres)).collect();
        let given = |of: &Self| match of.arguments.first() {
            Some(Argument::Text(rows)) => Some(rows.clone()),
            _ => None,
        };
        let at = |of: &Self| match of.arguments.get(1) {
            Some(Argument::Integer(at)) => *at,
            _ => None,
        };
        let required = |required: Option<u64>| required.and_then(|required| i64::try_from(required).ok());
        sqlx::query_scalar("SELECT latchkey_execute($1, $2, $3, $4)")
            .bind(texts)
            .bind(statements.iter().map(|(of, _)| given(of)).collect::<Vec<_>>())
            .bind(statements.iter().map(|(of, _)| at(of)).collect::<Vec<_>>())
            .bind(statements.iter().map(|(_, of)| required(*of)).collect::<Vec<_>>())
    }

    /// The size of the JSON argument in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self.arguments.first() {
            Some(Argument::Text(rows)) => rows.len(),
            _ => 0,
        }
    }

    /// Combines several statements into one text for SQLite, because each text costs a switch to SQLite's
    /// thread.
    pub(crate) fn all_bound(statements: &[Self]) -> Query<'static, Sqlite, SqliteArguments> {
        let (mut texts, mut arguments) = (Vec::new(), Vec::new());
        for statement in statements {
            let before = arguments.len();
            texts.push(replaced(&statement.text(Dialect::Sqlite), |number| format!("${}", number + before)));
            arguments.extend(&statement.arguments);
        }
        bound(texts.join(";"), arguments)
    }
}

/// Makes the SQL fail unless the session has this role.
fn demanding(text: String, role: Role) -> String {
    let Some(role) = role.name() else { return text };
    // PostgreSQL refuses to read a setting with this name, and its error message shows the name. The name
    // must not contain a dot, because a name with a dot could be a valid setting.
    let wrong = format!("'this session must be {role}, but is ' || replace(current_user, '.', '_')");
    let setting = format!("CASE current_user WHEN '{role}' THEN 'latchkey.tenant' ELSE {wrong} END");
    let in_role = format!("current_setting(CASE WHEN current_user <> '{role}' THEN {wrong} END) IS NULL");
    text.replace(ENTERING, &format!("set_config({setting}")).replace(IN_ROLE, &in_role)
}

fn bound<'a, DB>(
    text: String,
    arguments: impl IntoIterator<Item = &'a Argument>,
) -> Query<'static, DB, DB::Arguments>
where
    DB: sqlx::Database,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Vec<u8>>: Encode<'q, DB> + Type<DB>,
{
    arguments.into_iter().cloned().fold(sqlx::query(AssertSqlSafe(text)), |query, argument| match argument {
        Argument::Tenant(tenant) => query.bind(tenant.as_str().to_owned()),
        Argument::Text(text) => query.bind(text),
        Argument::Integer(number) => query.bind(number),
        Argument::Bytes(bytes) => query.bind(bytes),
    })
}

/// Replaces each `$N` by what `of` returns for the number.
fn replaced(text: &str, of: impl Fn(usize) -> String) -> String {
    let mut parts = text.split('$');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |written, part| {
        let digits = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let number = number.parse().map_or_else(|_| format!("${number}"), &of);
        format!("{written}{number}{rest}")
    })
}

/// Replaces each word in braces by the SQL of the engine.
fn written(text: &str, dialect: Dialect) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let (word, after) = rest.split_once('}').unwrap_or((rest, ""));
    let (name, argument) = word
        .split_once('(')
        .map_or((word, ""), |(name, argument)| (name, argument.strip_suffix(')').unwrap_or(argument)));
    let replacement = match WORDS.iter().find(|(known, ..)| *known == name) {
        Some((_, sqlite, _)) if dialect == Dialect::Sqlite => sqlite.replace('@', argument),
        Some((_, _, postgres)) => postgres.replace('@', argument),
        None => given(argument, if name == "given_second" { "$2" } else { "$1" }, dialect),
    };
    format!("{before}{replacement}{}", written(after, dialect))
}

/// SQL for a table `given` with these columns from the rows of a JSON array, and a column `nth` with the
/// index in the array, counted from 1.
fn given(columns: &str, array: &str, dialect: Dialect) -> String {
    let columns = || columns.split(',').filter_map(|column| column.trim().split_once(' '));
    let joined = |of: &dyn Fn((&str, &str)) -> String| columns().map(of).collect::<Vec<_>>().join(", ");
    if dialect == Dialect::Sqlite {
        let read = joined(&|(name, kind)| match kind {
            "bytea" => format!("unhex(value ->> '{name}') AS {name}"),
            "json" | "text[]" => format!("value -> '{name}' AS {name}"),
            _ => format!("value ->> '{name}' AS {name}"),
        });
        return format!("(SELECT {read}, key + 1 AS nth FROM json_each({array})) AS given");
    }
    let typed = joined(&|(name, kind)| match kind {
        "bytea" | DOCUMENT => format!("{name} text"),
        _ => format!("{name} {kind}"),
    });
    let names = joined(&|(name, _)| name.to_owned());
    let read = joined(&|(name, kind)| match kind {
        "bytea" => format!("decode({name}, 'hex') AS {name}"),
        _ => name.to_owned(),
    });
    format!(
        "(SELECT {read}, nth FROM ROWS FROM (json_to_recordset({array}::json) AS ({typed}))
          WITH ORDINALITY AS raw ({names}, nth)) AS given"
    )
}

impl Argument {
    /// The argument as a constant of PostgreSQL, of the type that a bound argument has.
    fn constant(&self) -> String {
        let bytes = |bytes: &[u8]| format!("decode('{}', 'hex')", hex(bytes));
        let text = |text: &str| format!("convert_from({}, 'UTF8')", bytes(text.as_bytes()));
        match self {
            Self::Tenant(tenant) => text(tenant.as_str()),
            Self::Text(given) => text(given),
            Self::Integer(Some(number)) => format!("'{number}'::bigint"),
            Self::Integer(None) => "NULL::bigint".to_owned(),
            Self::Bytes(Some(given)) => bytes(given),
            Self::Bytes(None) => "NULL::bytea".to_owned(),
        }
    }
}

/// Implements `From` for each type, with the expression for the argument.
macro_rules! argument {
    ($($type:ty: |$value:ident| $argument:expr;)+) => {$(
        impl From<$type> for Argument {
            fn from($value: $type) -> Self {
                $argument
            }
        }
    )+};
}

argument! {
    String: |text| Self::Text(text);
    &str: |text| Self::Text(text.to_owned());
    &TenantId: |tenant| Self::Tenant(tenant.clone());
    i64: |number| Self::Integer(Some(number));
    u32: |number| i64::from(number).into();
    // A number above `i64::MAX` becomes `i64::MAX`.
    u64: |number| i64::try_from(number).unwrap_or(i64::MAX).into();
    Timestamp: |at| at.seconds().into();
    &[u8]: |bytes| Self::Bytes(Some(bytes.to_owned()));
    Option<Vec<u8>>: |bytes| Self::Bytes(bytes);
}

#[cfg(test)]
mod tests {
    use sqlx::Execute as _;

    use super::*;

    #[test]
    fn each_engine_gets_its_own_text() {
        let read = Statement::from_text("SELECT 1 FROM leases l WHERE l.until > {greatest}($1, 2)");
        assert_eq!(read.text(Dialect::Sqlite), "SELECT 1 FROM leases l WHERE l.until > MAX($1, 2)");
        assert_eq!(read.text(Dialect::Postgres), "SELECT 1 FROM leases l WHERE l.until > GREATEST($1, 2)");
    }

    #[test]
    fn tenant_query_enters_the_tenant_in_postgres() {
        let read = Statement::from_text("SELECT a.* FROM applications a WHERE a.tenant_id = {tenant}");
        assert_eq!(read.text(Dialect::Sqlite), "SELECT a.* FROM applications a WHERE a.tenant_id = $1");
        let text = read.text(Dialect::Postgres);
        assert!(text.contains("set_config('latchkey.tenant', $1, true) AS tenant_id"), "{text}");
        assert!(text.ends_with("WHERE a.tenant_id = entered.tenant_id OFFSET 0) AS found"), "{text}");
    }

    #[test]
    fn statements_entering_a_tenant_require_their_role() {
        for text in
            ["SELECT 1 FROM clients c WHERE c.tenant_id = {tenant}", "SELECT {entering}", "SELECT {history}"]
        {
            let read = Statement::from_text(text).bind("acme");
            let bound = read.bound_as(Role::App).sql().as_str().to_owned();
            assert!(bound.contains("'this session must be latchkey_app, but is '"), "{bound}");
            assert!(!bound.contains(ENTERING) && !bound.contains(IN_ROLE), "{bound}");
            assert_eq!(read.bound_as(Role::Login).sql().as_str(), read.text(Dialect::Postgres));
        }
    }

    #[test]
    fn statements_outside_transactions_require_their_role() {
        let statement = Statement::from_text("DELETE FROM leases WHERE until < $1").bind(7_i64);
        for access in [Access::Reads, Access::Writes] {
            let bound = statement.text_alone(Role::Operator, access);
            assert!(bound.contains("'this session must be latchkey_operator, but is '"), "{bound}");
            let of_login = statement.text_alone(Role::Login, access);
            assert!(of_login.ends_with(" WHERE current_user IS NOT NULL"), "{of_login}");
        }
    }

    #[test]
    fn given_rows_become_a_typed_table() {
        let delete = Statement::from_text("SELECT key FROM {given(key bytea, names text[])}");
        assert_eq!(
            delete.text(Dialect::Sqlite),
            "SELECT key FROM (SELECT unhex(value ->> 'key') AS key, value -> 'names' AS names, key + 1 AS nth \
             FROM json_each($1)) AS given"
        );
        let text = delete.text(Dialect::Postgres);
        assert!(text.contains("AS (key text, names text[])"), "{text}");
        assert!(text.contains("decode(key, 'hex') AS key, names, nth"), "{text}");
    }

    #[test]
    fn each_argument_is_replaced() {
        let shifted = |text| replaced(text, |number| format!("${}", number + 3));
        let text = "UPDATE t SET a = $1 WHERE b = $10 AND c = MAX($1, $2)";
        assert_eq!(shifted(text), "UPDATE t SET a = $4 WHERE b = $13 AND c = MAX($4, $5)");
        assert_eq!(shifted("DELETE FROM t"), "DELETE FROM t");
        assert_eq!(replaced("$1 AND '$'", |_| "'acme'".to_owned()), "'acme' AND '$'");
    }

    #[test]
    fn constants_cannot_end_their_literal() {
        let read = Statement::from_text("$1, $2, $3, $4").bind("a'; DROP--").bind(-7_i64);
        let read = read.bind(None::<Vec<u8>>).bind(&[0_u8, 39][..]);
        assert_eq!(
            read.inlined("SELECT $1, $2, $3, $4, $1"),
            "SELECT convert_from(decode('61273b2044524f502d2d', 'hex'), 'UTF8'), '-7'::bigint, NULL::bytea, \
             decode('0027', 'hex'), convert_from(decode('61273b2044524f502d2d', 'hex'), 'UTF8')"
        );
    }

    #[test]
    fn appended_text_uses_the_next_argument() {
        let read =
            Statement::from_text("SELECT 1 WHERE TRUE").bind("acme").push(" AND (a = ? OR b = ?)", 7_i64);
        assert_eq!(read.text(Dialect::Sqlite), "SELECT 1 WHERE TRUE AND (a = $2 OR b = $2)");
    }
}
