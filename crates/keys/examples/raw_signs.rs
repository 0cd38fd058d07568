//! Measures the signing rate of one core with one parsed key: RS256 with 2048 bits, ES256 or EdDSA (RFC 7518
//! §3.1, RFC 8037 §3.1). `raw_signs SECONDS ALGORITHM` prints signatures, CPU time and their ratio.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256};

/// About the size of an access token's signing input.
const MESSAGE: [u8; 420] = [b'a'; 420];

/// The first signature with a key prepares tables and takes twice as long. After some more signatures the CPU
/// caches are warm.
const WARM_UP: u32 = 200;

/// The number of signatures between two reads of the clock.
const BATCH: u32 = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(seconds), Some(algorithm)) = (arguments.next(), arguments.next()) else {
        return Err("usage: raw_signs SECONDS ALGORITHM".into());
    };
    let span = Duration::from_secs(seconds.parse()?);
    let random = SystemRandom::new();
    match algorithm.as_str() {
        "RS256" => {
            let key = KeyPair::generate(KeySize::Rsa2048)?;
            let mut signature = vec![0; key.public_modulus_len()];
            measure(span, || Ok(key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?))
        }
        "ES256" => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            measure(span, || key.sign(&random, &MESSAGE).map(|_| ()).map_err(Into::into))
        }
        "EdDSA" => {
            let key = Ed25519KeyPair::generate()?;
            measure(span, || key.try_sign(&MESSAGE).map(|_| ()).map_err(Into::into))
        }
        other => Err(format!("no signer for {other}").into()),
    }
}

fn measure(
    span: Duration,
    mut sign: impl FnMut() -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    for _ in 0..WARM_UP {
        sign()?;
    }
    let deadline = Instant::now() + span;
    let before = cpu_nanoseconds()?;
    let mut signs = 0;
    while Instant::now() < deadline {
        for _ in 0..BATCH {
            sign()?;
        }
        signs += BATCH;
    }
    let cpu_seconds = Duration::from_nanos(cpu_nanoseconds()? - before).as_secs_f64();
    let per_cpu_second = f64::from(signs) / cpu_seconds;
    println!("signs={signs} cpu_seconds={cpu_seconds:.3} per_cpu_second={per_cpu_second:.1}");
    Ok(())
}

/// The time for which this process's only thread was on a core: the first number in schedstat (proc(5)).
fn cpu_nanoseconds() -> Result<u64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/self/schedstat")?;
    let figure = text.split(' ').next().ok_or("empty /proc/self/schedstat")?;
    Ok(figure.parse()?)
}
