//! The ceiling that tokens are measured against: RSA-2048 signatures (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 §8.2)
//! of one core, with one parsed key and nothing else. `raw_signs SECONDS` prints signatures, CPU time and their ratio.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;

/// About what the signing input of an access token measures.
const MESSAGE: [u8; 420] = [b'a'; 420];

/// The first signature of a key prepares tables and takes twice as long; the caches fill after some more.
const WARM_UP: u32 = 200;

/// Signatures between two looks at the clock.
const BATCH: u32 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).ok_or("usage: raw_signs SECONDS")?.parse()?;
    let key = KeyPair::generate(KeySize::Rsa2048)?;
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    for _ in 0..WARM_UP {
        key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?;
    }

    let deadline = Instant::now() + Duration::from_secs(seconds);
    let before = cpu_nanoseconds()?;
    let mut signs = 0;
    while Instant::now() < deadline {
        for _ in 0..BATCH {
            key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?;
        }
        signs += BATCH;
    }
    let cpu_seconds = Duration::from_nanos(cpu_nanoseconds()? - before).as_secs_f64();
    let per_cpu_second = f64::from(signs) / cpu_seconds;
    println!("signs={signs} cpu_seconds={cpu_seconds:.3} per_cpu_second={per_cpu_second:.1}");
    Ok(())
}

/// Time that the only thread of this process was on a core: the first figure of proc(5) schedstat.
fn cpu_nanoseconds() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let figure = text.split(' ').next().ok_or("empty /proc/self/schedstat")?;
    Ok(figure.parse()?)
}
