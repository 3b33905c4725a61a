//! An audit trail of confirmed step-ups, verified from its database as `holdfast verify-log` does, against
//! `openssl speed`, in turn. Both by the time that their processors were busy, which is what one core would
//! need for it.

use crate::{Aim, Figure, ROUNDS, median, on_server::openssl};
use anyhow::{Context as _, Result, bail, ensure};
use holdfast_protocol::{
    base64url::{self, Bytes},
    history::Activity,
    ids::{AccountId, CeremonyId, PasskeyId, SessionId, Thumbprint},
    passkeys::Removal,
    recovery::Regeneration,
    step_up::{Action, Evidence, Locale, Outcome, canonical_text, hash_of},
    tokens::{Claims, Purpose, StepUp, challenge_of},
};
use holdfast_server::{
    audit::{
        self, Event, Witness,
        heads::{HEADS, PUBLIC_KEY, PublicKey},
    },
    clock::Clock,
    db::{Db, Tx},
    entropy::Entropy,
    live::Live,
    secrets::{Keyring, Secret, sha256},
    tokens,
    verify_log::{Heads, Rules, verify},
};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
};
use tempfile::TempDir;

const ACCOUNTS: u32 = 10;
const STEP_UPS: u32 = 100_000;
const AT_MS: u64 = 1_800_000_000_000;
/// How the kernel counts the time of processors, on every Linux.
const TICKS_A_SECOND: f64 = 100.0;

pub(crate) async fn measure() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let file = folder.path().join("holdfast.sqlite3");
    println!("writing a trail of {STEP_UPS} step-ups …");
    let db = Db::open_sqlite(&file).await?;
    for number in 1..=ACCOUNTS {
        Owner::new(number)?.live(&db).await?;
    }
    Witness::open(folder.path(), &Entropy::system())?.sign(&db, &Clock::system()).await?;
    db.close().await;

    let db = Db::inspect_sqlite(&file).await?;
    let mut ratios = Vec::new();
    let mut before = openssl()?;
    for _ in 0..ROUNDS {
        let ours = ours(&db, folder.path()).await?;
        // A round takes seconds, in which other work comes to the machine and goes: held against both ends.
        let after = openssl()?;
        ratios.push(ours / f64::midpoint(before, after));
        before = after;
    }
    db.close().await;
    Ok(vec![Figure { name: "log.verify_over_openssl", value: median(ratios), aim: Aim::AtLeast(0.7) }])
}

/// Step-ups a second, each with its place in the chain; the heads and the rows around them not counted.
async fn ours(db: &Db, folder: &Path) -> Result<f64> {
    let begun = busy()?;
    let mut heads = Heads::default();
    let key = PublicKey::read(&folder.join(PUBLIC_KEY))?;
    let (_, findings) = heads.read(HEADS, BufReader::new(File::open(folder.join(HEADS))?), &[key])?;
    ensure!(findings.is_empty());
    let summary = verify(db, Rules::default(), heads, |finding| println!("{finding}")).await?;
    let took = busy()? - begun;
    let verified = [summary.findings, summary.step_ups, summary.heads, summary.uncovered];
    ensure!(verified == [0, STEP_UPS.into(), ACCOUNTS.into(), 0], "{summary:?}");
    Ok(f64::from(STEP_UPS) / took)
}

/// Seconds that processors worked for this program so far (proc(5), `utime` and `stime`).
fn busy() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name, which may hold anything.
    let (_, fields) = text.rsplit_once(')').context("no name in /proc/self/stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [user, system] = [11, 12].map(|at| fields.get(at).and_then(|field| field.parse::<u32>().ok()));
    let ticks = user.zip(system).context("no times in /proc/self/stat")?;
    Ok((f64::from(ticks.0) + f64::from(ticks.1)) / TICKS_A_SECOND)
}

/// Somebody with a passkey, and the server's half of it.
struct Owner {
    account: AccountId,
    session: SessionId,
    passkey: PasskeyId,
    key: SigningKey,
    entropy: Entropy,
    keys: Keyring,
}

impl Owner {
    fn new(number: u32) -> Result<Self> {
        let entropy = Entropy::counted(number.into());
        Ok(Self {
            account: AccountId::make(entropy.make()),
            session: SessionId::make(entropy.make()),
            passkey: PasskeyId::make(entropy.make()),
            key: SigningKey::from_slice(&entropy.make::<32>())?,
            keys: Keyring::new(Secret::new(entropy.make_text()), None),
            entropy,
        })
    }

    /// Enrols, and confirms one operation after the other.
    async fn live(&self, db: &Db) -> Result<()> {
        let Db::Sqlite(pool) = db else { bail!("a file is SQLite's") };
        let (account, email) = (self.account.as_str(), self.email());
        let insert = sqlx::query(
            "INSERT INTO accounts (id, user_handle, name, email, email_key, role, tier, epoch, created_at_ms)
             VALUES ($1, $1, 'Mara', $2, $2, 'admin', 'web_locked', 1, 0)",
        );
        insert.bind(account).bind(email).execute(pool).await?;
        let mut tx = db.write().await?;
        let added = Activity::PasskeyAdded { passkey: self.passkey.clone(), name: "Laptop".to_owned() };
        let evidence = Evidence::Registration {
            credential_id: self.credential(),
            public_key: Bytes(self.cose_key()),
            backup_eligible: false,
        };
        self.record(&mut tx, added, &evidence).await?;
        for number in 0..STEP_UPS / ACCOUNTS {
            if number % 2 == 0 {
                let removal = Removal { id: self.passkey.clone(), name: format!("Passkey {number}") };
                self.confirm(&mut tx, &removal).await?;
            } else {
                let verifiers = (0..10).map(|_| Bytes(self.entropy.make::<32>().to_vec())).collect();
                let account = self.account.clone();
                self.confirm(&mut tx, &Regeneration { account, email: self.email(), verifiers }).await?;
            }
        }
        Ok(tx.commit(&Live::default()).await?)
    }

    async fn confirm<A: Action>(&self, tx: &mut Tx, action: &A) -> Result<()> {
        let parameters = canonical_text(action).context("parameters without a spelling")?;
        let sentence = action.sentence(Locale::En);
        let step_up = StepUp {
            account: self.account.clone(),
            session: self.session.clone(),
            jkt: Thumbprint::from_hash(&[7; 32]),
            action: A::KIND,
            target: action.target(),
            parameters: hash_of(&parameters),
            locale: Locale::En,
            sentence: sentence.clone(),
        };
        let claims = Claims {
            purpose: Purpose::StepUp(Box::new(step_up)),
            nonce: Bytes(self.entropy.make::<32>().to_vec()),
            ceremony: CeremonyId::make(self.entropy.make()),
            origin: "https://console.example".to_owned(),
            rp_id: "console.example".to_owned(),
            issued_at_ms: AT_MS,
            expires_at_ms: AT_MS + 300_000,
        };
        let token = tokens::sign(&self.keys, &claims)?;
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{}","origin":"https://console.example","crossOrigin":false}}"#,
            base64url::encode(&challenge_of(&token))
        );
        // User present and verified; no counter.
        let authenticator_data = [&sha256(b"console.example")[..], &[0b101, 0, 0, 0, 0]].concat();
        let signed = [&authenticator_data[..], &sha256(client_data.as_bytes())].concat();
        let signature: Signature = self.key.sign(&signed);
        let evidence = Evidence::StepUp {
            parameters,
            token,
            credential_id: self.credential(),
            client_data_json: Bytes(client_data.into_bytes()),
            authenticator_data: Bytes(authenticator_data),
            signature: Bytes(signature.to_der().as_bytes().to_vec()),
        };
        let what = Activity::StepUp { action: A::KIND, outcome: Outcome::Confirmed, sentence, code: None };
        self.record(tx, what, &evidence).await
    }

    async fn record(&self, tx: &mut Tx, what: Activity, evidence: &Evidence) -> Result<()> {
        let (account, session) = (&self.account, Some(&self.session));
        let event = Event { account, what, device: None, session, at_ms: i64::try_from(AT_MS)? };
        Ok(audit::record_with(tx, event, evidence).await?)
    }

    fn email(&self) -> String {
        format!("{}@example.org", self.account)
    }

    fn credential(&self) -> Bytes {
        Bytes(sha256(self.account.as_str().as_bytes()).to_vec())
    }

    /// RFC 9053 section 7.1: `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes().get(1..).unwrap_or_default().split_at(32);
        let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        [&head[..], x, &[0x22, 0x58, 0x20], y].concat()
    }
}
