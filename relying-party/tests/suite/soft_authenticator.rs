//! An authenticator, a browser and a server's store in a page each, so that a test can make a good response,
//! change one thing, have it signed as if nothing were amiss, and see it refused for just that.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use holdfast_relying_party::{
    AssertionResponse, Expectations, Owner, ReadyKey, Refusal, RegisteredCredential, RegistrationResponse,
    StoredCredential, VerifiedAssertion, verify_assertion, verify_assertion_with, verify_registration,
};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};

pub(crate) const CHALLENGE: [u8; 32] = *b"a token's SHA-256, of 32 bytes: ";
pub(crate) const RP_ID: &str = "example.org";
pub(crate) const ORIGIN: &str = "https://console.example.org";
pub(crate) const TOP_ORIGIN: &str = "https://workstation.example.com";
pub(crate) const CREDENTIAL_ID: [u8; 16] = *b"credential id 16";
pub(crate) const USER_HANDLE: &[u8] = b"account 7";

pub(crate) const UP: u8 = 1;
pub(crate) const UV: u8 = 1 << 2;
pub(crate) const BE: u8 = 1 << 3;
pub(crate) const BS: u8 = 1 << 4;
pub(crate) const AT: u8 = 1 << 6;
pub(crate) const ED: u8 = 1 << 7;

/// Where the flags stand in authenticator data.
pub(crate) const FLAGS: usize = 32;

/// What the server expects: no page may hold it in a frame.
pub(crate) const EXPECTED: Expectations<'static> =
    Expectations { challenge: &CHALLENGE, rp_id: RP_ID, origins: &[ORIGIN], top_origins: &[] };

/// The same, and one page may.
pub(crate) const EXPECTED_IN_FRAME: Expectations<'static> =
    Expectations { top_origins: &[TOP_ORIGIN], ..EXPECTED };

/// A registration about to be sent.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) client_data: String,
    pub(crate) authenticator_data: Vec<u8>,
    pub(crate) format: &'static str,
    pub(crate) statement: Vec<u8>,
}

impl Registration {
    pub(crate) fn good() -> Self {
        Self::of_key(&cose_key(&signing_key()))
    }

    pub(crate) fn of_key(cose_key: &[u8]) -> Self {
        Self {
            client_data: client_data("webauthn.create"),
            authenticator_data: [
                &authenticator_data(UP | UV | BE | AT, 0),
                &attested(&CREDENTIAL_ID, cose_key)[..],
            ]
            .concat(),
            format: "none",
            statement: vec![0xa0],
        }
    }

    /// A good one with a self attestation.
    pub(crate) fn self_attested() -> Self {
        let good = Self::good();
        let statement = self_attestation(-7, &sign(&good.authenticator_data, good.client_data.as_bytes()));
        Self { format: "packed", statement, ..good }
    }

    pub(crate) fn attestation_object(&self) -> Vec<u8> {
        map(&[
            (text("fmt"), text(self.format)),
            (text("attStmt"), self.statement.clone()),
            (text("authData"), bytes(&self.authenticator_data)),
        ])
    }

    pub(crate) fn verify(&self) -> Result<RegisteredCredential, Refusal> {
        self.verify_as(&EXPECTED)
    }

    pub(crate) fn verify_as(&self, expected: &Expectations<'_>) -> Result<RegisteredCredential, Refusal> {
        verify_registered(expected, self.client_data.as_bytes(), &self.attestation_object())
    }
}

/// An assertion about to be signed and sent, and what the server stored of its credential.
#[derive(Clone)]
pub(crate) struct Assertion {
    pub(crate) client_data: String,
    pub(crate) authenticator_data: Vec<u8>,
    pub(crate) stored: StoredCredential<'static>,
    pub(crate) user_handle: Option<&'static [u8]>,
}

impl Assertion {
    pub(crate) fn good() -> Self {
        Self {
            client_data: client_data("webauthn.get"),
            authenticator_data: authenticator_data(UP | UV | BE, 8),
            stored: StoredCredential {
                id: &CREDENTIAL_ID,
                public_key: cose_key(&signing_key()).leak(),
                sign_count: 7,
                backup_eligible: true,
                owner: Owner::KnownBefore(USER_HANDLE),
            },
            user_handle: Some(USER_HANDLE),
        }
    }

    /// Signs as it is, with nothing checked.
    pub(crate) fn signature(&self) -> Vec<u8> {
        sign(&self.authenticator_data, self.client_data.as_bytes())
    }

    pub(crate) fn verify(&self) -> Result<VerifiedAssertion, Refusal> {
        self.verify_as(&EXPECTED)
    }

    pub(crate) fn verify_as(&self, expected: &Expectations<'_>) -> Result<VerifiedAssertion, Refusal> {
        let response = AssertionResponse {
            credential_id: &CREDENTIAL_ID,
            client_data_json: self.client_data.as_bytes(),
            authenticator_data: &self.authenticator_data,
            signature: &self.signature(),
            user_handle: self.user_handle,
        };
        let verdict = verify_assertion(expected, &self.stored, &response);
        // A key that was read before gives the same verdict.
        match ReadyKey::read(self.stored.public_key) {
            Ok(key) => assert_eq!(verify_assertion_with(&key, expected, &self.stored, &response), verdict),
            Err(why) => assert_eq!((why, &verdict), (Refusal::StoredKeyUnreadable, &Err(why))),
        }
        verdict
    }
}

pub(crate) fn verify_registered(
    expected: &Expectations<'_>,
    client_data_json: &[u8],
    attestation_object: &[u8],
) -> Result<RegisteredCredential, Refusal> {
    verify_registration(expected, &RegistrationResponse { client_data_json, attestation_object })
}

/// As Chromium writes it, with a member that nobody knows.
pub(crate) fn client_data(ceremony: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    format!(
        r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{ORIGIN}","crossOrigin":false,"other":["keys"]}}"#
    )
}

pub(crate) fn authenticator_data(flags: u8, sign_count: u32) -> Vec<u8> {
    let rp_id_hash = digest(&SHA256, RP_ID.as_bytes());
    [rp_id_hash.as_ref(), &[flags], &sign_count.to_be_bytes()].concat()
}

pub(crate) fn attested(id: &[u8], cose_key: &[u8]) -> Vec<u8> {
    let length = u16::try_from(id.len()).unwrap().to_be_bytes();
    [&[0xaa; 16], &length[..], id, cose_key].concat()
}

/// Always the same key, so that a failure can be seen again.
pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

pub(crate) fn sign(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    sign_with(&signing_key(), authenticator_data, client_data)
}

pub(crate) fn sign_with(key: &SigningKey, authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    let signature: Signature = key.sign(&signed_bytes(authenticator_data, client_data));
    signature.to_der().as_bytes().to_vec()
}

pub(crate) fn signed_bytes(authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
    [authenticator_data, digest(&SHA256, client_data).as_ref()].concat()
}

pub(crate) fn cose_key(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_sec1_point(false);
    ec2_key(-7, 1, &point.as_bytes()[1..])
}

/// A COSE_Key of type EC2; `coordinates` are x and y, one after the other.
pub(crate) fn ec2_key(algorithm: i64, curve: i64, coordinates: &[u8]) -> Vec<u8> {
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    map(&[
        (integer(1), integer(2)),
        (integer(3), integer(algorithm)),
        (integer(-1), integer(curve)),
        (integer(-2), bytes(x)),
        (integer(-3), bytes(y)),
    ])
}

pub(crate) fn self_attestation(algorithm: i64, signature: &[u8]) -> Vec<u8> {
    map(&[(text("alg"), integer(algorithm)), (text("sig"), bytes(signature))])
}

// A CBOR encoder, not the one whose decoder is under test.

pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries_bytes: Vec<u8> = entries.iter().flat_map(|(key, value)| [&key[..], value].concat()).collect();
    [head(5, entries.len()), entries_bytes].concat()
}

pub(crate) fn integer(value: i64) -> Vec<u8> {
    let (major, argument) = if value < 0 { (1, !value) } else { (0, value) };
    head(major, usize::try_from(argument).unwrap())
}

pub(crate) fn bytes(value: &[u8]) -> Vec<u8> {
    [&head(2, value.len()), value].concat()
}

pub(crate) fn text(value: &str) -> Vec<u8> {
    [&head(3, value.len()), value.as_bytes()].concat()
}

fn head(major: u8, argument: usize) -> Vec<u8> {
    let major = major << 5;
    match u8::try_from(argument) {
        Ok(small @ 0..=23) => vec![major | small],
        Ok(byte) => vec![major | 24, byte],
        Err(_) => [&[major | 25], &u16::try_from(argument).unwrap().to_be_bytes()[..]].concat(),
    }
}
