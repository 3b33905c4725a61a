use super::walks::{Walk, Way, prepare};
use crate::support::{
    Access, Answer, Browser, ORIGIN, Said, SoftPasskey, World, endpoints, guarded_facts, passkey_of, run,
};
use holdfast_protocol::{
    ids::{AccountId, PasskeyId},
    passkeys::AssertionOptions,
    problem::{Code, Problem},
    step_up::{Kind, Outcome, StepUpLog, StepUpOptions},
};
use holdfast_server::{config::Config, limits::Rate};
use serde_json::{Value, json};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// Two instances on one database, somebody who is signed in with a real passkey, and an action to walk.
pub struct Stage {
    pub worlds: [World; 2],
    pub passkey: SoftPasskey,
    pub kind: Kind,
    pub walk: Walk,
    browsers: [Browser; 2],
    turn: AtomicUsize,
}

/// The actions that the server mounts, by the table of addresses.
pub fn mounted() -> Vec<Kind> {
    let rows = endpoints().into_iter().filter(|endpoint| endpoint.access == Access::Elevated);
    let paths: Vec<String> = rows.map(|endpoint| endpoint.path).collect();
    Kind::ALL.iter().copied().filter(|kind| paths.iter().any(|path| path == kind.path())).collect()
}

/// Walks every action in each of its ways, each time in a world of its own.
pub async fn each(walk: impl AsyncFn(&Stage)) {
    each_with(|_, _| {}, walk).await;
}

/// The same with another configuration than the tests' usual one.
pub async fn each_with(change: impl Fn(&mut Config, Kind), walk: impl AsyncFn(&Stage)) {
    let kinds = mounted();
    assert!(kinds.len() >= 2, "{kinds:?}");
    for kind in kinds {
        for way in Way::of(kind) {
            walk(&Stage::in_way(kind, way, |config| change(config, kind)).await).await;
        }
    }
}

impl Stage {
    pub async fn new(kind: Kind) -> Self {
        Self::with(kind, |_| {}).await
    }

    pub async fn with(kind: Kind, change: impl Fn(&mut Config)) -> Self {
        Self::in_way(kind, Way::Whole, change).await
    }

    async fn in_way(kind: Kind, way: Way, change: impl Fn(&mut Config)) -> Self {
        let change = |config: &mut Config| {
            let free = Rate { burst: NonZeroU32::MAX, every: Duration::from_millis(1) };
            config.rates.options = free;
            config.rates.session = free;
            change(config);
        };
        let world = World::with(&change).await;
        let beside = world.beside(&change).await;
        let account = world.account().await;
        let passkey = make_real(&world, &account).await;
        let browser = world.sign_in(&account).await;
        let walk = prepare(&world, &account, kind, way).await;
        let browsers = [browser.at(&world), browser.at(&beside)];
        Self { worlds: [world, beside], browsers, passkey, kind, walk, turn: AtomicUsize::new(0) }
    }

    pub fn world(&self) -> &World {
        &self.worlds[0]
    }

    pub fn account(&self) -> &AccountId {
        &self.browsers[0].account
    }

    /// The browser, whose requests go to either instance in turns.
    pub fn browser(&self) -> &Browser {
        &self.browsers[self.turn.fetch_add(1, Ordering::Relaxed) % 2]
    }

    pub async fn preflight(&self) -> Answer {
        self.browser().post(&self.kind.preflight(), &self.walk.parameters).await
    }

    /// A confirmation of the walk's own parameters.
    pub async fn confirmation(&self) -> Value {
        let options: StepUpOptions = self.preflight().await.json();
        confirm(&options, &self.passkey, |_| {})
    }

    /// The body of the action.
    pub fn body(&self, parameters: &Value, confirmation: Option<&Value>) -> Value {
        let mut body = json!({ "parameters": parameters });
        for (name, value) in [("secret", self.walk.secret.as_ref()), ("confirmation", confirmation)] {
            if let Some(value) = value {
                body[name] = value.clone();
            }
        }
        body
    }

    /// As a request of its own, under a key of its own.
    pub async fn act(&self, confirmation: Option<&Value>) -> Answer {
        self.act_under(Some(&self.make_key()), confirmation).await
    }

    /// An `Idempotency-Key` that was not used before.
    pub fn make_key(&self) -> String {
        self.world().app.entropy.make_text()
    }

    pub async fn act_under(&self, key: Option<&str>, confirmation: Option<&Value>) -> Answer {
        let body = self.body(&self.walk.parameters, confirmation);
        self.browser().post_under(key, self.kind.path(), &body).await
    }

    pub async fn act_on(&self, parameters: &Value, confirmation: &Value) -> Answer {
        let body = self.body(parameters, Some(confirmation));
        self.browser().post_under(Some(&self.make_key()), self.kind.path(), &body).await
    }

    /// Another action, in the same world and by the same person.
    pub async fn turn_to(&mut self, kind: Kind) {
        self.walk = prepare(&self.worlds[0], &self.browsers[0].account, kind, Way::Whole).await;
        self.kind = kind;
    }

    /// Everything that the action could change.
    pub async fn facts(&self) -> String {
        guarded_facts(self.world()).await
    }

    pub async fn log(&self) -> StepUpLog {
        self.browser().get("/v1/security/stepup-log?limit=100").await.json()
    }

    /// What became of the step-ups so far, the newest first.
    pub async fn outcomes(&self) -> Vec<(Outcome, Option<String>)> {
        use holdfast_protocol::history::Activity;
        let events = self.log().await.events.into_iter();
        let outcomes = events.map(|event| match event.what {
            Activity::StepUp { action, outcome, code, .. } => {
                assert_eq!(action, self.kind);
                (outcome, code)
            }
            other => panic!("{other:?} is no step-up"),
        });
        outcomes.collect()
    }

    /// It was refused so, was recorded so, and has changed nothing.
    pub async fn assert_refused(&self, answer: &Answer, code: Code, outcome: Outcome, before: &str) {
        assert_eq!(answer.code(), code, "{}: {answer:?}", self.kind);
        let last = self.outcomes().await.into_iter().next();
        assert_eq!(last, Some((outcome, Some(code.as_str().to_owned()))), "{}", self.kind);
        assert_eq!(self.facts().await, before, "{}", self.kind);
    }

    /// It was asked for a confirmation, for this reason and at the right address.
    pub fn assert_asked(&self, answer: &Answer, reason: &str) {
        assert_eq!((answer.status.as_u16(), answer.code()), (403, Code::StepUpRequired), "{answer:?}");
        let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem.reason.as_deref(), Some(reason));
        assert_eq!(problem.preflight, Some(self.kind.preflight()));
    }

    /// It is done, and something has changed.
    pub async fn assert_done(&self, answer: &Answer, before: &str) {
        assert!(answer.status.is_success(), "{}: {answer:?}", self.kind);
        assert_ne!(self.facts().await, before, "{}", self.kind);
    }
}

/// What browser and authenticator make of the options.
pub fn confirm(options: &StepUpOptions, passkey: &SoftPasskey, lie: impl FnOnce(&mut Said)) -> Value {
    let StepUpOptions { ceremony, token, public_key, .. } = options.clone();
    let credential = passkey.assert(&AssertionOptions { ceremony, token, public_key }, lie);
    json!({ "ceremony": options.ceremony, "token": options.token, "credential": credential })
}

/// Puts a real passkey in the place of the one that [`World::account`] makes.
pub async fn make_real(world: &World, account: &AccountId) -> SoftPasskey {
    let mut passkey = SoftPasskey::at(ORIGIN, &world.app.entropy);
    passkey.user_handle = account.as_str().as_bytes().to_vec();
    run!(
        world.app.db,
        "UPDATE passkeys SET credential_id = $1, public_key = $2, backup_eligible = $3, backup_state = $4
         WHERE id = $5",
        passkey.id.as_slice(),
        passkey.cose_key().as_slice(),
        true,
        true,
        passkey_of(account).as_str(),
    );
    passkey
}

/// A further passkey of an account, made now.
pub async fn add_passkey(world: &World, account: &AccountId, name: &str) -> (PasskeyId, SoftPasskey) {
    let id = PasskeyId::make(world.app.entropy.make());
    let mut passkey = SoftPasskey::at(ORIGIN, &world.app.entropy);
    passkey.user_handle = account.as_str().as_bytes().to_vec();
    run!(
        world.app.db,
        "INSERT INTO passkeys (id, account_id, credential_id, public_key, aaguid, sign_count,
                               backup_eligible, backup_state, transports, name, browser, system,
                               created_at_ms)
         SELECT $1, account_id, $2, $3, aaguid, 0, $4, $5, 'internal', $6, browser, system, $7
         FROM passkeys WHERE id = $8",
        id.as_str(),
        passkey.id.as_slice(),
        passkey.cose_key().as_slice(),
        true,
        true,
        name,
        world.app.clock.unix_ms(),
        passkey_of(account).as_str(),
    );
    (id, passkey)
}
