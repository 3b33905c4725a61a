//! Proofs verified on one core, against `openssl speed` on the same core, in turn.

use crate::{Aim, Figure, ROUNDS, median};
use anyhow::{Context as _, Result};
use holdfast_protocol::{
    dpop::PublicKey,
    ids::ConnectionId,
    pop::{Binding, Challenge},
};
use holdfast_server::secrets::p256_verifies;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use std::{
    process::Command,
    time::{Duration, Instant},
};

const SPAN: Duration = Duration::from_secs(2);

struct Case {
    key: PublicKey,
    binding: Binding,
    challenge: Challenge,
    signature: [u8; 64],
}

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let cases = (1..=64).map(case).collect::<Result<Vec<_>>>()?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        ratios.push(ours(&cases)? / openssl()?);
    }
    Ok(vec![Figure { name: "server.verify_over_openssl", value: median(ratios), aim: Aim::AtLeast(0.95) }])
}

/// Key, connection and message varied.
fn case(number: u8) -> Result<Case> {
    let signer = SigningKey::from_slice(&[number; 32])?;
    let point = signer.verifying_key().to_sec1_point(false);
    let key = PublicKey::from_sec1(point.as_bytes().try_into()?);
    let connection = ConnectionId::make([number; 16]);
    let nonce = holdfast_protocol::base64url::encode(&[number; 32]);
    let binding = Binding::new("https://console.example", connection.clone(), &nonce, key.thumbprint())
        .ok()
        .context("a field does not fit")?;
    let challenge =
        Challenge { connection, sequence: u64::from(number), nonce, expires_at_ms: 1_763_697_610_000 };
    let signature: Signature = signer.sign(binding.transcript(&challenge).as_bytes());
    Ok(Case { key, binding, challenge, signature: signature.to_bytes().into() })
}

/// Verifications a second: the transcript is put together and the signature verified.
fn ours(cases: &[Case]) -> Result<f64> {
    let begun = now();
    let mut count = 0_u32;
    while begun.elapsed() < SPAN {
        for case in cases {
            let transcript = case.binding.transcript(&case.challenge);
            anyhow::ensure!(p256_verifies(&case.key, transcript.as_bytes(), &case.signature));
            count += 1;
        }
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

#[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
fn now() -> Instant {
    Instant::now()
}

/// Verifications a second, as OpenSSL counts them.
pub(crate) fn openssl() -> Result<f64> {
    let seconds = SPAN.as_secs().to_string();
    let run = Command::new("openssl").args(["speed", "-seconds", &seconds, "ecdsap256"]).output();
    let run = run.context("openssl is not on the PATH; install it to compare with it")?;
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.contains("ecdsa (nistp256)"))
        .context("openssl speed says nothing of nistp256")?;
    Ok(line.split_whitespace().last().context("an empty line")?.parse()?)
}
