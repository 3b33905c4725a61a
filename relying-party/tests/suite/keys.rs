//! Which public keys are accepted, and that each accepted algorithm registers and signs in.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use holdfast_relying_party::{
    Algorithm, AssertionResponse, CounterSignal, Owner, Refusal, StoredCredential, verify_assertion,
};

use crate::soft_authenticator::*;

fn verdict(cose_key: &[u8]) -> Result<Algorithm, Refusal> {
    Registration::of_key(cose_key).verify().map(|credential| credential.algorithm)
}

/// Registers the key, then signs in with it; both through the public functions.
fn registers_and_signs_in(cose_key: &[u8], algorithm: Algorithm, sign: impl Fn(&[u8]) -> Vec<u8>) {
    let mut registration = Registration::of_key(cose_key);
    let signature =
        sign(&signed_bytes(&registration.authenticator_data, registration.client_data.as_bytes()));
    registration.format = "packed";
    registration.statement = self_attestation(algorithm.cose_id(), &signature);
    let registered = registration.verify().unwrap();
    assert_eq!(registered.algorithm, algorithm);

    let stored = StoredCredential {
        id: &registered.id,
        public_key: &registered.public_key,
        sign_count: registered.sign_count,
        backup_eligible: registered.backup_eligible,
        owner: Owner::NamedByResponse(USER_HANDLE),
    };
    let client_data = client_data("webauthn.get");
    let authenticator_data = authenticator_data(UP | UV | BE, 0);
    let signature = sign(&signed_bytes(&authenticator_data, client_data.as_bytes()));
    let response = AssertionResponse {
        credential_id: &registered.id,
        client_data_json: client_data.as_bytes(),
        authenticator_data: &authenticator_data,
        signature: &signature,
        user_handle: Some(USER_HANDLE),
    };
    let verified = verify_assertion(&EXPECTED, &stored, &response).unwrap();
    assert_eq!(verified.counter, CounterSignal::Unsupported);

    let other = sign(b"something else");
    let response = AssertionResponse { signature: &other, ..response };
    assert_eq!(verify_assertion(&EXPECTED, &stored, &response), Err(Refusal::SignatureInvalid));
}

#[test]
fn es256_registers_and_signs_in() {
    use p256::ecdsa::signature::Signer;
    registers_and_signs_in(&cose_key(&signing_key()), Algorithm::Es256, |message| {
        let signature: p256::ecdsa::Signature = signing_key().sign(message);
        signature.to_der().as_bytes().to_vec()
    });
}

#[test]
fn es384_registers_and_signs_in() {
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    let cose_key = ec2_key(-35, 2, &key.public_key().as_ref()[1..]);
    registers_and_signs_in(&cose_key, Algorithm::Es384, |message| {
        key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    });
}

#[test]
fn ed25519_registers_and_signs_in() {
    let key = Ed25519KeyPair::generate().unwrap();
    registers_and_signs_in(&okp_key(6, key.public_key().as_ref()), Algorithm::EdDsa, |message| {
        key.sign(message).as_ref().to_vec()
    });
}

#[test]
fn rs256_registers_and_signs_in() {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    // RFC 8017 A.1.1: SEQUENCE of two INTEGERs; the modulus begins behind two heads of four bytes and a zero.
    let modulus = &key.public_key().as_ref()[9..][..256];
    registers_and_signs_in(&rsa_key(modulus, &[1, 0, 1]), Algorithm::Rs256, |message| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    });
}

#[test]
fn algorithms_that_are_not_offered_are_refused() {
    let point = coordinates();
    // ES512, ES256K, PS256, RS1, Ed448, and Ed25519 by its newer number.
    for algorithm in [-36, -47, -37, -65_535, -53, -19, 0, 7] {
        let key = ec2_key(algorithm, 1, &point);
        assert_eq!(verdict(&key), Err(Refusal::UnsupportedAlgorithm), "{algorithm}");
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    let mut off = coordinates();
    off[63] ^= 1;
    assert_eq!(verdict(&ec2_key(-7, 1, &off)), Err(Refusal::InvalidPublicKey));
    assert_eq!(verdict(&ec2_key(-7, 1, &[0; 64])), Err(Refusal::InvalidPublicKey));
    assert_eq!(verdict(&ec2_key(-7, 1, &[0xff; 64])), Err(Refusal::InvalidPublicKey));
    assert_eq!(verdict(&ec2_key(-35, 2, &[1; 96])), Err(Refusal::InvalidPublicKey));
}

#[test]
fn coordinates_have_the_length_of_their_field() {
    let point = coordinates();
    let shorter = [&point[1..32], &point[33..]].concat();
    let longer = [&[0], &point[..32], &[0], &point[32..]].concat();
    for wrong in [&shorter[..], &longer, &[]] {
        assert_eq!(verdict(&ec2_key(-7, 1, wrong)), Err(Refusal::MalformedPublicKey));
    }
}

#[test]
fn type_and_curve_belong_to_the_algorithm() {
    let point = coordinates();
    assert_eq!(verdict(&ec2_key(-7, 2, &point)), Err(Refusal::MalformedPublicKey));
    assert_eq!(verdict(&ec2_key(-8, 6, &point)), Err(Refusal::MalformedPublicKey));
    assert_eq!(verdict(&ec2_key(-257, 1, &point)), Err(Refusal::MalformedPublicKey));
    assert_eq!(verdict(&okp_key(7, &[9; 32])), Err(Refusal::MalformedPublicKey));
}

#[test]
fn compressed_points_are_refused() {
    let key = map(&[
        (integer(1), integer(2)),
        (integer(3), integer(-7)),
        (integer(-1), integer(1)),
        (integer(-2), bytes(&coordinates()[..32])),
        (integer(-3), vec![0xf5]),
    ]);
    assert_eq!(verdict(&key), Err(Refusal::MalformedPublicKey));
}

#[test]
fn parameters_that_are_double_foreign_or_missing_are_refused() {
    let point = coordinates();
    let good = || {
        vec![
            (integer(1), integer(2)),
            (integer(3), integer(-7)),
            (integer(-1), integer(1)),
            (integer(-2), bytes(&point[..32])),
            (integer(-3), bytes(&point[32..])),
        ]
    };
    assert!(verdict(&map(&good())).is_ok());
    for parameter in 0..5 {
        let mut double = good();
        double.push(double[parameter].clone());
        assert_eq!(verdict(&map(&double)), Err(Refusal::MalformedPublicKey));
        let mut missing = good();
        missing.remove(parameter);
        assert_eq!(verdict(&map(&missing)), Err(Refusal::MalformedPublicKey));
    }
    let mut key_id = good();
    key_id.push((integer(2), bytes(b"kid")));
    assert_eq!(verdict(&map(&key_id)), Err(Refusal::MalformedPublicKey));
    assert_eq!(verdict(&integer(1)), Err(Refusal::MalformedPublicKey));
}

#[test]
fn ed25519_points_are_accepted_with_either_sign() {
    let mut signs = [false; 2];
    for seed in 0..16 {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let point = key.public_key().as_ref();
        signs[usize::from(point[31] >> 7)] = true;
        assert_eq!(verdict(&okp_key(6, point)), Ok(Algorithm::EdDsa));
    }
    assert_eq!(signs, [true, true]);
}

#[test]
fn ed25519_points_of_small_order_are_refused() {
    let small_y = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        // 2^255 - 19 and 2^255 - 18: second spellings of 0 and 1.
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];
    for y in small_y {
        let mut y = crate::vectors::hex(y);
        assert_eq!(verdict(&okp_key(6, &y)), Err(Refusal::InvalidPublicKey));
        y[31] |= 0x80;
        assert_eq!(verdict(&okp_key(6, &y)), Err(Refusal::InvalidPublicKey));
    }
    assert_eq!(verdict(&okp_key(6, &[9; 31])), Err(Refusal::MalformedPublicKey));
}

/// Why the refusal above is needed: with the neutral element as the key, one signature fits every message.
#[test]
fn the_verifier_itself_does_not_refuse_points_of_small_order() {
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let signature = [neutral, [0; 32]].concat();
    assert!(UnparsedPublicKey::new(&ED25519, neutral).verify(b"any message", &signature).is_ok());
}

#[test]
fn rsa_keys_have_2048_to_4096_bits_and_an_odd_exponent() {
    let modulus = |bits: usize| {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        modulus[0] >>= modulus.len() * 8 - bits;
        modulus
    };
    let usual = [1, 0, 1];
    for bits in [2048, 3072, 4096] {
        assert_eq!(verdict(&rsa_key(&modulus(bits), &usual)), Ok(Algorithm::Rs256), "{bits}");
    }
    for bits in [1024, 2047, 4097, 8192] {
        assert_eq!(verdict(&rsa_key(&modulus(bits), &usual)), Err(Refusal::InvalidPublicKey), "{bits}");
    }
    let even = [&modulus(2040)[..], &[0xfe]].concat();
    assert_eq!(verdict(&rsa_key(&even, &usual)), Err(Refusal::InvalidPublicKey));
    let padded = [&[0], &modulus(2048)[..]].concat();
    assert_eq!(verdict(&rsa_key(&padded, &usual)), Err(Refusal::MalformedPublicKey));

    for exponent in [&[3][..], &[0xff; 4]] {
        assert_eq!(verdict(&rsa_key(&modulus(2048), exponent)), Ok(Algorithm::Rs256));
    }
    for exponent in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(verdict(&rsa_key(&modulus(2048), exponent)), Err(Refusal::InvalidPublicKey));
    }
    for exponent in [&[][..], &[0], &[0, 3]] {
        assert_eq!(verdict(&rsa_key(&modulus(2048), exponent)), Err(Refusal::MalformedPublicKey));
    }
}

/// x and y of the tests' P-256 key.
fn coordinates() -> Vec<u8> {
    signing_key().verifying_key().to_sec1_point(false).as_bytes()[1..].to_vec()
}

fn okp_key(curve: i64, x: &[u8]) -> Vec<u8> {
    map(&[
        (integer(1), integer(1)),
        (integer(3), integer(-8)),
        (integer(-1), integer(curve)),
        (integer(-2), bytes(x)),
    ])
}

fn rsa_key(n: &[u8], e: &[u8]) -> Vec<u8> {
    map(&[
        (integer(1), integer(3)),
        (integer(3), integer(-257)),
        (integer(-1), bytes(n)),
        (integer(-2), bytes(e)),
    ])
}
