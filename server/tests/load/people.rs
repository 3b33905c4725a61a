//! Who opens the connections: accounts and sessions that stand in the database file before the server starts,
//! since there is no signing up for more than one person yet.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use holdfast_protocol::{
    base64url,
    dpop::PublicKey,
    ids::{AccountId, PasskeyId, SessionId},
};
use holdfast_server::{
    app::stored,
    clock::Clock,
    db::Db,
    entropy::Entropy,
    secrets::{Keyring, Secret},
};
use serde_json::json;
use std::{net::Ipv4Addr, path::Path};

/// What every key of the server is derived from.
pub const SECRET: &str = "a secret of the load a secret of the load";

/// One browser of one account, signed in.
pub struct Person {
    pub cookies: String,
    pub csrf: String,
    pub public: PublicKey,
    /// Everybody has an address of their own, as no source may take every place.
    pub from: Ipv4Addr,
    key: EcdsaKeyPair,
    /// Header of its proofs, base64url.
    proof_header: String,
}

impl Person {
    /// r‖s.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.key.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().try_into().unwrap()
    }

    /// RFC 9449.
    pub fn proof(&self, method: &str, url: &str, nonce: &str) -> String {
        let jti = Entropy::system().make_text();
        let claims = json!({ "jti": jti, "htm": method, "htu": url, "iat": 1, "nonce": nonce }).to_string();
        let input = format!("{}.{}", self.proof_header, base64url::encode(claims.as_bytes()));
        let signature = base64url::encode(&self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

/// Writes so many people into a new database, each with one session.
pub async fn write(file: &Path, count: usize) -> Vec<Person> {
    let db = Db::open_sqlite(file).await.unwrap();
    let Db::Sqlite(pool) = &db else { panic!("a file is SQLite's") };
    let mut tx = pool.begin().await.unwrap();
    let now_ms = Clock::system().unix_ms();
    sqlx::query("INSERT INTO setup (one, done_at_ms) VALUES (1, $1)")
        .bind(now_ms)
        .execute(&mut *tx)
        .await
        .unwrap();
    let keys = Keyring::new(Secret::new(SECRET.to_owned()), None);
    let mut people = Vec::with_capacity(count);
    for number in 0..u32::try_from(count).unwrap() {
        people.push(write_one(&mut tx, &keys, number, now_ms).await);
    }
    tx.commit().await.unwrap();
    db.close().await;
    people
}

async fn write_one(tx: &mut sqlx::SqliteConnection, keys: &Keyring, number: u32, now_ms: i64) -> Person {
    let entropy = Entropy::system();
    let (account, session) = (AccountId::make(entropy.make()), SessionId::make(entropy.make()));
    let (passkey, token) = (PasskeyId::make(entropy.make()), entropy.make_text());
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public = PublicKey::from_sec1(key.public_key().as_ref().try_into().unwrap());
    let email = format!("{account}@example.org");
    let insert = sqlx::query(
        "INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
         VALUES ($1, $2, 'Ada', $3, $3, 'member', 'web_locked', 1, $4)",
    );
    let insert = insert.bind(account.as_str()).bind(account.as_str().as_bytes()).bind(&email).bind(now_ms);
    insert.execute(&mut *tx).await.unwrap();
    let insert = sqlx::query(
        "INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count, backup_eligible,
                               backup_state, transports, name, browser, system, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, 0, FALSE, FALSE, '', 'Key', 'Firefox', 'Linux', $6)",
    );
    let insert = insert.bind(passkey.as_str()).bind(account.as_str()).bind(passkey.as_str().as_bytes());
    let insert = insert.bind(&[0_u8; 65][..]).bind(&[0_u8; 16][..]).bind(now_ms);
    insert.execute(&mut *tx).await.unwrap();
    let insert = sqlx::query(
        "INSERT INTO sessions (id, token_hash, account_id, passkey_id, jkt, epoch, browser, system,
                               created_at_ms, last_seen_at_ms)
         VALUES ($1, $2, $3, $4, $5, 1, 'Firefox', 'Linux', $6, $6)",
    );
    let insert = insert.bind(session.as_str()).bind(stored(&token)).bind(account.as_str());
    let insert = insert.bind(passkey.as_str()).bind(public.thumbprint().as_str().to_owned()).bind(now_ms);
    insert.execute(&mut *tx).await.unwrap();

    let csrf = base64url::encode(&keys.mac("csrf", session.as_str().as_bytes()));
    let (x, y) = (base64url::encode(&public.x), base64url::encode(&public.y));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }).to_string();
    Person {
        cookies: format!("__Host-holdfast={token}; csrf={csrf}"),
        csrf,
        public,
        from: Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 0)) + number),
        key,
        proof_header: base64url::encode(header.as_bytes()),
    }
}
