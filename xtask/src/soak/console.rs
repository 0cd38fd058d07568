//! The pages of the console with very many tenants, one of which has very many clients with usage, on SQLite
//! and on PostgreSQL.

use std::path::Path;

use super::administration::{Backend, first_token, parse};
use super::calls::{Caller, percentile};
use super::program::Program;
use super::tenants::{client, declared};
use super::test_env::TestEnv;
use crate::workspace::{Failure, run as run_program};

const TENANTS: u32 = 100_000;
const CLIENTS: u32 = 100_000;
/// The clients with usage, each on 31 days.
const USED: u32 = 1_000;
const REQUESTS: usize = 100;
const STORE: &str = "console";

/// The name of a page, its path, and its content.
const PAGES: [(&str, &str, &str); 18] = [
    ("overview of the platform", "/console", "Tokens and refusals"),
    ("advice for the platform", "/console/advice", "Advice"),
    ("tenants", "/console/tenants", "Next page"),
    ("tenants, one found", "/console/tenants?search=filler+77777", "filler-77777"),
    ("tenants, all found", "/console/tenants?search=filler", "Next page"),
    ("tenants, none found", "/console/tenants?search=nobody", "No tenants"),
    ("audit of the platform", "/console/audit", "Next page"),
    ("new tenant", "/console/tenants/new", "Create the tenant"),
    ("overview of a tenant", "/console/t/declared-1", "Busiest"),
    ("advice", "/console/t/declared-1/advice", "Next page"),
    ("applications", "/console/t/declared-1/applications", "Next page"),
    ("applications, one found", "/console/t/declared-1/applications?search=filled-77777", "filled-77777"),
    ("applications, none found", "/console/t/declared-1/applications?search=nobody", "No applications"),
    ("new application", "/console/t/declared-1/applications/new", "Create the application"),
    ("application", "/console/t/declared-1/applications/client-0", "Last refused"),
    ("credentials", "/console/t/declared-1/applications/client-0/credentials", "Secret s1"),
    ("signing keys", "/console/t/declared-1/keys", "oauth2-key-1"),
    ("audit", "/console/t/declared-1/audit", "tenant.added"),
];

/// The limit for a page, which with its style sheet and script has 60 KB.
const MOST_BYTES: usize = 43_000;

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    println!(
        "\nconsole: {TENANTS} tenants, one with {CLIENTS} clients; {REQUESTS} requests for a page over one connection"
    );
    println!("{:<10} {:<26} {:>8} {:>8} {:>8}", "store", "page", "p50, ms", "p99, ms", "bytes");
    for backend in Backend::ALL {
        let stores = format!("storage: {{ url: '{}' }}\n", backend.create(test_env, STORE)?);
        let tenants = declared(10, 10);
        let token = first_token(test_env, &stores, &tenants)?;
        backend.fill(test_env, STORE, 11, TENANTS)?;
        match backend {
            Backend::Sqlite => fill_sqlite(test_env, &test_env.file(&format!("{STORE}.db")))?,
            Backend::Postgres => drop(test_env.sql(STORE, &fill())?),
        }
        let mut program = Program::start(test_env, &stores, &tenants)?;
        program.await_token(&client(1, 0))?;
        pages(backend, &program, &token)?;
    }
    Ok(())
}

fn pages(backend: Backend, program: &Program, token: &str) -> Result<(), Failure> {
    let mut caller = Caller::new(program.address);
    let (_, link) = caller.administer(token, "POST", "/api/v1/admin/console-links", "");
    let link = parse(&link)?;
    let code = link["path"].as_str().and_then(|path| path.split_once('#')).map_or("", |(_, code)| code);
    let cookies = caller.cookies_of_form("/console/link", &format!("code={code}"));
    for (name, path, shown) in PAGES {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..REQUESTS {
            let (answer, body) = caller.page_for(path, &cookies);
            if answer.status != 200 || !body.contains(shown) {
                return Err(Failure::new(format!("{path} is answered with {}: {body}", answer.status)));
            }
            bytes = bytes.max(body.len());
            if bytes > MOST_BYTES {
                return Err(Failure::new(format!("{path} has {bytes} bytes")));
            }
            times.push(answer.took);
        }
        let [half, nearly_all] = [50, 99].map(|percent| percentile(times.iter().copied(), percent));
        println!("{:<10} {name:<26} {half:>8.2} {nearly_all:>8.2} {bytes:>8}", backend.name());
    }
    Ok(())
}

/// Copies a client with its secret, and adds counts for some of the copies. The copies cannot be used.
fn fill() -> String {
    let ones = ["1"; 24].join(", ");
    format!(
        "SET session_replication_role = replica;
DO $$
DECLARE
    copied text;
    columns text;
BEGIN
    FOREACH copied IN ARRAY ARRAY['clients', 'client_secrets'] LOOP
        SELECT string_agg(CASE attname WHEN 'client_id' THEN '''filled-'' || filler' WHEN 'managed_by' THEN '''api'''
                                       ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
          INTO columns FROM pg_attribute WHERE attrelid = copied::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('INSERT INTO %I SELECT %s FROM %I, generate_series(1, {CLIENTS}) AS filler
                         WHERE tenant_id = ''declared-1'' AND client_id = ''client-0''', copied, columns, copied);
    END LOOP;
END
$$;
INSERT INTO usage_days
SELECT 'declared-1', client_id, counter, '', day % 35, day, 24, {ones}
  FROM (SELECT 'filled-' || n FROM generate_series(1, {USED}) AS n
         UNION ALL SELECT 'client-0' UNION ALL SELECT '') AS of (client_id),
       (VALUES ('issued'), ('introspected'), ('revoked')) AS counted (counter),
       (SELECT extract(epoch FROM now())::bigint / 86400 - n FROM generate_series(0, 30) AS n) AS days (day)
    ON CONFLICT DO NOTHING;
ANALYZE;"
    )
}

fn fill_sqlite(test_env: &TestEnv<'_>, file: &Path) -> Result<(), Failure> {
    let (file, clients, used) = (file.to_string_lossy(), CLIENTS.to_string(), USED.to_string());
    run_program(&mut test_env.workspace.program("python3", &["-c", FILL_SQLITE, &file, &clients, &used]))
}

/// The counterpart of [`fill`], with the file and both numbers as arguments.
const FILL_SQLITE: &str = r#"
import sqlite3, sys, time

path, clients, used = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = sqlite3.connect(path, isolation_level=None)
fillers = f'filler(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM filler WHERE n < {clients})'
store.execute('BEGIN')
for table in ['clients', 'client_secrets']:
    columns = [row[1] for row in store.execute(f'PRAGMA table_info({table})')]
    value = {'client_id': "'filled-' || n", 'managed_by': "'api'"}
    values = ', '.join(value.get(column, f'"{column}"') for column in columns)
    names = ', '.join(f'"{column}"' for column in columns)
    store.execute(f"INSERT INTO {table} ({names}) WITH RECURSIVE {fillers} SELECT {values} FROM {table}, filler "
                  f"WHERE tenant_id = 'declared-1' AND client_id = 'client-0'")
today = int(time.time()) // 86400
rows = [('declared-1', client, counter, '', day % 35, day, 24, *[1] * 24)
        for client in [f'filled-{n}' for n in range(1, used + 1)] + ['client-0', '']
        for counter in ['issued', 'introspected', 'revoked']
        for day in range(today - 30, today + 1)]
store.executemany(f"INSERT OR IGNORE INTO usage_days VALUES ({', '.join('?' * 31)})", rows)
store.execute('COMMIT')
store.execute('ANALYZE')
"#;
