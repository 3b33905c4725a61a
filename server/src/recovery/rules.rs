use crate::{
    problem::{Refusal, Result},
    secrets::sha256,
};
use holdfast_protocol::{base64url::Bytes, problem::Code, recovery::CODES};
use std::collections::BTreeSet;

/// Exactly so many different verifiers of 32 bytes, hashed.
pub(super) fn hashes(verifiers: &[Bytes]) -> Result<BTreeSet<[u8; 32]>> {
    let right_size = verifiers.iter().all(|verifier| verifier.0.len() == 32);
    let hashes: BTreeSet<_> = verifiers.iter().map(|verifier| sha256(&verifier.0)).collect();
    if right_size && verifiers.len() == CODES && hashes.len() == CODES {
        Ok(hashes)
    } else {
        let detail = "A list has exactly 10 different verifiers of 32 bytes. Nothing was changed.";
        Err(Refusal::with_detail(Code::InvalidRequest, detail))
    }
}
