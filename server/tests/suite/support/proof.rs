use super::{browser::sign, public, world::ORIGIN};
use holdfast_protocol::base64url;
use holdfast_server::{access::DeviceChallenge, app::App};
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};

/// A DPoP proof before it is signed: right in every way until a test changes it.
#[derive(Clone)]
pub struct Proof {
    pub header: Value,
    pub claims: Value,
    pub key: SigningKey,
}

impl Proof {
    pub fn new(app: &App, key: &SigningKey, method: &str, path: &str, nonce: &str) -> Self {
        let point = public(key);
        let (x, y) = (base64url::encode(&point.x), base64url::encode(&point.y));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        let address = path.split('?').next().unwrap();
        let claims = json!({
            "jti": app.entropy.make_text(),
            "htm": method,
            "htu": format!("{ORIGIN}{address}"),
            "iat": 1,
            "nonce": nonce,
        });
        Self { header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }), claims, key: key.clone() }
    }

    /// The answer of a device's key to a challenge; one that registers the key has it in its header.
    pub fn of_device(app: &App, key: &SigningKey, challenge_for: DeviceChallenge, challenge: &str) -> String {
        let mut proof = Self::new(app, key, "", "", "");
        proof.header["typ"] = json!("dbsc+jwt");
        if matches!(challenge_for, DeviceChallenge::Refresh) {
            proof.header.as_object_mut().unwrap().remove("jwk");
        }
        proof.claims = json!({ "jti": challenge });
        proof.sign()
    }

    pub fn sign(&self) -> String {
        Self::sign_texts(&self.key, &self.header.to_string(), &self.claims.to_string())
    }

    /// With header and claims spelled as no JSON library would.
    pub fn sign_texts(key: &SigningKey, header: &str, claims: &str) -> String {
        let [header, claims] = [header, claims].map(|part| base64url::encode(part.as_bytes()));
        let signature = sign(key, format!("{header}.{claims}").as_bytes());
        format!("{header}.{claims}.{}", base64url::encode(&signature))
    }
}
