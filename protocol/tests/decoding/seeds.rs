use crate::corpus;
use holdfast_protocol::{
    base64url::{self, Bytes},
    ids::{AccountId, CeremonyId, Thumbprint},
    tokens::{Claims, Purpose},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{fs, path::PathBuf};

/// The first inputs of every fuzzer: the published vectors, and further tokens.
#[test]
fn the_published_vectors_are_seeds() {
    let pop = vectors("pop.json");
    let texts = |list: &str| -> Vec<Vec<u8>> {
        let entries = pop[list].as_array().unwrap().iter();
        entries.map(|entry| entry["text"].as_str().unwrap().as_bytes().to_vec()).collect()
    };
    let messages = [texts("messages"), texts("not_messages")].concat();
    let control = |text: &Vec<u8>| [b"\x01", &text[..]].concat();
    let frames = messages.iter().take(3).map(control).chain(messages.iter().skip(3).take(3).cloned());
    let doubled = [&b"\x01\x01ask"[..], b"\x01", b"\x01\x01", b""].map(<[u8]>::to_vec);
    seed("frame", frames.chain(doubled));
    seed("message", messages);

    let keys = pop["transcripts"].as_array().unwrap().iter();
    let words = keys.flat_map(|entry| ["jwk_x", "signature"].map(|member| entry[member].as_str().unwrap()));
    let second_spellings = ["", "AQI", "AQI=", "AQ I", "AQJ", "AQ+_", "AQ/A", "A"];
    seed("base64url", words.chain(second_spellings).map(|text| text.as_bytes().to_vec()));

    seed("proof", proofs());
    seed("device", answers_of_devices());
    let published = vectors("tokens.json");
    let published = ["tokens", "step_ups"].into_iter().flat_map(|list| published[list].as_array().unwrap());
    seed(
        "token",
        published.map(|entry| entry["token"].as_str().unwrap().as_bytes().to_vec()).chain(tokens()),
    );
}

/// As published, and taken apart, so that the fuzzer need not know base64url.
fn proofs() -> Vec<Vec<u8>> {
    let mut proofs = Vec::new();
    for vector in vectors("dpop.json")["proofs"].as_array().unwrap() {
        let compact = vector["proof"].as_str().unwrap();
        let apart: Vec<Vec<u8>> =
            compact.split('.').filter_map(|part| base64url::decode(part).ok()).collect();
        match &apart[..] {
            [header, claims, _] => proofs.push([&header[..], b"\n", &claims[..]].concat()),
            _ if compact.len() < 1000 => proofs.push(compact.as_bytes().to_vec()),
            // The one that is too long would make every mutant of it long.
            _ => {}
        }
        if vector["about"] == "complete" {
            proofs.push(compact.as_bytes().to_vec());
        }
    }
    proofs
}

/// A registration and a refresh as Chromium sends them, and what is neither.
fn answers_of_devices() -> Vec<Vec<u8>> {
    let jwk = r#"{"crv":"P-256","kty":"EC","x":"nJmqAiEbpPjMLb88sh94lqy6fTe3smFgD-Yn_KTOwI0","y":"GUC8F-DN5YQsGVi3szOMJUYnUssDc-qmqLaQzABjdeo"}"#;
    let refresh = r#"{"alg":"ES256","typ":"dbsc+jwt"}"#;
    let claims = r#"{"jti":"AAABmqAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    let compact = [refresh, claims].map(|part| base64url::encode(part.as_bytes())).join(".");
    let compact = format!("{compact}.{}", base64url::encode(&[7; 64]));
    let registration = format!(r#"{{"alg":"ES256","jwk":{jwk},"typ":"dbsc+jwt"}}"#);
    let apart = [
        format!("{registration}\n{claims}"),
        format!("{refresh}\n{claims}"),
        format!("{refresh}\n{{}}"),
        format!("\"{compact}\""),
        compact,
    ];
    apart.map(String::into_bytes).to_vec()
}

fn tokens() -> Vec<Vec<u8>> {
    let jkt = Thumbprint::from_hash(&[7; 32]);
    let login = Claims {
        purpose: Purpose::Login { jkt: jkt.clone() },
        nonce: Bytes((0..32).collect()),
        ceremony: CeremonyId::make([3; 16]),
        origin: "https://console.example".to_owned(),
        rp_id: "console.example".to_owned(),
        issued_at_ms: 1_763_697_600_000,
        expires_at_ms: 1_763_697_900_000,
    };
    let purpose = Purpose::Registration { account: AccountId::make([1; 16]), jkt };
    let registration = Claims { purpose, ..login.clone() };
    let mut tokens = Vec::new();
    for claims in [login, registration] {
        let payload = claims.encode().unwrap();
        let json = String::from_utf8(base64url::decode(&payload).unwrap()).unwrap();
        let token = format!("{payload}.{}", base64url::encode(&[5; 32]));
        let twice = json.replacen('{', r#"{"rp_id":"a","#, 1);
        let more = json.replacen('{', r#"{"more":1,"#, 1);
        let escaped = json.replace("https:", "\\u0068ttps:");
        // The last number that every reader of JSON reads, one that some round, and one that is no u64.
        let numbers = ["9007199254740991", "9007199254740993", "18446744073709551616"];
        tokens.extend(numbers.map(|number| json.replace("1763697900000", number)));
        tokens.extend([token.clone(), format!("{token}="), format!("{payload}."), payload.clone()]);
        tokens.extend([json, twice, more, escaped]);
    }
    tokens.into_iter().map(String::into_bytes).collect()
}

/// Holds the folder of a corpus against its seeds, each in a file that is named for its contents.
fn seed(name: &str, seeds: impl IntoIterator<Item = Vec<u8>>) {
    let folder = corpus(name);
    let write = std::env::var_os("HOLDFAST_SEEDS").is_some_and(|what| what == "write");
    for seed in seeds {
        let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(&seed).into();
        let file = folder.join(format!("seed-{a:02x}{b:02x}{c:02x}{d:02x}"));
        if write {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &seed).unwrap();
        }
        let there = fs::read(&file).ok();
        assert!(there.as_ref() == Some(&seed), "{}: HOLDFAST_SEEDS=write makes it", file.display());
    }
}

fn vectors(name: &str) -> Value {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "vectors", name].iter().collect();
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}
