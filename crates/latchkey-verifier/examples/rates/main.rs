//! How much of the bare verification of signatures is left to whole tokens: prints lines of a name, a tab and
//! a figure. For each algorithm these are the rate of aws-lc-rs with a parsed key, and the part of it that
//! the verifier reaches, on one core. Both take turns of some milliseconds, so that they meet the same
//! machine.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

mod memory;
mod signed;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use latchkey_verifier::{Caller, KeySet, Trusted, Verifier};
use serde::Deserialize;

use signed::{ALGORITHMS, AUDIENCE, ISSUER, Signed};

/// How long each algorithm is measured.
const SPAN: Duration = Duration::from_secs(3);
/// Verifications in a turn.
const TURN: u32 = 50;
/// Turns before the measurement.
const WARM_UP: u32 = 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The claims that an API usually reads.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only read")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    jti: String,
    scope: String,
    exp: u64,
    iat: u64,
}

fn main() -> Result<()> {
    for algorithm in ALGORITHMS {
        let signed = Signed::new(algorithm)?;
        let [bare, verified, remembered] = rates(&signed)?;
        println!("aws-lc-rs: {algorithm} signatures a second\t{bare:.0}");
        println!("latchkey-verifier: {algorithm} tokens, of these signatures\t{:.3}", verified / bare);
        println!("latchkey-verifier: a remembered token, {algorithm}, ns\t{:.0}", 1e9 / remembered);
    }
    let bytes = memory::of_issuer(&Signed::new("RS256")?)?;
    println!("latchkey-verifier: memory of an issuer with one RSA key, bytes\t{bytes:.0}");
    Ok(())
}

/// The rates: of the signatures alone, of tokens, and of a token that the verifier remembers.
fn rates(signed: &Signed) -> Result<[f64; 3]> {
    let [verifier, remembering] = [verifier(signed, 0)?, verifier(signed, 100)?];
    let (mut times, mut turns) = ([Duration::ZERO; 3], 0);
    let begun = Instant::now();
    while begun.elapsed() < SPAN || turns <= WARM_UP {
        let of_turn = [
            turn(|| signed.verify_signature())?,
            turn(|| verify(&verifier, &signed.token))?,
            turn(|| verify(&remembering, &signed.token))?,
        ];
        turns += 1;
        if turns > WARM_UP {
            times.iter_mut().zip(of_turn).for_each(|(sum, time)| *sum += time);
        }
    }
    let count = f64::from((turns - WARM_UP) * TURN);
    Ok(times.map(|time| count / time.as_secs_f64()))
}

fn turn(verify: impl Fn() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..TURN {
        verify()?;
    }
    Ok(begun.elapsed())
}

/// A verifier that remembers so many tokens, and accepts the token alone.
fn verifier(signed: &Signed, remembered: usize) -> Result<Verifier> {
    let issuer = Trusted::issuer(ISSUER).key_set(KeySet::read(&signed.key_set.to_string())?);
    let verifier = Verifier::builder().issuer(issuer).audience(AUDIENCE).remember(remembered).build()?;
    verify(&verifier, &signed.token)?;
    match verify(&verifier, &signed.forged) {
        Ok(()) => Err("another signature is accepted".into()),
        Err(_) => Ok(verifier),
    }
}

fn verify(verifier: &Verifier, token: &str) -> Result<()> {
    let caller: Caller<Claims> = verifier.verify_now(black_box(token))?;
    black_box(caller);
    Ok(())
}
