//! API keys on a PostgreSQL that waits for its disk: how fast they are created compared with clients, how
//! that affects commits of another tenant, and tokens, exchanges, lists and searches with few keys and with a
//! million in the store.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::administration::{first_token, parse};
use super::calls::{Caller, percentile};
use super::postgres::{Postgres, Restarted};
use super::program::Program;
use super::tenants::{SECRET, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// Tenants that create at the same time, over one connection each.
const CREATING: u32 = 8;
/// The tenant whose commits are timed meanwhile.
const OTHER: u32 = CREATING;
/// The tenant that gets the million keys.
const FILLED: u32 = OTHER + 1;
const ROUNDS: usize = 3;
const LENGTH: Duration = Duration::from_secs(4);
/// How long each write of the log waits, in addition to the disk.
const WAIT_OF_A_DISK: Duration = Duration::from_millis(4);
/// The length of the timed commits, alone and with keys in turn.
const LENGTH_OF_COMMITS: Duration = Duration::from_secs(8);
const COMMITS_A_SECOND: f64 = 20.0;
const LEAST_OF_CLIENTS: f64 = 4.0;
const MOST_OF_QUIET: f64 = 2.0;
const KEYS: usize = 1_000_000;
const CLIENTS: usize = 10_000;
const WARM: usize = 500;
/// Keys whose first exchange is timed; also the number of lists, searches and creations.
const COLD: usize = 200;
/// The keys of the filled tenant, whose list is read.
const PATH: &str = "/api/v1/tenant/declared-9/clients/client-0/api-keys";

#[derive(Clone, Copy)]
enum Created {
    Keys,
    Clients,
}

/// The admin API of a program.
#[derive(Clone, Copy)]
struct Admin<'a> {
    address: SocketAddr,
    token: &'a str,
}

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let _server = wait_for_disk(test_env)?;
    let stores = format!(
        "storage: {{ url: '{}' }}\nlimits: {{ admin_writes: 10000000/min, platform_writes: 10000000/min }}\n",
        test_env.create_database("api_keys")?
    );
    let tenants = declared(FILLED + 1, 1).replace("    strategies:", "    api_keys: {}\n    strategies:");
    let token = first_token(test_env, &stores, &tenants)?;
    let mut program = Program::start(test_env, &stores, &tenants)?;
    program.await_token(&client(0, 0))?;
    let admin = Admin { address: program.address, token: &token };
    // The disk of a test machine may answer at once, and no disk that keeps its data does.
    set_wait_of_commits(test_env, WAIT_OF_A_DISK)?;
    creations(admin, WAIT_OF_A_DISK)?;
    set_wait_of_commits(test_env, Duration::ZERO)?;
    let rate = creations(admin, Duration::ZERO)?;
    commits_beside(admin, rate / 2.0)?;
    let keys = (0..COLD).map(|number| admin.key(number)).collect::<Result<Vec<_>, _>>()?;
    drop(program);

    println!("\n{KEYS} keys of {CLIENTS} clients: p50 / p99 in ms over one connection, MiB resident");
    print!("{:<12} {:>7} {:>6}", "keys", "start", "MiB");
    for what in ["secret", "key", "first of a key", "list of 50", "by owner", "create"] {
        print!("  {what:>15}");
    }
    println!("  {:>6}", "MiB");
    let measure = |program: Program| latencies(test_env, program, &token, &keys);
    measure(Program::start(test_env, &stores, &tenants)?)?;
    let began = Instant::now();
    test_env.sql("api_keys", &fill())?;
    test_env.sql("api_keys", "CHECKPOINT")?;
    let filled = began.elapsed().as_secs_f64();
    measure(Program::start(test_env, &stores, &tenants)?)?;
    let bytes = test_env.sql("api_keys", "SELECT pg_total_relation_size('api_keys') / 1048576")?;
    println!("the rows were made in {filled:.1} s; the keys with their indexes have {bytes} MiB");
    Ok(())
}

/// Restarts the temporary server with the settings of a real one.
fn wait_for_disk(test_env: &TestEnv<'_>) -> Result<Restarted, Failure> {
    let settings = [
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "shared_buffers=128MB",
        "max_wal_size=4GB",
    ];
    let postgres = Postgres::from_test_env(test_env)?.with_settings(&settings);
    postgres.stop()?;
    let server = postgres.start()?;
    match &*test_env
        .sql("postgres", "SELECT current_setting('fsync') || current_setting('synchronous_commit')")?
    {
        "onon" => Ok(server),
        other => Err(Failure::new(format!("PostgreSQL does not wait for the disk: {other}"))),
    }
}

fn set_wait_of_commits(test_env: &TestEnv<'_>, wait: Duration) -> Result<(), Failure> {
    let delay = format!("ALTER SYSTEM SET commit_delay = {}", wait.as_micros());
    for text in [&*delay, "ALTER SYSTEM SET commit_siblings = 0", "SELECT pg_reload_conf()"] {
        test_env.sql("postgres", text)?;
    }
    Ok(())
}

/// Prints both rates, and returns that of keys.
fn creations(admin: Admin<'_>, wait: Duration) -> Result<f64, Failure> {
    println!(
        "\napi-keys: PostgreSQL with fsync and {} ms more, {CREATING} connections at as many tenants, {} s each in turn",
        wait.as_millis(),
        LENGTH.as_secs()
    );
    println!("{:<32} {:>8} {:>8} {:>8}", "", "keys/s", "clients/s", "ratio");
    let (mut rates, mut ratios) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let keys = admin.create(Created::Keys, None, LENGTH)?;
        let clients = admin.create(Created::Clients, None, LENGTH)?;
        println!("{:<32} {keys:>8.0} {clients:>8.0} {:>8.2}", format!("round {round}"), keys / clients);
        rates.push(keys);
        ratios.push(keys / clients);
    }
    let ratio = median(&mut ratios);
    judge("keys of clients, median", ratio, format!(">= {LEAST_OF_CLIENTS}"), ratio >= LEAST_OF_CLIENTS);
    Ok(median(&mut rates))
}

/// Prints the times of commits of another tenant, alone and while keys are created at this rate.
fn commits_beside(admin: Admin<'_>, rate: f64) -> Result<(), Failure> {
    let (mut quiet, mut busy, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..2 {
        quiet.extend(admin.commits()?);
        let (times, keys) = thread::scope(|scope| {
            let keys = scope.spawn(|| admin.create(Created::Keys, Some(rate), LENGTH_OF_COMMITS));
            (admin.commits(), keys.join())
        });
        busy.extend(times?);
        reached.push(keys.map_err(|_| Failure::new("a connection panicked"))??);
    }
    println!("\ncommits of a ninth tenant, {COMMITS_A_SECOND} a second, ms");
    for (name, times) in
        [("quiet".to_owned(), &quiet), (format!("{:.0} keys a second", median(&mut reached)), &busy)]
    {
        let [p50, p99] = halves(times);
        println!("{name:<32} p50 {p50:>8.2}  p99 {p99:>8.2}  of {} commits", times.len());
    }
    let ratio = halves(&busy)[1] / halves(&quiet)[1];
    judge("p99 of the quiet one", ratio, format!("<= {MOST_OF_QUIET}"), ratio <= MOST_OF_QUIET);
    Ok(())
}

/// Prints a row of times at the filled tenant. The program has just been started, so it has cached no key.
fn latencies(
    test_env: &TestEnv<'_>,
    mut program: Program,
    token: &str,
    keys: &[String],
) -> Result<(), Failure> {
    let started = program.await_token(&client(FILLED, 0))?;
    let admin = Admin { address: program.address, token };
    let held = test_env.sql("api_keys", "SELECT count(*) FROM api_keys")?;
    let idle = program.memory();
    let mut caller = Caller::new(program.address);
    let mut times =
        |count: usize, request: &mut dyn FnMut(&mut Caller, usize) -> Result<Duration, Failure>| {
            (0..count).map(|number| request(&mut caller, number)).collect::<Result<Vec<_>, _>>()
        };
    let secret = times(WARM, &mut |caller, _| {
        exchange(caller, &format!("client_id=client-0&client_secret={SECRET}"))
    })?;
    let cold = times(keys.len(), &mut |caller, number| {
        exchange(caller, &format!("client_secret={}", keys[number]))
    })?;
    let warm = times(WARM, &mut |caller, _| exchange(caller, &format!("client_secret={}", keys[0])))?;
    let get = |caller: &mut Caller, path: &str| Ok(admin.send(caller, "GET", path, "", 200)?.0);
    let list = times(COLD, &mut |caller, _| get(caller, &format!("{PATH}?limit=50")))?;
    let owner = times(COLD, &mut |caller, number| {
        get(caller, &format!("/api/v1/tenant/declared-9/api-keys?limit=50&owner=own-{number}"))
    })?;
    let create =
        times(COLD, &mut |caller, _| Ok(admin.send(caller, "POST", PATH, r#"{"name":"New"}"#, 201)?.0))?;
    print!("{held:<12} {:>7.0} {idle:>6.1}", started.as_secs_f64() * 1e3);
    for times in [&secret, &warm, &cold, &list, &owner, &create] {
        let [p50, p99] = halves(times);
        print!("  {:>15}", format!("{p50:.2} / {p99:.2}"));
    }
    println!("  {:>6.1}", program.memory());
    Ok(())
}

impl Admin<'_> {
    /// Creates over all connections, as fast as possible or at this rate, and returns the rate. The answers
    /// are checked.
    fn create(self, what: Created, rate: Option<f64>, length: Duration) -> Result<f64, Failure> {
        let (path, body) = match what {
            Created::Keys => ("/clients/client-0/api-keys", r#"{"name":"Soak","owner":"cus_1"}"#),
            Created::Clients => ("/clients", "{}"),
        };
        let interval =
            rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(f64::from(CREATING) / rate));
        let began = Instant::now();
        let counts: Vec<_> = thread::scope(|scope| {
            let one = |tenant| {
                let path = format!("/api/v1/tenant/declared-{tenant}{path}");
                scope.spawn(move || self.repeat(&path, body, interval, length).map(|times| times.len()))
            };
            let callers: Vec<_> = (0..CREATING).map(one).collect();
            callers.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let took = began.elapsed().as_secs_f64();
        let mut created = 0;
        for count in counts {
            created += count.map_err(|_| Failure::new("a connection panicked"))??;
        }
        Ok(created as f64 / took)
    }

    /// The times of commits of another tenant.
    fn commits(self) -> Result<Vec<Duration>, Failure> {
        let path = format!("/api/v1/tenant/declared-{OTHER}/clients");
        self.repeat(&path, "{}", Duration::from_secs_f64(1.0 / COMMITS_A_SECOND), LENGTH_OF_COMMITS)
    }

    /// Creates over one connection, one in each interval, and returns the times.
    fn repeat(
        self,
        path: &str,
        body: &str,
        interval: Duration,
        length: Duration,
    ) -> Result<Vec<Duration>, Failure> {
        let (mut caller, mut times, began) = (Caller::new(self.address), Vec::new(), Instant::now());
        while began.elapsed() < length {
            let (took, _) = self.send(&mut caller, "POST", path, body, 201)?;
            times.push(took);
            let due = began + interval * u32::try_from(times.len()).unwrap_or(u32::MAX);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(times)
    }

    /// A new key of the client whose list is read, with its own owner.
    fn key(self, number: usize) -> Result<String, Failure> {
        let body = format!(r#"{{"name":"Soak","owner":"own-{number}"}}"#);
        let (_, said) = self.send(&mut Caller::new(self.address), "POST", PATH, &body, 201)?;
        Ok(parse(&said)?["api_key"].as_str().unwrap_or_default().to_owned())
    }

    fn send(
        self,
        caller: &mut Caller,
        method: &str,
        path: &str,
        body: &str,
        status: u16,
    ) -> Result<(Duration, String), Failure> {
        let (answer, said) = caller.administer(self.token, method, path, body);
        if answer.status == status {
            return Ok((answer.took, said));
        }
        Err(Failure::new(format!("{method} {path}: {} {said}", answer.status)))
    }
}

fn exchange(caller: &mut Caller, credentials: &str) -> Result<Duration, Failure> {
    let form = format!("grant_type=client_credentials&{credentials}");
    let (answer, said) = caller.post_form("/api/v1/tenant/declared-9/oauth/token", &form);
    if answer.status == 200 {
        Ok(answer.took)
    } else {
        Err(Failure::new(format!("no token: {} {said}", answer.status)))
    }
}

/// Copies one client to many, and one key to a million of theirs. The copies cannot be used: hashes are bound
/// to the original's ids. The multiplication gives each number another one, so that names have no order.
fn fill() -> String {
    format!(
        "SET session_replication_role = replica;
DO $$
DECLARE columns text;
BEGIN
    SELECT string_agg(CASE attname WHEN 'client_id' THEN '''filled-'' || filler' WHEN 'managed_by' THEN '''api'''
                                   ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
      INTO columns FROM pg_attribute WHERE attrelid = 'clients'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('INSERT INTO clients SELECT %s FROM clients, generate_series(1, {CLIENTS}) AS filler
                     WHERE tenant_id = ''declared-{FILLED}'' AND client_id = ''client-0''', columns);
    SELECT string_agg(CASE attname
            WHEN 'api_key_id' THEN 'lpad(to_hex(filler * 2654435761 & 4294967295), 12, ''0'')'
            WHEN 'client_id' THEN '''filled-'' || 1 + filler % {CLIENTS}'
            WHEN 'owner' THEN '''cus_'' || filler / 10'
            WHEN 'created_at' THEN 'created_at - filler % 1000000'
            WHEN 'expires_at' THEN 'expires_at - filler % 1000000'
            ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
      INTO columns FROM pg_attribute WHERE attrelid = 'api_keys'::regclass AND attnum > 0 AND NOT attisdropped;
    EXECUTE format('INSERT INTO api_keys SELECT %s FROM generate_series(1, {KEYS}::bigint) AS filler,
                     LATERAL (SELECT * FROM api_keys WHERE tenant_id = ''declared-{FILLED}'' LIMIT 1) AS one', columns);
END
$$;
ANALYZE;"
    )
}

fn halves(times: &[Duration]) -> [f64; 2] {
    [50, 99].map(|percent| percentile(times.iter().copied(), percent))
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints whether a figure meets its goal; it fails nothing.
fn judge(what: &str, figure: f64, goal: String, is_met: bool) {
    println!("{what:<32} {figure:>8.2}   goal {goal}   met: {}", if is_met { "yes" } else { "NO" });
}
