//! Published vectors and our own, from files. An unknown key in a file fails the run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use holdfast_protocol::{
    base64url,
    dpop::{PublicKey, UnverifiedProof},
    ids::{AccountId, CeremonyId, ConnectionId, SessionId, Thumbprint},
    pop::{Binding, Challenge, Message},
    step_up::{Kind, hash_of},
    tokens::Begun,
};
use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, fs, path::PathBuf};

fn vectors(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "vectors", name].iter().collect()
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_slice(&fs::read(vectors(name)).unwrap()).unwrap()
}

fn p256_verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    let key = VerifyingKey::from_sec1_bytes(&key.to_sec1());
    let signature = Signature::from_slice(signature);
    key.ok().zip(signature.ok()).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pop {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    transcripts: Vec<Transcript>,
    messages: Vec<Valid>,
    not_messages: Vec<Invalid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transcript {
    origin: String,
    client_nonce: String,
    challenge: String,
    jwk_x: String,
    jwk_y: String,
    thumbprint: String,
    transcript: String,
    signature: String,
    verifies: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Valid {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    text: String,
    why: String,
}

#[test]
fn pop_vectors() {
    let pop: Pop = read("pop.json");
    for case in pop.transcripts {
        let key = PublicKey {
            x: base64url::decode_array(&case.jwk_x).unwrap(),
            y: base64url::decode_array(&case.jwk_y).unwrap(),
        };
        assert_eq!(key.thumbprint().as_str(), case.thumbprint);
        let Ok(Message::Challenge(challenge)) = Message::parse(&case.challenge) else {
            panic!("{}", case.challenge)
        };
        let thumbprint = Thumbprint::parse(&case.thumbprint).unwrap();
        let binding =
            Binding::new(&case.origin, challenge.connection.clone(), &case.client_nonce, thumbprint).unwrap();
        let transcript = binding.transcript(&challenge);
        assert_eq!(transcript, case.transcript);
        let signature = base64url::decode_array(&case.signature).unwrap();
        assert_eq!(p256_verifies(&key, transcript.as_bytes(), &signature), case.verifies, "{transcript}");
    }
    for case in pop.messages {
        assert_eq!(Message::parse(&case.text).map(|message| message.encode()), Ok(case.text));
    }
    for case in pop.not_messages {
        assert!(Message::parse(&case.text).is_err(), "{:?}: {}", case.text, case.why);
    }
}

#[test]
fn fields_cannot_reach_into_the_next_line() {
    let id = || ConnectionId::make([1; 16]);
    let thumbprint = || Thumbprint::from_hash(&[2; 32]);
    for bad in ["", "a b", "a\nb", "a\u{0}", "ä", &"x".repeat(129)] {
        assert!(Binding::new(bad, id(), "nonce", thumbprint()).is_err(), "{bad:?}");
        assert!(Binding::new("https://a", id(), bad, thumbprint()).is_err(), "{bad:?}");
    }
    let binding = Binding::new("https://a", id(), "nonce", thumbprint()).unwrap();
    let challenge = Challenge { connection: id(), sequence: 1, nonce: "n".to_owned(), expires_at_ms: 2 };
    assert_eq!(binding.transcript(&challenge).lines().count(), 8);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dpop {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    proofs: Vec<Proof>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    about: String,
    method: String,
    url: String,
    proof: String,
    /// The thumbprint of the key that signed, or the error's name.
    gives: String,
}

#[test]
fn dpop_vectors() {
    for case in read::<Dpop>("dpop.json").proofs {
        let gives = UnverifiedProof::read(&case.proof)
            .and_then(|proof| proof.verify(p256_verifies))
            .and_then(|proof| proof.require_for(&case.method, &case.url).map(|()| proof))
            .map_or_else(|error| format!("{error:?}"), |proof| proof.jkt.to_string());
        assert_eq!(gives, case.gives, "{}", case.about);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    key: String,
    begun: Ceremony,
    tokens: Vec<Token>,
    #[expect(dead_code, reason = "the page's own test holds step-ups against it")]
    step_up: AskedFor,
    step_ups: Vec<Offered>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the page's own test holds step-ups against it")]
struct AskedFor {
    account: AccountId,
    session: SessionId,
    action: Kind,
    parameters: String,
}

/// A token for a step-up.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offered {
    about: String,
    token: String,
    mac: bool,
    challenge: String,
    /// Also in what it differs from what was asked for, which is not for [`Begun`] to find.
    gives: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ceremony {
    jkt: Thumbprint,
    ceremony: CeremonyId,
    origin: String,
    rp_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    about: String,
    token: String,
    mac: bool,
    challenge: String,
    label: String,
    /// `Taken`, or the error's name.
    gives: String,
}

#[test]
fn token_vectors() {
    let Tokens { key, begun, tokens, step_ups, .. } = read("tokens.json");
    let key = base64url::decode_array(&key).unwrap();
    for case in tokens {
        assert_eq!(has_mac(&case.token, &key), case.mac, "{}", case.about);
        let labels = ["token/login", "token/registration"];
        let label = labels.into_iter().find(|label| *label == case.label).unwrap();
        assert_eq!(begun.gives(label, &case.token, &case.challenge), case.gives, "{}", case.about);
    }
    let found = ["NotAToken", "NotClaims", "OtherChallenge", "OtherCeremony"];
    for case in step_ups {
        assert_eq!(has_mac(&case.token, &key), case.mac, "{}", case.about);
        let gives = if found.contains(&case.gives.as_str()) { &case.gives } else { "Taken" };
        assert_eq!(begun.gives("token/step-up", &case.token, &case.challenge), gives, "{}", case.about);
    }
}

/// Whether the second part is the MAC of the first.
fn has_mac(token: &str, key: &[u8; 32]) -> bool {
    let mut parts = token.split('.');
    let (payload, unverified_mac) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    base64url::encode(&hmac_sha256(key, payload.as_bytes())) == unverified_mac
}

impl Ceremony {
    /// What a browser finds that has begun this.
    fn gives(&self, label: &'static str, token: &str, challenge: &str) -> String {
        let challenge = base64url::decode(challenge).unwrap();
        let begun = Begun {
            jkt: &self.jkt,
            label,
            ceremony: &self.ceremony,
            origin: &self.origin,
            rp_id: &self.rp_id,
            challenge: &challenge,
        };
        begun.check(token).map_or_else(|error| format!("{error:?}"), |()| "Taken".to_owned())
    }
}

/// RFC 2104, over a key of 32 bytes.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| core::array::from_fn::<u8, 64, _>(|at| key.get(at).unwrap_or(&0) ^ byte);
    let inner = Sha256::new_with_prefix(pad(0x36)).chain_update(message).finalize();
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize().into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepUps {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    actions: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    about: String,
    kind: Kind,
    path: String,
    parameters: String,
    sha256: String,
    target: String,
    sentence: String,
}

#[test]
fn step_up_vectors() {
    let StepUps { actions, .. } = read("step_up.json");
    for case in &actions {
        let said = case.kind.read(&case.parameters).unwrap_or_else(|| panic!("{}", case.about));
        assert_eq!((said.target, said.sentence), (case.target.clone(), case.sentence.clone()));
        assert_eq!(base64url::encode(&hash_of(&case.parameters).0), case.sha256, "{}", case.about);
        assert_eq!(case.kind.path(), case.path, "{}", case.about);
    }
    let there: BTreeSet<Kind> = actions.into_iter().map(|case| case.kind).collect();
    assert_eq!(there, Kind::ALL.iter().copied().collect(), "every kind has its vectors");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CanonicalJson {
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    canonical: Vec<Canonical>,
    not_canonical: Vec<Invalid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Canonical {
    about: String,
    json: String,
    canonical: String,
    sha256: String,
}

#[test]
fn canonical_vectors() {
    let canonical = |json: &str| serde_json_canonicalizer::to_string(&serde_json::from_str::<Value>(json)?);
    let cases: CanonicalJson = read("canonical.json");
    for case in cases.canonical {
        assert_eq!(canonical(&case.json).unwrap(), case.canonical, "{}", case.about);
        assert_eq!(base64url::encode(&Sha256::digest(&case.canonical)), case.sha256, "{}", case.about);
    }
    for Invalid { text, why } in cases.not_canonical {
        assert_ne!(canonical(&text).ok(), Some(text), "{why}");
    }
}

#[test]
fn an_unknown_key_fails_the_run() {
    fails_with_an_unknown_key::<Pop>("pop.json");
    fails_with_an_unknown_key::<Dpop>("dpop.json");
    fails_with_an_unknown_key::<Tokens>("tokens.json");
    fails_with_an_unknown_key::<StepUps>("step_up.json");
    fails_with_an_unknown_key::<CanonicalJson>("canonical.json");
}

fn fails_with_an_unknown_key<T: for<'de> Deserialize<'de>>(name: &str) {
    let known: Value = read(name);
    assert!(serde_json::from_value::<T>(known.clone()).is_ok(), "{name}");
    for place in objects(&known) {
        let mut other = known.clone();
        other.pointer_mut(&place).unwrap()["unknown"] = Value::Bool(true);
        assert!(serde_json::from_value::<T>(other).is_err(), "{name}{place}");
    }
}

/// Where the objects are: JSON pointers (RFC 6901).
fn objects(value: &Value) -> Vec<String> {
    let within =
        |name: String, inner: &Value| objects(inner).into_iter().map(move |at| format!("/{name}{at}"));
    match value {
        Value::Object(members) => {
            let inside = members.iter().flat_map(|(name, inner)| within(name.clone(), inner));
            std::iter::once(String::new()).chain(inside).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, inner)| within(at.to_string(), inner)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn rfc_8785_vectors() {
    let mut seen = 0;
    for entry in fs::read_dir(vectors("jcs/input")).unwrap() {
        let name = entry.unwrap().file_name();
        let input: serde_json::Value =
            serde_json::from_slice(&fs::read(vectors("jcs/input").join(&name)).unwrap()).unwrap();
        let output = fs::read(vectors("jcs/output").join(&name)).unwrap();
        assert_eq!(serde_json_canonicalizer::to_vec(&input).unwrap(), output, "{name:?}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}
