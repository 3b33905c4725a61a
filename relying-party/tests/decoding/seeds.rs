//! Most of the published vectors do not set the user verification flag: as seeds they do, signed again
//! where their key is in the file and of a kind that signs the same way twice.

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::Value;

use crate::assertion::BETWEEN;
use crate::client_data::CHALLENGE;
use crate::corpus;
use crate::registration::CLIENT_DATA;

/// Where the flags stand in authenticator data.
const FLAGS: usize = 32;
const UV: u8 = 1 << 2;
const VECTORS: &str = include_str!("../vectors/webauthn-l3.json");

#[test]
fn the_published_vectors_are_seeds() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    let responses = |vector: &Value| ["registration", "authentication"].map(|of| client_data(&vector[of]));
    let plain = client_data(&vectors[0]["registration"]);
    seed("client_data", vectors.iter().flat_map(responses).chain(strange_client_data(&plain)));
    let objects = vectors.iter().map(|vector| registration(vector, |_| {}));
    seed("registration", objects.chain(other_spellings(&vectors[0])));
    seed("assertion", vectors.iter().map(assertion));
}

/// As published, with the one challenge that the property knows.
fn client_data(response: &Value) -> Vec<u8> {
    let (published, known) =
        (URL_SAFE_NO_PAD.encode(hex(&response["challenge"])), URL_SAFE_NO_PAD.encode(CHALLENGE));
    String::from_utf8(hex(&response["clientDataJSON"])).unwrap().replace(&published, &known).into_bytes()
}

/// What a page in a foreign frame, or somebody who writes JSON by hand, could send.
fn strange_client_data(plain: &[u8]) -> Vec<Vec<u8>> {
    let plain = String::from_utf8(plain.to_vec()).unwrap();
    let framed = [
        r#""crossOrigin":true"#,
        r#""crossOrigin":null"#,
        r#""crossOrigin":false,"topOrigin":"https://evil.example""#,
        r#""crossOrigin":true,"topOrigin":null"#,
    ];
    let framed = framed.map(|members| plain.replace(r#""crossOrigin":false"#, members));
    let others = [
        format!("\u{feff}{plain}"),
        plain.replacen('{', r#"{"type":"webauthn.get","#, 1),
        plain.replace("https://example.org", "https://example.org.evil.example"),
        plain.replace("webauthn.create", "webauthn\\u002ecreate"),
        plain.replace(&URL_SAFE_NO_PAD.encode(CHALLENGE), &URL_SAFE_NO_PAD.encode([1; 32])),
        format!("[{plain}]"),
    ];
    framed.into_iter().chain(others).map(String::into_bytes).collect()
}

/// The same object with a longer head, without lengths, with a byte more, and with a longer head inside.
fn other_spellings(vector: &Value) -> [Vec<u8>; 4] {
    let object = registration(vector, |_| {});
    let (_, members) = object.split_first().unwrap();
    // The head of the first coordinate, 32 bytes, behind its label.
    let longer = |data: &mut Vec<u8>| {
        let at = data.windows(3).position(|window| window == [0x21, 0x58, 32]).unwrap();
        data.splice(at..at + 3, [0x21, 0x59, 0, 32]);
    };
    [
        [&[0xb8, 3], members].concat(),
        [&[0xbf], members, &[0xff]].concat(),
        [&object[..], &[0]].concat(),
        registration(vector, longer),
    ]
}

/// The attestation object; of certificates, which are passed over, a few bytes.
fn registration(vector: &Value, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut object = object(vector);
    let mut data = authenticator_data(&object);
    data[FLAGS] |= UV;
    change(&mut data);
    let statement = member(&mut object, "attStmt").as_map_mut().unwrap();
    let self_attested =
        !statement.is_empty() && statement.iter().all(|(key, _)| key.as_text() != Some("x5c"));
    for (key, value) in statement {
        match (key.as_text(), value) {
            (Some("x5c"), Cbor::Array(certificates)) => {
                certificates.iter_mut().for_each(|it| it.as_bytes_mut().unwrap().truncate(8));
            }
            (Some("sig"), signature) if self_attested => {
                *signature = Cbor::Bytes(sign(vector, &data, CLIENT_DATA.as_bytes()).unwrap());
            }
            _ => {}
        }
    }
    *member(&mut object, "authData") = Cbor::Bytes(data);
    let mut written = Vec::new();
    ciborium::into_writer(&object, &mut written).unwrap();
    written
}

fn assertion(vector: &Value) -> Vec<u8> {
    let response = &vector["authentication"];
    let client_data = hex(&response["clientDataJSON"]);
    let mut data = hex(&response["authenticatorData"]);
    let mut signature = hex(&response["signature"]);
    if data[FLAGS] & UV == 0 {
        data[FLAGS] |= UV;
        signature = sign(vector, &data, &client_data).unwrap_or(signature);
    }
    let parts = [hex(&response["challenge"]), public_key(vector), client_data, data, signature];
    let contains = |part: &Vec<u8>| part.windows(BETWEEN.len()).any(|window| window == BETWEEN);
    assert!(!parts.iter().any(contains));
    parts.join(BETWEEN)
}

fn object(vector: &Value) -> Cbor {
    ciborium::from_reader(&hex(&vector["registration"]["attestationObject"])[..]).unwrap()
}

fn member<'a>(object: &'a mut Cbor, name: &str) -> &'a mut Cbor {
    let members = object.as_map_mut().unwrap();
    members.iter_mut().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value).unwrap()
}

fn authenticator_data(object: &Cbor) -> Vec<u8> {
    member(&mut object.clone(), "authData").as_bytes().unwrap().clone()
}

/// Behind the credential id; the published ones carry no extensions at registration.
fn public_key(vector: &Value) -> Vec<u8> {
    let data = authenticator_data(&object(vector));
    let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    data[55 + length..].to_vec()
}

/// By the credential's private key; `None` where it is not in the file, or on another curve.
fn sign(vector: &Value, authenticator_data: &[u8], client_data: &[u8]) -> Option<Vec<u8>> {
    let signed = [authenticator_data, digest(&SHA256, client_data).as_ref()].concat();
    let registration = &vector["registration"];
    if registration["private_key"].is_string() {
        let key = Ed25519KeyPair::from_seed_unchecked(&hex(&registration["private_key"])).ok()?;
        return Some(key.sign(&signed).as_ref().to_vec());
    }
    registration["credential_private_key"].as_str()?;
    let key = SigningKey::from_slice(&hex(&registration["credential_private_key"])).ok()?;
    let signature: Signature = key.sign(&signed);
    Some(signature.to_der().as_bytes().to_vec())
}

fn hex(digits: &Value) -> Vec<u8> {
    let digits = digits.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Holds the folder of a corpus against its seeds, each in a file that is named for its contents.
fn seed(name: &str, seeds: impl IntoIterator<Item = Vec<u8>>) {
    let folder = corpus(name);
    let write = std::env::var_os("HOLDFAST_SEEDS").is_some_and(|what| what == "write");
    for seed in seeds {
        let name: String =
            digest(&SHA256, &seed).as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let file = folder.join(format!("seed-{name}"));
        if write {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &seed).unwrap();
        }
        let there = fs::read(&file).ok();
        assert!(there.as_ref() == Some(&seed), "{}: HOLDFAST_SEEDS=write makes it", file.display());
    }
}
