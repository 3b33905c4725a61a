//! What nobody thought of: every truncation, and random changes by the ten thousand, from a fixed seed.
//! A mutant must not panic, and must not pass when it differs in a byte that is signed.

use holdfast_relying_party::{
    AssertionResponse, Refusal, StoredCredential, VerifiedAssertion, verify_assertion,
};

use crate::soft_authenticator::*;

/// The three inputs of an assertion as they arrive.
#[derive(Clone, PartialEq)]
struct Signed([Vec<u8>; 3]);

impl Signed {
    fn good() -> Self {
        let good = Assertion::good();
        Self([good.client_data.clone().into_bytes(), good.authenticator_data.clone(), good.signature()])
    }

    fn verify(&self, stored: &StoredCredential<'_>) -> Result<VerifiedAssertion, Refusal> {
        let [client_data_json, authenticator_data, signature] = &self.0;
        let response = AssertionResponse {
            credential_id: &CREDENTIAL_ID,
            client_data_json,
            authenticator_data,
            signature,
            user_handle: Some(USER_HANDLE),
        };
        verify_assertion(&EXPECTED, stored, &response)
    }
}

#[test]
fn every_truncation_of_an_assertion_is_refused() {
    let stored = Assertion::good().stored;
    let good = Signed::good();
    assert!(good.verify(&stored).is_ok());
    for input in 0..good.0.len() {
        for length in 0..good.0[input].len() {
            let mut cut = good.clone();
            cut.0[input].truncate(length);
            assert!(cut.verify(&stored).is_err(), "input {input}, {length} bytes");
        }
    }
}

#[test]
fn every_truncation_of_a_registration_is_refused() {
    for good in [Registration::good(), Registration::self_attested()] {
        let client_data = good.client_data.as_bytes();
        let object = good.attestation_object();
        assert!(verify_registered(&EXPECTED, client_data, &object).is_ok());
        for length in 0..client_data.len() {
            assert!(verify_registered(&EXPECTED, &client_data[..length], &object).is_err());
        }
        for length in 0..object.len() {
            assert!(verify_registered(&EXPECTED, client_data, &object[..length]).is_err());
        }
        for length in 0..good.authenticator_data.len() {
            let mut cut = good.clone();
            cut.authenticator_data.truncate(length);
            assert!(cut.verify().is_err());
        }
    }
}

#[test]
fn ten_thousand_mutants_of_an_assertion_are_refused() {
    let stored = Assertion::good().stored;
    let good = Signed::good();
    let mut random = Random(1);
    for round in 0..10_000 {
        let mut mutant = good.clone();
        for _ in 0..=random.below(3) {
            let input = random.below(3);
            random.mutate(&mut mutant.0[input]);
        }
        assert!(mutant == good || mutant.verify(&stored).is_err(), "round {round}");
    }
}

/// A self attestation signs client data and authenticator data, so no mutant passes.
#[test]
fn ten_thousand_mutants_of_a_self_attested_registration_are_refused() {
    let good = Registration::self_attested();
    let good = [good.client_data.clone().into_bytes(), good.attestation_object()];
    let mut random = Random(2);
    for round in 0..10_000 {
        let mut mutant = good.clone();
        for _ in 0..=random.below(3) {
            let input = random.below(2);
            random.mutate(&mut mutant[input]);
        }
        let refused = verify_registered(&EXPECTED, &mutant[0], &mutant[1]).is_err();
        assert!(mutant == good || refused, "round {round}");
    }
}

/// Without attestation nothing is signed. What passes has still been given by somebody present and verified, for
/// this relying party, and its key can be used.
#[test]
fn mutants_of_a_registration_without_attestation_keep_the_rules() {
    let good = Registration::good();
    let mut random = Random(3);
    let mut passed = 0;
    for _ in 0..5_000 {
        let mut mutant = good.clone();
        for _ in 0..=random.below(2) {
            random.mutate(&mut mutant.authenticator_data);
        }
        if let Ok(credential) = mutant.verify() {
            passed += 1;
            assert_eq!(mutant.authenticator_data[..FLAGS], authenticator_data(0, 0)[..FLAGS]);
            assert_eq!(mutant.authenticator_data[FLAGS] & (UP | UV | AT), UP | UV | AT);
            assert!((1..=1023).contains(&credential.id.len()));
            let mut assertion = Assertion::good();
            assertion.stored.public_key = credential.public_key.leak();
            assert_ne!(assertion.verify(), Err(Refusal::StoredKeyUnreadable));
        }
    }
    assert!(passed > 100, "the mutants reach what lies behind the first checks: {passed}");
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            bytes.push(self.byte());
            return;
        }
        let at = self.below(bytes.len());
        match self.below(7) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.byte(),
            2 => bytes.insert(at, self.byte()),
            3 => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at),
            // A part, again behind itself.
            5 => {
                let end = at + self.below(bytes.len() - at) + 1;
                let part = bytes[at..end].to_vec();
                bytes.splice(end..end, part);
            }
            // Two bytes change places.
            _ => {
                let other = self.below(bytes.len());
                bytes.swap(at, other);
            }
        }
    }
}
