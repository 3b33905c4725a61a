use super::*;
use crate::{
    clock::Clock,
    config::Config,
    connections::{
        queue::{QUEUE, outbound},
        registry::About,
    },
    db::Db,
    entropy::Entropy,
};
use holdfast_protocol::{
    connections::Transport,
    ids::{AccountId, ConnectionId, PasskeyId, SessionId, Thumbprint},
};

fn runner(app: &App, inbound: mpsc::Receiver<Incoming>, outbound: Outbound) -> Runner {
    let (account, session) = (AccountId::make([1; 16]), SessionId::make([2; 16]));
    let (id, jkt) = (ConnectionId::make([3; 16]), Thumbprint::from_hash(&[4; 32]));
    let device = Device { browser: "Firefox".to_owned(), system: "Linux".to_owned() };
    let about = About {
        id: id.clone(),
        account: account.clone(),
        session: session.clone(),
        stream: "/v1/streams/activity",
        device: device.clone(),
        transport: Transport::WebSocket,
        opened_at_ms: 0,
        answers: None,
    };
    Runner {
        registered: app.registry.register(about).unwrap(),
        binding: Binding::new("http://localhost", id, "nonce", jkt.clone()).unwrap(),
        key: BoundKey(PublicKey { x: [0; 32], y: [0; 32] }),
        owed: Owed::after(0),
        held_back: HeldBack::default(),
        wake: app.live.watch(&account),
        stopping: app.live.stopping(),
        session: Session {
            id: session,
            passkey: PasskeyId::make([5; 16]),
            account,
            jkt,
            device: device.clone(),
            created_at_ms: 0,
            last_seen_at_ms: 0,
        },
        device,
        app: app.clone(),
        inbound,
        outbound,
        no_room_since_ms: None,
    }
}

/// Else a flood of messages, each taken before the clock is looked at, would put off the end.
#[tokio::test]
async fn a_deadline_that_passed_before_a_message_came_is_met_first() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open_sqlite(&folder.path().join("db")).await.unwrap();
    let secret = || crate::secrets::Secret::new("secret ".repeat(5));
    let config = Config::development("http://localhost", secret(), secret());
    let app = App::new(config, db, Clock::manual(0), Entropy::counted(1));
    let ((_talk, inbound), (outbound, _heard)) = (mpsc::channel(QUEUE), outbound(0));
    let mut runner = runner(&app, inbound, outbound);

    let opened = Verifier::open(runner.binding.clone(), app.config.pop, app.clock.now(), runner.fresh());
    let mut verifier = runner.follow(opened, app.clock.now()).await.unwrap();
    for (monotonic_ms, standing) in [(9_999, Standing::Unproven), (10_000, Standing::Held)] {
        let at = Now { monotonic_ms, unix_ms: monotonic_ms };
        let ask = Incoming { at, what: Sent::Control(Message::Ask) };
        verifier = runner.on_sent(verifier, ask).await.unwrap();
        assert_eq!(verifier.standing(), standing);
    }
}
