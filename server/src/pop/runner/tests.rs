use super::*;
use crate::{
    access::Session,
    clock::Clock,
    config::Config,
    db::Db,
    entropy::Entropy,
    pop::{mailbox::Mailbox, registry::About},
};
use holdfast_protocol::{
    connections::Transport,
    history::Device,
    ids::{AccountId, ConnectionId, PasskeyId, SessionId, Thumbprint},
};

/// Carries nothing anywhere.
#[derive(Default)]
struct Nowhere {
    /// Something always waits for the reader.
    is_blocked: bool,
    /// Who takes something now and then.
    takes: bool,
}

impl Carrier for Nowhere {
    fn poll_receive(&mut self, _: &mut Context<'_>, _: &Clock) -> Poll<Option<Received>> {
        Poll::Pending
    }

    fn deliver(&mut self, _: Message) -> Result<(), Ending> {
        Ok(())
    }

    fn is_stuffed(&self) -> bool {
        false
    }

    fn flow(&mut self, _: Flow) {}

    fn control(&mut self, _: &pop::Message) {}

    fn poll_send(&mut self, _: &mut Context<'_>) -> Sending {
        if self.is_blocked { Sending::Blocked } else { Sending::Idle }
    }

    fn took(&mut self) -> bool {
        self.takes
    }

    fn stop(&mut self, _: Over) {}

    fn say_goodbye(&mut self, _: Option<CloseFrame>, _: Clock) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

async fn app(folder: &tempfile::TempDir) -> App {
    let db = Db::open_sqlite(&folder.path().join("db")).await.unwrap();
    let secret = || crate::secrets::Secret::new("secret ".repeat(5));
    let config = Config::development("http://localhost", secret(), secret());
    App::new(config, db, Clock::manual(0), Entropy::counted(1))
}

fn runner(app: &App) -> (Runner<Nowhere>, Binding) {
    let (account, session) = (AccountId::make([1; 16]), SessionId::make([2; 16]));
    let (id, jkt) = (ConnectionId::make([3; 16]), Thumbprint::from_hash(&[4; 32]));
    let device = Device { browser: "Firefox".to_owned(), system: "Linux".to_owned() };
    let binding = Binding::new("http://localhost", id.clone(), "nonce", jkt.clone()).unwrap();
    let wake = app.live.watch(&account);
    let session = Session {
        id: session,
        passkey: PasskeyId::make([5; 16]),
        account,
        jkt,
        device: device.clone(),
        created_at_ms: 0,
        last_seen_at_ms: 0,
        device_key: None,
    };
    let (stream, transport) = ("/streams/chat".into(), Transport::WebSocket);
    let about = About { id, session, stream, device, transport, opened_at_ms: 0 };
    let registered = app.registry.register(about).unwrap();
    let key = BoundKey(PublicKey { x: [0; 32], y: [0; 32] });
    (Runner::new(app.clone(), registered, key, wake, Nowhere::default()), binding)
}

/// Else a flood of messages, each taken before the clock is looked at, would put off the end.
#[tokio::test]
async fn a_deadline_that_passed_before_a_message_came_is_met_first() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let (mut runner, binding) = runner(&app);
    let opened = Verifier::open(binding, app.config.pop, app.clock.now(), runner.fresh());
    let mut verifier = runner.follow(opened, app.clock.now()).unwrap();
    for (monotonic_ms, standing) in [(9_999, Standing::Unproven), (10_000, Standing::Held)] {
        let at = Now { monotonic_ms, unix_ms: monotonic_ms };
        let ask = Received { at, what: Sent::Control(pop::Message::Ask) };
        verifier = runner.on_received(verifier, ask).unwrap();
        assert_eq!(verifier.standing(), standing);
    }
}

/// A page that reads a long log does so for minutes.
#[tokio::test]
async fn only_a_reader_who_takes_nothing_is_too_slow() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    for takes in [true, false] {
        let (mut runner, _) = runner(&app);
        runner.line.carrier = Nowhere { is_blocked: true, takes };
        let mut ended = false;
        for _ in 0..3 {
            let next = poll_fn(|context| Poll::Ready(runner.line.poll_next(context, u64::MAX))).await;
            ended |= matches!(next, Poll::Ready(Next::End(Ending::Close(Close::TooMuchHeld))));
            app.clock.advance(std::time::Duration::from_secs(6));
        }
        assert_eq!(ended, !takes);
        runner.registered.leave();
    }
}

/// An upload must not end because the session is looked at in the middle of it.
#[tokio::test]
async fn what_comes_while_the_session_is_looked_at_waits() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let (runner, _) = runner(&app);
    let deliver = |flow| {
        let mailbox = Mailbox::new(runner.registered.entry.clone(), app.clock.clone());
        mailbox.flow(flow);
        let all = (0..66).try_for_each(|_| mailbox.deliver(Message::Binary(vec![0; 1024].into())));
        (all, mailbox.is_stuffed())
    };
    assert_eq!(deliver(Flow::Looking), (Ok(()), true));
    assert_eq!(deliver(Flow::Until(9_000)), (Ok(()), true));
    assert_eq!(deliver(Flow::Held).0, Err(Close::TooMuchHeld));
}

/// After a restart every browser is back within moments; none of them may be due when all others are.
#[tokio::test]
async fn the_first_challenge_after_the_opening_is_spread_already() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let (runner, binding) = runner(&app);
    struct AnyKey;
    impl VerifySignature for AnyKey {
        fn verifies(&self, _: &[u8], _: &[u8; 64]) -> bool {
            true
        }
    }
    let mut due: Vec<u64> = (0..400)
        .map(|_| {
            let now = app.clock.now();
            let opened = Verifier::open(binding.clone(), app.config.pop, now, runner.fresh());
            let answer = pop::Message::Answer { sequence: 1, signature: [0; 64] };
            let proven = opened.next.on_message(&answer, &AnyKey, now, runner.fresh());
            proven.next.deadline_ms().unwrap()
        })
        .collect();
    due.sort_unstable();
    assert!(due.first().is_some_and(|first| (25_000..26_000).contains(first)), "{due:?}");
    assert!(due.last().is_some_and(|last| (34_000..=35_000).contains(last)), "{due:?}");
    // In each second about a tenth of them.
    assert!((25..35).all(|second| due.iter().filter(|ms| **ms / 1_000 == second).count() < 80), "{due:?}");
}
