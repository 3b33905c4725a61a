//! Section 16 of the standard. Most of its vectors do not set the user verification flag, one is made in a frame
//! whose page is not named, two have algorithms that are not offered: each has its verdict, as published, and
//! once more as the authenticator would have made it with user verification.

use aws_lc_rs::signature::Ed25519KeyPair;
use holdfast_relying_party::{
    AssertionResponse, Attestation, Expectations, Owner, Refusal, RegistrationResponse, StoredCredential,
    UnverifiedFormat, verify_assertion, verify_registration,
};
use p256::ecdsa::SigningKey;
use serde::Deserialize;

use crate::soft_authenticator::{BE, FLAGS, UV, sign_with, signed_bytes};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "every key of the file is known, not every one is needed")]
struct File {
    source: String,
    rp_id: String,
    origin: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    title: String,
    registration: Registration,
    authentication: Authentication,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "every key of the file is known, not every one is needed")]
struct Registration {
    challenge: String,
    credential_private_key: Option<String>,
    private_key: Option<String>,
    client_data_gen_flags: String,
    #[serde(rename = "extraData_random")]
    extra_data_random: Option<String>,
    aaguid: String,
    credential_id: String,
    #[serde(rename = "auth_data_UV_BE_BS")]
    auth_data_uv_be_bs: Option<String>,
    attestation_private_key: Option<String>,
    attestation_cert_serial_number: Option<String>,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    #[serde(rename = "attestationObject")]
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "every key of the file is known, not every one is needed")]
struct Authentication {
    challenge: String,
    client_data_gen_flags: String,
    #[serde(rename = "extraData_random")]
    extra_data_random: Option<String>,
    #[serde(rename = "auth_data_UV_BS")]
    auth_data_uv_bs: String,
    #[serde(rename = "authenticatorData")]
    authenticator_data: String,
    #[serde(rename = "clientDataJSON")]
    client_data_json: String,
    signature: String,
}

fn file() -> File {
    serde_json::from_str(include_str!("../vectors/webauthn-l3.json")).unwrap()
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    assert_eq!(digits.len() % 2, 0);
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// What the ceremonies of `vector` come to: the attestation, and the assertion after it. A registration that is
/// refused leaves no credential to assert with.
fn verdicts(
    file: &File,
    vector: &Vector,
    with: Authenticator,
) -> (Result<Attestation, Refusal>, Result<(), Refusal>) {
    let Vector { registration, authentication, .. } = vector;
    let challenge = hex(&registration.challenge);
    let expected = Expectations {
        challenge: &challenge,
        rp_id: &file.rp_id,
        origins: &[&file.origin],
        top_origins: &["https://example.com"],
    };
    let mut attestation_object = hex(&registration.attestation_object);
    let published_flags = flags_at(&attestation_object, &hex(&authentication.authenticator_data)[..FLAGS]);
    let eligible = attestation_object[published_flags] & BE != 0;
    if let Authenticator::VerifiesUsers = with {
        attestation_object[published_flags] |= UV;
    }
    let response = RegistrationResponse {
        client_data_json: &hex(&registration.client_data_json),
        attestation_object: &attestation_object,
    };
    let registered = verify_registration(&expected, &response);
    if let Ok(credential) = &registered {
        assert_eq!(credential.id, hex(&registration.credential_id));
        assert_eq!(credential.aaguid[..], hex(&registration.aaguid));
        assert_eq!(credential.backup_eligible, eligible);
    }

    // The key is needed for the assertion even where the registration, as published, is refused.
    let mut with_uv = attestation_object.clone();
    with_uv[published_flags] |= UV;
    let forced = RegistrationResponse { attestation_object: &with_uv, ..response };
    let credential = match verify_registration(&expected, &forced) {
        Ok(credential) => credential,
        Err(refusal) => return (registered.map(|it| it.attestation), Err(refusal)),
    };
    let challenge = hex(&authentication.challenge);
    let client_data = hex(&authentication.client_data_json);
    let mut authenticator_data = hex(&authentication.authenticator_data);
    let mut signature = hex(&authentication.signature);
    if let Authenticator::VerifiesUsers = with
        && authenticator_data[FLAGS] & UV == 0
    {
        authenticator_data[FLAGS] |= UV;
        signature = registration.sign(&authenticator_data, &client_data).unwrap_or(signature);
    }
    let stored = StoredCredential {
        id: &credential.id,
        public_key: &credential.public_key,
        sign_count: credential.sign_count,
        backup_eligible: credential.backup_eligible,
        owner: Owner::KnownBefore(b"somebody"),
    };
    let response = AssertionResponse {
        credential_id: &credential.id,
        client_data_json: &client_data,
        authenticator_data: &authenticator_data,
        signature: &signature,
        user_handle: None,
    };
    let asserted = verify_assertion(&Expectations { challenge: &challenge, ..expected }, &stored, &response);
    (registered.map(|it| it.attestation), asserted.map(|_| ()))
}

enum Authenticator {
    AsPublished,
    /// As published, with UV set, and signed again with the published private key.
    VerifiesUsers,
}

impl Registration {
    /// `None` for the one vector (RS256) whose private key is not in the file.
    fn sign(&self, authenticator_data: &[u8], client_data: &[u8]) -> Option<Vec<u8>> {
        if let Some(seed) = &self.private_key {
            let key = Ed25519KeyPair::from_seed_unchecked(&hex(seed)).unwrap();
            return Some(key.sign(&signed_bytes(authenticator_data, client_data)).as_ref().to_vec());
        }
        let key = SigningKey::from_slice(&hex(self.credential_private_key.as_ref()?)).unwrap();
        Some(sign_with(&key, authenticator_data, client_data))
    }
}

/// Where the flags stand in an attestation object: behind the hash of the relying party id.
fn flags_at(attestation_object: &[u8], rp_id_hash: &[u8]) -> usize {
    attestation_object.windows(32).position(|window| window == rp_id_hash).unwrap() + 32
}

use Attestation::{PackedSelf, Unverified};
use Refusal::{CrossOrigin, SignatureInvalid, UnsupportedAlgorithm, UserVerificationMissing};

const NONE: Attestation = Attestation::None;
const PACKED: Attestation = Unverified(UnverifiedFormat::Packed);

#[test]
fn as_published_each_vector_has_its_verdict() {
    let no_uv = Err(UserVerificationMissing);
    #[rustfmt::skip]
    let verdict_of = [
        ("ES256 Credential with No Attestation", no_uv, Err(UserVerificationMissing)),
        ("ES256 Credential with Self Attestation", Ok(PackedSelf), Err(UserVerificationMissing)),
        ("ES256 Credential with \"crossOrigin\": true in clientDataJSON", Err(CrossOrigin), Err(CrossOrigin)),
        ("ES256 Credential with \"topOrigin\" in clientDataJSON", no_uv, Ok(())),
        ("ES256 Credential with very long credential ID", no_uv, Ok(())),
        ("Packed Attestation with ES256 Credential", Ok(PACKED), Ok(())),
        ("Packed Attestation with ES384 Credential", no_uv, Ok(())),
        ("Packed Attestation with ES512 Credential", Err(UnsupportedAlgorithm), Err(UnsupportedAlgorithm)),
        ("Packed Attestation with RS256 Credential", Ok(PACKED), Err(UserVerificationMissing)),
        ("Packed Attestation with Ed25519 Credential", no_uv, Err(UserVerificationMissing)),
        ("Packed Attestation with Ed448 Credential", no_uv, Err(UnsupportedAlgorithm)),
        ("TPM Attestation with ES256 Credential", Ok(Unverified(UnverifiedFormat::Tpm)), Ok(())),
        ("Android Key Attestation with ES256 Credential", Ok(Unverified(UnverifiedFormat::AndroidKey)), Err(UserVerificationMissing)),
        ("Apple Anonymous Attestation with ES256 Credential", no_uv, Err(UserVerificationMissing)),
        ("FIDO U2F Attestation with ES256 Credential", no_uv, Err(UserVerificationMissing)),
    ];
    let file = file();
    assert_eq!(file.vectors.len(), verdict_of.len());
    for (vector, (title, registration, assertion)) in file.vectors.iter().zip(verdict_of) {
        assert_eq!(vector.title, title);
        let seen = verdicts(&file, vector, Authenticator::AsPublished);
        assert_eq!(seen, (registration, assertion), "{title}");
    }
}

#[test]
fn with_user_verification_all_but_the_refused_by_choice_are_accepted() {
    #[rustfmt::skip]
    let verdict_of = [
        (Ok(NONE), Ok(())),
        (Ok(PackedSelf), Ok(())),
        // In a frame of a page that is not named.
        (Err(CrossOrigin), Err(CrossOrigin)),
        (Ok(NONE), Ok(())),
        (Ok(NONE), Ok(())),
        (Ok(PACKED), Ok(())),
        (Ok(PACKED), Ok(())),
        // ES512.
        (Err(UnsupportedAlgorithm), Err(UnsupportedAlgorithm)),
        // RS256: UV has been set, and nobody can sign again.
        (Ok(PACKED), Err(SignatureInvalid)),
        (Ok(PACKED), Ok(())),
        // Ed448.
        (Err(UnsupportedAlgorithm), Err(UnsupportedAlgorithm)),
        (Ok(Unverified(UnverifiedFormat::Tpm)), Ok(())),
        (Ok(Unverified(UnverifiedFormat::AndroidKey)), Ok(())),
        (Ok(Unverified(UnverifiedFormat::Apple)), Ok(())),
        (Ok(Unverified(UnverifiedFormat::FidoU2f)), Ok(())),
    ];
    let file = file();
    for (vector, verdict) in file.vectors.iter().zip(verdict_of) {
        assert_eq!(verdicts(&file, vector, Authenticator::VerifiesUsers), verdict, "{}", vector.title);
    }
}
