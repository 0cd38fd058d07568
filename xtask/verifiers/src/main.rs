//! How much of the bare verification of signatures is left to whole tokens: `verifiers [SECONDS]` prints
//! lines of a name, a tab and a figure: for each algorithm the rate of aws-lc-rs with a parsed key, and of it
//! the parts of latchkey-verifier and of its peers, on one core. All take turns of some milliseconds, so that
//! they meet the same machine.

mod contenders;
mod key_set_server;
mod memory;
mod signers;

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use contenders::{REMEMBERING, Verify};
use signers::{Algorithm, Signed};

/// Verifications in a turn.
const TURN: u32 = 50;
/// Turns before the measurement.
const WARM_UP: u32 = 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(3), |seconds| seconds.parse())?;
    for algorithm in Algorithm::ALL {
        let signed = Signed::new(algorithm)?;
        let contenders = contenders::of(&signed)?;
        let rates = measure(&signed, &contenders, Duration::from_secs(seconds))?;
        println!("aws-lc-rs: {algorithm} signatures a second\t{:.0}", rates[0]);
        for ((name, _), rate) in contenders.iter().zip(&rates[1..]) {
            if *name == REMEMBERING {
                println!("{name}, {algorithm}, ns\t{:.0}", 1e9 / rate);
            } else {
                println!("{name}: {algorithm} tokens, of these signatures\t{:.3}", rate / rates[0]);
            }
        }
    }
    let bytes = memory::of_issuer(&Signed::new(Algorithm::RS256)?)?;
    println!("latchkey-verifier: memory of an issuer with one RSA key, bytes\t{bytes:.0}");
    Ok(())
}

/// The rates: of the signatures alone, and of each contender.
fn measure(signed: &Signed, contenders: &[(&str, Verify)], span: Duration) -> Result<Vec<f64>> {
    let mut times = vec![Duration::ZERO; contenders.len() + 1];
    let mut turns = 0;
    let begun = Instant::now();
    while begun.elapsed() < span || turns <= WARM_UP {
        let mut of_turn = vec![turn(|| signed.verify_signature())?];
        for (_, verify) in contenders {
            of_turn.push(turn(|| verify(black_box(&signed.token)))?);
        }
        turns += 1;
        if turns > WARM_UP {
            times.iter_mut().zip(of_turn).for_each(|(sum, time)| *sum += time);
        }
    }
    let count = f64::from((turns - WARM_UP) * TURN);
    Ok(times.into_iter().map(|time| count / time.as_secs_f64()).collect())
}

fn turn(verify: impl Fn() -> Result<()>) -> Result<Duration> {
    let begun = Instant::now();
    for _ in 0..TURN {
        verify()?;
    }
    Ok(begun.elapsed())
}
