use holdfast_protocol::{
    base64url::{self, Bytes},
    passkeys::{AssertionOptions, AssertionResponse, RegistrationOptions, RegistrationResponse},
};
use holdfast_server::{entropy::Entropy, secrets::sha256};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};

/// User present.
pub const UP: u8 = 1;
/// User verified.
pub const UV: u8 = 1 << 2;
/// Backup-eligible.
pub const BE: u8 = 1 << 3;
/// Backed up.
pub const BS: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;

/// An authenticator with one discoverable credential, and the browser around it.
#[derive(Clone)]
pub struct SoftPasskey {
    origin: String,
    key: SigningKey,
    pub id: Vec<u8>,
    pub user_handle: Vec<u8>,
    /// Of the next answer; 0: it keeps none.
    pub counter: u32,
}

/// What authenticator and browser are about to say, to be turned into a lie.
pub struct Said {
    pub client_data: Value,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub id: Vec<u8>,
    pub user_handle: Vec<u8>,
    /// Signed by this key, whosever it is.
    pub key: SigningKey,
}

/// Turns what is said into something else.
pub type Lie = fn(&mut Said);

impl SoftPasskey {
    /// In a browser that shows a page of this origin.
    pub fn at(origin: &str, entropy: &Entropy) -> Self {
        Self {
            origin: origin.to_owned(),
            key: SigningKey::from_slice(&entropy.make::<32>()).unwrap(),
            id: entropy.make::<32>().to_vec(),
            user_handle: Vec::new(),
            counter: 0,
        }
    }

    /// Keeps the user handle of the options, as authenticators do.
    pub fn register(
        &mut self,
        options: &RegistrationOptions,
        lie: impl FnOnce(&mut Said),
    ) -> RegistrationResponse {
        self.user_handle = options.public_key.user.id.clone();
        let mut said =
            self.truth("webauthn.create", &options.public_key.challenge, &options.public_key.rp.id);
        lie(&mut said);
        let mut data = said.authenticator_data(ATTESTED);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(said.id.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&said.id);
        data.extend_from_slice(&cose_key(&said.key));
        RegistrationResponse {
            id: Bytes(said.id.clone()),
            client_data_json: Bytes(said.client_data.to_string().into_bytes()),
            attestation_object: Bytes(attestation_of_none(&data)),
            transports: vec!["hybrid".to_owned(), "internal".to_owned()],
            discoverable: None,
        }
    }

    pub fn assert(&self, options: &AssertionOptions, lie: impl FnOnce(&mut Said)) -> AssertionResponse {
        let mut said = self.truth("webauthn.get", &options.public_key.challenge, &options.public_key.rp_id);
        lie(&mut said);
        let data = said.authenticator_data(0);
        let client_data = said.client_data.to_string().into_bytes();
        let signature: Signature = said.key.sign(&[data.as_slice(), &sha256(&client_data)].concat());
        AssertionResponse {
            id: Bytes(said.id),
            client_data_json: Bytes(client_data),
            authenticator_data: Bytes(data),
            signature: Bytes(signature.to_der().as_bytes().to_vec()),
            user_handle: Bytes(said.user_handle),
        }
    }

    /// What the server keeps of it.
    pub fn cose_key(&self) -> Vec<u8> {
        cose_key(&self.key)
    }

    fn truth(&self, kind: &str, challenge: &[u8], rp_id: &str) -> Said {
        let challenge = base64url::encode(challenge);
        Said {
            client_data: json!({
                "type": kind,
                "challenge": challenge,
                "origin": self.origin,
                "crossOrigin": false,
            }),
            rp_id: rp_id.to_owned(),
            flags: UP | UV | BE | BS,
            counter: self.counter,
            id: self.id.clone(),
            user_handle: self.user_handle.clone(),
            key: self.key.clone(),
        }
    }
}

impl Said {
    fn authenticator_data(&self, more_flags: u8) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes()).to_vec();
        data.push(self.flags | more_flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }
}

/// RFC 9053 section 7.1: `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`.
fn cose_key(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    let mut cbor = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    cbor.extend_from_slice(x);
    cbor.extend_from_slice(&[0x22, 0x58, 0x20]);
    cbor.extend_from_slice(y);
    cbor
}

/// `{"fmt": "none", "attStmt": {}, "authData": …}`.
fn attestation_of_none(data: &[u8]) -> Vec<u8> {
    let mut cbor = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
    cbor.push(u8::try_from(data.len()).unwrap());
    cbor.extend_from_slice(data);
    cbor
}
