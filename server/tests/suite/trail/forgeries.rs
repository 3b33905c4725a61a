//! Events whose hashes all fit, and which lie nevertheless: each part of a confirmed step-up is held against
//! the others, whoever signed it.

use super::{Real, judge, rechain};
use crate::support::{BE, BS, ORIGIN, SECRET, Said, SoftPasskey, UP, UV, passkey_of};
use holdfast_protocol::{
    base64url::{self, Bytes},
    history::Activity,
    ids::{AccountId, CeremonyId, SessionId, Thumbprint},
    passkeys::{Addition, AssertionOptions},
    step_up::{Action, Evidence, Kind, Locale, Outcome, canonical_text, hash_of},
    tokens::{Claims, Purpose, StepUp, UnverifiedToken, challenge_of},
};
use holdfast_relying_party::Refusal;
use holdfast_server::{
    secrets::{Keyring, Secret},
    verify_log::{Fault, Finding, Heads, Place, Row, Rules},
};
use webauthn_rs_proto::{PublicKeyCredentialRequestOptions, UserVerificationPolicy};

/// A confirmed step-up, to be turned into a lie, signed, and put back.
pub(super) struct Forgery {
    row: Row,
    what: Activity,
    parameters: String,
    pub(super) claims: Claims,
}

/// What is changed of it, and what of the passkey's answer.
type Change = fn(&mut Forgery);
type Lie = fn(&mut Said);

impl Forgery {
    pub(super) fn of(row: &Row) -> Option<Self> {
        let evidence = serde_json::from_slice(row.evidence.as_deref()?).unwrap();
        let Evidence::StepUp { parameters, token, .. } = evidence else { return None };
        let claims = UnverifiedToken::read(&token).unwrap().into_claims_after_mac();
        let what = serde_json::from_slice(&row.what).unwrap();
        Some(Self { row: row.clone(), what, parameters, claims })
    }

    pub(super) fn signed_by(self, passkey: &SoftPasskey, lie: impl FnOnce(&mut Said)) -> Row {
        let Self { mut row, what, parameters, claims } = self;
        let token = format!("{}.{}", claims.encode().unwrap(), base64url::encode(&[0; 32]));
        let public_key = PublicKeyCredentialRequestOptions {
            challenge: challenge_of(&token).to_vec(),
            timeout: None,
            rp_id: claims.rp_id.clone(),
            allow_credentials: Vec::new(),
            user_verification: UserVerificationPolicy::Required,
            hints: None,
            extensions: None,
        };
        let options = AssertionOptions { ceremony: claims.ceremony, token: token.clone(), public_key };
        let answer = passkey.assert(&options, lie);
        let evidence = Evidence::StepUp {
            parameters,
            token,
            credential_id: answer.id,
            client_data_json: answer.client_data_json,
            authenticator_data: answer.authenticator_data,
            signature: answer.signature,
        };
        row.evidence = Some(serde_json::to_vec(&evidence).unwrap());
        row.what = serde_json::to_vec(&what).unwrap();
        row
    }

    fn named(&mut self) -> &mut StepUp {
        let Purpose::StepUp(named) = &mut self.claims.purpose else { panic!("a step-up") };
        named
    }

    /// A confirmation of something else, which fits in all its parts.
    pub(super) fn becomes<A: Action>(&mut self, action: &A) {
        self.parameters = canonical_text(action).unwrap();
        let (sentence, outcome) = (action.sentence(Locale::En), Outcome::Confirmed);
        let parameters = hash_of(&self.parameters);
        let named = self.named();
        (named.action, named.target, named.parameters) = (A::KIND, action.target(), parameters);
        named.sentence.clone_from(&sentence);
        self.row.step_up = Some(A::KIND.group().as_str().into());
        self.what = Activity::StepUp { action: A::KIND, outcome, sentence, code: None };
    }

    fn sentence(&mut self) -> &mut String {
        let Activity::StepUp { sentence, .. } = &mut self.what else { panic!("a step-up") };
        sentence
    }
}

/// The rows of a trail, the place of its last confirmed step-up, and what is found once it is forged.
struct Bench {
    real: Real,
    rows: Vec<Row>,
    confirmed: Vec<usize>,
}

impl Bench {
    async fn new() -> Self {
        let real = Real::new().await;
        let rows = real.rows().await;
        let confirmed = (0..rows.len()).filter(|at| Forgery::of(&rows[*at]).is_some()).collect();
        Self { real, rows, confirmed }
    }

    fn last(&self) -> usize {
        *self.confirmed.last().unwrap()
    }

    /// What is found in other rows, their numbers and hashes made to fit.
    fn found_in(&self, mut rows: Vec<Row>, rules: Rules) -> Vec<Fault> {
        for account in rows.chunk_by_mut(|one, next| one.account == next.account) {
            account.iter_mut().zip(1..).for_each(|(row, id)| row.id = id);
        }
        rechain(&mut rows);
        let found = judge(&rows, rules, Heads::default()).1;
        found.into_iter().map(|Finding { fault, .. }| fault).collect()
    }

    /// A token that the server has not signed, for whatever is changed, signed by the owner's own passkey.
    fn found(
        &self,
        change: impl FnOnce(&mut Forgery),
        lie: impl FnOnce(&mut Said),
        rules: Rules,
    ) -> Vec<Fault> {
        let mut rows = self.rows.clone();
        let mut forgery = Forgery::of(&rows[self.last()]).unwrap();
        change(&mut forgery);
        rows[self.last()] = forgery.signed_by(&self.real.passkey, lie);
        rechain(&mut rows);
        let found = judge(&rows, rules, Heads::default()).1;
        let place =
            Place::Event { account: self.real.owner.account.to_string(), event: self.rows[self.last()].id };
        assert!(found.iter().all(|finding| finding.place == place), "{found:?}");
        found.into_iter().map(|Finding { fault, .. }| fault).collect()
    }
}

#[tokio::test]
async fn a_step_up_fits_in_each_of_its_parts() {
    let bench = Bench::new().await;
    let another = |what| Fault::MadeForAnother { what };
    let changes: [(Change, Fault); 19] = [
        (|it| it.claims.purpose = Purpose::Login { jkt: Thumbprint::from_hash(&[1; 32]) }, Fault::Token),
        (|it| it.claims.nonce = Bytes(vec![1; 31]), Fault::Token),
        (|it| it.named().account = AccountId::make([9; 16]), another("account")),
        (|it| it.named().session = SessionId::make([9; 16]), another("session")),
        (|it| it.row.session = Some(SessionId::make([9; 16]).as_str().into()), another("session")),
        (|it| it.row.session = None, another("session")),
        (|it| it.named().action = Kind::PasskeyRemove, another("action")),
        (|it| it.named().target.push('x'), another("target")),
        (|it| it.named().parameters = Bytes(vec![1; 32]), another("parameters")),
        (|it| it.parameters = it.parameters.replacen("mara@", "mera@", 1), another("parameters")),
        (|it| it.named().sentence.push('!'), another("sentence")),
        (|it| it.sentence().push('!'), Fault::Sentence),
        (|it| it.parameters = it.parameters.replacen(':', ": ", 1), Fault::Parameters),
        (|it| it.parameters = "{}".to_owned(), Fault::Parameters),
        (
            |it| {
                it.row.step_up = Some(b"passkey".to_vec());
                let (outcome, sentence) = (Outcome::Confirmed, it.sentence().clone());
                it.what = Activity::StepUp { action: Kind::PasskeyRemove, outcome, sentence, code: None };
            },
            Fault::Parameters,
        ),
        (|it| it.row.step_up = Some(b"passkey".to_vec()), Fault::Unreadable { column: "step_up" }),
        (|it| it.row.step_up = None, Fault::Unreadable { column: "step_up" }),
        (|it| it.row.at_ms = i64::try_from(it.claims.issued_at_ms).unwrap() - 5_001, Fault::Time),
        (|it| it.row.at_ms = i64::try_from(it.claims.expires_at_ms).unwrap(), Fault::Time),
    ];
    for (number, (change, fault)) in changes.into_iter().enumerate() {
        assert_eq!(bench.found(change, |_| {}, Rules::default()), [fault], "change {number}");
    }
    // Clocks of instances are apart.
    let early = |it: &mut Forgery| it.row.at_ms = i64::try_from(it.claims.issued_at_ms).unwrap() - 5_000;
    assert_eq!(bench.found(early, |_| {}, Rules::default()), []);
    let refused = Fault::Assertion;
    let lies: [(Lie, Fault); 11] = [
        (|said| said.client_data["type"] = "webauthn.create".into(), refused(Refusal::WrongType)),
        (|said| said.client_data["challenge"] = "AAAA".into(), refused(Refusal::ChallengeMismatch)),
        (|said| said.client_data["origin"] = "https://other.example".into(), refused(Refusal::ForeignOrigin)),
        (|said| said.client_data["crossOrigin"] = true.into(), refused(Refusal::CrossOrigin)),
        (|said| said.rp_id = "other.example".to_owned(), refused(Refusal::RpIdMismatch)),
        (|said| said.flags = UV | BE | BS, refused(Refusal::UserPresenceMissing)),
        (|said| said.flags = UP | BE | BS, refused(Refusal::UserVerificationMissing)),
        (|said| said.flags = UP | UV, refused(Refusal::BackupEligibilityChanged)),
        (
            |said| said.key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap(),
            refused(Refusal::SignatureInvalid),
        ),
        (|said| said.id.push(1), Fault::UnknownPasskey),
        (|said| said.id.clear(), Fault::UnknownPasskey),
    ];
    for (number, (lie, fault)) in lies.into_iter().enumerate() {
        assert_eq!(bench.found(|_| {}, lie, Rules::default()), [fault], "lie {number}");
    }
}

#[tokio::test]
async fn the_secret_tells_a_token_of_the_server_from_one_of_the_owner_alone() {
    let bench = Bench::new().await;
    assert_eq!(bench.found(|_| {}, |_| {}, Rules::default()), []);
    let keys = |secret: &str| Some(Keyring::new(Secret::new(secret.to_owned()), None));
    let rules = Rules { keys: keys(SECRET), ..Rules::default() };
    assert_eq!(bench.found(|_| {}, |_| {}, rules.clone()), [Fault::Mac]);
    assert_eq!(judge(&bench.rows, rules, Heads::default()).1, []);
    let other = Rules { keys: keys("another secret, of many characters"), ..Rules::default() };
    assert_eq!(judge(&bench.rows, other, Heads::default()).1.len(), bench.confirmed.len());
}

#[tokio::test]
async fn other_origins_are_taken_where_they_are_said() {
    let bench = Bench::new().await;
    let origin = || "https://other.example".to_owned();
    let related = Rules { related_origins: vec![origin()], ..Rules::default() };
    assert_eq!(bench.found(|_| {}, |said| said.client_data["origin"] = origin().into(), related), []);
    let embedding = Rules { embedding_origins: vec![origin()], ..Rules::default() };
    let framed = |said: &mut Said| {
        assert_eq!(said.client_data["origin"], ORIGIN);
        said.client_data["crossOrigin"] = true.into();
        said.client_data["topOrigin"] = origin().into();
    };
    assert_eq!(bench.found(|_| {}, framed, embedding), []);
}

#[tokio::test]
async fn a_ceremony_and_a_nonce_are_used_once() {
    let bench = Bench::new().await;
    let before = Forgery::of(&bench.rows[bench.confirmed[0]]).unwrap().claims;
    let (ceremony, nonce): (CeremonyId, Bytes) = (before.ceremony, before.nonce);
    let found = |change: &dyn Fn(&mut Forgery)| bench.found(change, |_| {}, Rules::default());
    assert_eq!(found(&|it| it.claims.ceremony = ceremony.clone()), [Fault::UsedTwice]);
    assert_eq!(found(&|it| it.claims.nonce = nonce.clone()), [Fault::UsedTwice]);
}

/// A passkey beside the one that was registered in this row, in the session of the other row and at its time.
fn further(registered: &Row, confirmed: &Row) -> Row {
    let evidence = serde_json::from_slice(registered.evidence.as_deref().unwrap()).unwrap();
    let Evidence::Registration { public_key, backup_eligible, .. } = evidence else {
        panic!("a registration")
    };
    let credential_id = Bytes(vec![7; 32]);
    let evidence = Evidence::Registration { credential_id, public_key, backup_eligible };
    let (session, at_ms) = (confirmed.session.clone(), confirmed.at_ms);
    Row { evidence: Some(serde_json::to_vec(&evidence).unwrap()), session, at_ms, ..registered.clone() }
}

#[tokio::test]
async fn a_further_passkey_has_a_step_up_of_its_own() {
    let bench = Bench::new().await;
    let owner = bench.real.owner.account.clone();
    let at = bench.real.enrolment(&bench.rows);
    let mut addition = Forgery::of(&bench.rows[bench.last()]).unwrap();
    addition.becomes(&Addition { account: owner, email: "mara@example.org".to_owned() });
    let addition = addition.signed_by(&bench.real.passkey, |_| {});
    let further = further(&bench.rows[at], &addition);
    let later = |row: &Row, ms: i64| Row { at_ms: addition.at_ms + ms, ..row.clone() };
    let elsewhere = |session: Option<SessionId>| {
        let session = session.map(|session| session.as_str().into());
        Row { session, ..further.clone() }
    };
    // Anything that happens, and no step-up.
    let other = bench.rows[at + 1].clone();
    let unguarded = {
        let (action, outcome) = (Kind::PasskeyRegisterAdditional, Outcome::Unguarded);
        let what = Activity::StepUp { action, outcome, sentence: String::new(), code: None };
        Row { what: serde_json::to_vec(&what).unwrap(), evidence: None, ..addition.clone() }
    };
    let found = |tail: &[&Row], rules: &Rules| {
        let rows = tail.iter().map(|row| (*row).clone());
        bench.found_in([&bench.rows[..bench.last()], &rows.collect::<Vec<_>>()].concat(), rules.clone())
    };
    let cases: [(&str, &[&Row], &[Fault]); 11] = [
        ("in time", &[&addition, &further], &[]),
        ("with something between", &[&addition, &later(&other, 359_999), &later(&further, 359_999)], &[]),
        ("by a clock that is behind", &[&addition, &later(&further, -5_000)], &[]),
        ("none", &[&other, &further], &[Fault::Unconfirmed]),
        ("before it", &[&further, &addition], &[Fault::Unconfirmed]),
        ("once for two", &[&addition, &further, &further], &[Fault::Unconfirmed]),
        ("too late", &[&addition, &later(&further, 360_000)], &[Fault::Unconfirmed]),
        ("too late, and dated back", &[&addition, &later(&other, 360_000), &further], &[Fault::Unconfirmed]),
        ("another session", &[&addition, &elsewhere(Some(SessionId::make([9; 16])))], &[Fault::Unconfirmed]),
        ("no session", &[&addition, &elsewhere(None)], &[Fault::Unconfirmed]),
        ("unguarded", &[&unguarded, &further], &[Fault::Unguarded, Fault::Unconfirmed]),
    ];
    let rules = Rules::default();
    for (case, tail, faults) in cases {
        assert_eq!(found(tail, &rules), faults, "{case}");
    }
    let off = Rules { step_up_off: vec![Kind::PasskeyRegisterAdditional], ..Rules::default() };
    assert_eq!(found(&[&unguarded, &further], &off), []);
    let nowhere = Row { session: None, ..unguarded.clone() };
    assert_eq!(found(&[&nowhere, &elsewhere(None)], &off), [Fault::Unconfirmed]);
}

#[tokio::test]
async fn a_passkey_signs_between_its_registration_and_its_removal() {
    let bench = Bench::new().await;
    let at = bench.real.enrolment(&bench.rows);
    let Activity::PasskeyAdded { passkey, name } = serde_json::from_slice(&bench.rows[at].what).unwrap()
    else {
        panic!("an enrolment")
    };
    let found = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = bench.rows.clone();
        change(&mut rows);
        bench.found_in(rows, Rules::default())
    };
    assert_eq!(found(&|_| {}), []);

    let removed = |passkey| Activity::PasskeyRemoved { passkey, name: name.clone() };
    let insert = |rows: &mut Vec<Row>, at: usize, what: &Activity| {
        let what = serde_json::to_vec(what).unwrap();
        let row = Row { what, evidence: None, step_up: None, ..bench.rows[bench.last()].clone() };
        rows.insert(at, row);
    };
    let mine = removed(passkey);
    assert_eq!(found(&|rows| insert(rows, bench.last(), &mine)), [Fault::RemovedPasskey]);
    assert_eq!(found(&|rows| insert(rows, bench.last() + 1, &mine)), []);
    let others = removed(passkey_of(&bench.real.owner.account));
    assert_eq!(found(&|rows| insert(rows, bench.last(), &others)), []);

    let unknown = vec![Fault::UnknownPasskey; bench.confirmed.len()];
    assert_eq!(found(&|rows| drop(rows.remove(at))), unknown);
    let without = [vec![Fault::Evidence], unknown].concat();
    assert_eq!(found(&|rows| rows[at].evidence = None), without);
    let doubled = found(&|rows| rows.insert(at, rows[at].clone()));
    assert_eq!(doubled, [Fault::Unconfirmed]);

    // Evidence where none belongs, and the other kind of it.
    assert_eq!(found(&|rows| rows[at + 1].evidence = rows[at].evidence.clone()), [Fault::Evidence]);
    assert_eq!(found(&|rows| rows[bench.last()].evidence = rows[at].evidence.clone()), [Fault::Evidence]);
    assert_eq!(found(&|rows| rows[bench.last()].evidence = None), [Fault::Evidence]);
}
