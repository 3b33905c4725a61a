//! The shell of one connection: runs the machine's effects against the browser.

mod sharing;

use crate::{
    End, PopClient, PopError, State, Status, Subscription,
    address::{Address, Path},
    browser::{Timer, function, now_ms, random, random_u32},
    effect::{Attempt, Effect, KeyCheck, Line, NotDialled},
    http::{self, Delivery},
    key::{Key, signature_bytes},
    machine::{Input, Machine},
    quarantine::Quarantine,
    share::Share,
    signing::{Job, Signing},
    status::Listeners,
    task::spawn,
    told::{Kind, Told},
    transport::{Signal, Transport, Wire},
};
use holdfast_protocol::{
    base64url,
    ids::ConnectionId,
    pop::{Binding, Frame, Message, Standing, escape, unescape},
};
use js_sys::Function;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};
use wasm_bindgen::JsValue;

pub(crate) struct Link {
    me: Weak<Link>,
    client: PopClient,
    path: Path,
    kind: Kind,
    machine: RefCell<Machine>,
    dialled: RefCell<Option<Dialled>>,
    /// Of the attempt under way, to tell whether there is a newer one.
    key: RefCell<Option<Rc<Key>>>,
    timer: Timer,
    signing: Signing,
    /// Made once, so that a challenge makes none.
    signed: Function,
    state: Cell<State>,
    /// The browser's own, of the newest transport.
    wire: RefCell<Option<Wire>>,
    listeners: Listeners,
    /// With the other tabs.
    share: RefCell<Option<Share>>,
    held_in: RefCell<Quarantine<Told>>,
    held_out: RefCell<Quarantine<Told>>,
}

/// One attempt's transport and the key that answers on it.
struct Dialled {
    transport: Transport,
    connection: ConnectionId,
    key: Rc<Key>,
}

impl Link {
    pub(crate) fn start(client: &PopClient, path: Path, kind: Kind) -> Rc<Self> {
        let link = Rc::new_cyclic(|me: &Weak<Link>| {
            let on = |act: fn(&Link, u32, JsValue)| {
                let me = Weak::clone(me);
                function(move |kind, value| {
                    if let Some(link) = me.upgrade() {
                        act(&link, kind, value);
                    }
                })
            };
            Link {
                me: Weak::clone(me),
                client: client.clone(),
                path,
                machine: RefCell::new(Machine::new(random_u32, kind.dialling)),
                kind,
                dialled: RefCell::new(None),
                timer: Timer::new(on(|link, _, _| link.on_timer())),
                key: RefCell::new(None),
                signing: Signing::default(),
                signed: on(|link, refused, signature| {
                    link.on_signed((refused == 0).then(|| signature_bytes(&signature)));
                }),
                state: Cell::new(State::Connecting),
                wire: RefCell::new(None),
                listeners: Listeners::new(),
                share: RefCell::new(None),
                held_in: RefCell::new(Quarantine::new()),
                held_out: RefCell::new(Quarantine::new()),
            }
        });
        link.step(Input::Start);
        link
    }

    pub(crate) fn state(&self) -> State {
        self.state.get()
    }

    fn attempt(&self) -> Attempt {
        self.machine.borrow().attempt()
    }

    pub(crate) fn on_told(&self, listener: impl Fn(&Told) + 'static) -> Subscription {
        self.listeners.add(listener)
    }

    pub(crate) fn send_text(&self, text: &str) -> Result<(), PopError> {
        self.send(Told::Text(escape(text).unwrap_or_else(|| text.to_owned())))
    }

    pub(crate) fn send_bytes(&self, bytes: &[u8]) -> Result<(), PopError> {
        self.send(Told::Bytes(bytes.to_vec()))
    }

    /// What waits to be sent until the connection is proven, in bytes.
    #[cfg(feature = "js")]
    pub(crate) fn held_bytes(&self) -> u32 {
        u32::try_from(self.held_out.borrow().bytes()).unwrap_or(u32::MAX)
    }

    fn send(&self, outgoing: Told) -> Result<(), PopError> {
        if self.machine.borrow().has_ended() {
            return Err(PopError::Ended);
        }
        if self.flows(&self.held_out) {
            self.send_now(&outgoing);
            return Ok(());
        }
        let length = match &outgoing {
            Told::Text(text) => text.len(),
            Told::Bytes(bytes) => bytes.len(),
            Told::Status(_) | Told::State(_) | Told::Event { .. } => return Ok(()),
        };
        self.held_out.borrow_mut().hold(outgoing, length).map_err(|_| PopError::TooMuchHeld)
    }

    fn send_now(&self, outgoing: &Told) {
        if let Some(Dialled { transport, .. }) = &*self.dialled.borrow() {
            match outgoing {
                Told::Text(text) => drop(transport.send_text(text)),
                Told::Bytes(bytes) => transport.send_bytes(bytes),
                Told::Status(_) | Told::State(_) | Told::Event { .. } => {}
            }
        }
    }

    fn flows(&self, held: &RefCell<Quarantine<Told>>) -> bool {
        self.machine.borrow().standing() == Standing::Proven && held.borrow().is_empty()
    }

    /// With what the application at the other end shall hear, which says that all before it has arrived: without a
    /// word where something is held back, and where the connection is not proven.
    pub(crate) fn close_with(&self, code: u16, reason: &str) {
        if self.flows(&self.held_out)
            && let Some(dialled) = &*self.dialled.borrow()
        {
            dialled.transport.close_with(code, reason);
        }
        self.end(End::Closed);
    }

    /// The browser's `WebSocket` or `EventSource` that was dialled last, be it closed. What says how that ended
    /// is its `closed`, a `CloseEvent`.
    pub(crate) fn wire(&self) -> Option<Wire> {
        self.wire.borrow().clone()
    }

    pub(crate) fn end(&self, why: End) {
        self.step(Input::End(why));
    }

    /// The page has let go of its handle: nobody listens any more.
    pub(crate) fn abandon(&self) {
        self.listeners.clear();
        self.end(End::Closed);
    }

    pub(crate) fn on_wake(&self) {
        let open = self.dialled.borrow().as_ref().is_some_and(|dialled| dialled.transport.is_open());
        let line = if open { Line::Up } else { Line::Down };
        self.step(Input::Wake(line));
    }

    pub(crate) fn on_sleep(&self) {
        self.step(Input::Sleep);
    }

    pub(crate) fn on_key_replaced(&self) {
        self.step(Input::KeyReplaced);
    }

    fn on_timer(&self) {
        self.timer.fired();
        self.step(Input::Deadline);
    }

    /// One input: the machine decides, then the effects happen. Nothing is borrowed while the page
    /// is called, since it may call back.
    fn step(&self, input: Input<'_>) {
        let now_ms = now_ms();
        let effects = self.machine.borrow_mut().on(input, now_ms);
        self.timer.arm(self.machine.borrow().deadline_ms(), now_ms);
        for effect in effects {
            self.run(effect);
        }
    }

    fn run(&self, effect: Effect) {
        match effect {
            Effect::Ask => self.send_control(&Message::Ask),
            Effect::Report(state) => {
                self.state.set(state);
                if state == State::Ended(End::SignedOut) {
                    self.client.tell(Status::SignedOut);
                }
                self.tell(&Told::State(state));
            }
            Effect::Release => self.release(),
            Effect::HangUp => drop(self.dialled.borrow_mut().take()),
            Effect::Drop => {
                self.held_in.borrow_mut().clear();
                self.held_out.borrow_mut().clear();
            }
            Effect::Join => self.join(),
            Effect::AskLeader | Effect::WakeLeader | Effect::TakeLead => self.to_the_others(effect),
            Effect::Leave => drop(self.share.take()),
            Effect::Mint(attempt) => self.later(|link| async move { link.mint(attempt).await }),
            Effect::CheckKey(attempt) => self.later(|link| async move { link.check_key(attempt).await }),
        }
    }

    /// Goes on with a handle of its own; the page may let go of its one meanwhile.
    fn later<F: Future<Output = ()> + 'static>(&self, work: impl FnOnce(Rc<Link>) -> F) {
        if let Some(link) = self.me.upgrade() {
            spawn(work(link));
        }
    }

    async fn mint(&self, attempt: Attempt) {
        if let Err(why) = self.dial(attempt).await {
            self.step(Input::NotDialled(attempt, why));
        }
    }

    async fn dial(&self, attempt: Attempt) -> Result<(), NotDialled> {
        let key = self.client.key().ok_or(NotDialled::NoKey)?;
        *self.key.borrow_mut() = Some(Rc::clone(&key));
        let client_nonce = {
            let mut bytes = [0; 32];
            random(&mut bytes).map_err(|_| NotDialled::NoKey)?;
            base64url::encode(&bytes)
        };
        let ticket = http::ticket(&self.client, &key, &self.path, &client_nonce).await?;
        let origin = self.client.origin();
        let binding =
            Binding::new(origin.as_str(), ticket.connection.clone(), &client_nonce, key.thumbprint().clone())
                .map_err(|_| NotDialled::Refused)?;
        if !self.machine.borrow_mut().on_dialled(attempt, binding) {
            return Ok(());
        }
        let me = Weak::clone(&self.me);
        let tell = function(move |kind, what| {
            // What an earlier transport still tells is nobody's.
            if let Some(link) = me.upgrade()
                && link.attempt() == attempt
                && let Some(signal) = Signal::of(kind, &what)
            {
                link.on_signal(signal);
            }
        });
        let address = Address { origin, path: &self.path, ticket: &ticket.secret };
        let transport = Transport::dial(&address, self.kind.dialling, &self.kind.names.borrow(), tell);
        match transport {
            Some(transport) => {
                self.wire.replace(Some(transport.wire()));
                let dialled = Dialled { transport, connection: ticket.connection, key };
                *self.dialled.borrow_mut() = Some(dialled);
            }
            // The browser will not have it: names of subprotocols that are none, or a policy of the page.
            None => self.end(End::Refused),
        }
        Ok(())
    }

    async fn check_key(&self, attempt: Attempt) {
        let _ = self.client.refresh_key().await;
        let used = self.key.borrow().as_ref().map(|key| key.thumbprint().clone());
        let now = self.client.thumbprint();
        let found = if now.is_some() && now != used { KeyCheck::Newer } else { KeyCheck::Same };
        self.step(Input::KeyChecked(attempt, found));
    }

    fn on_signal(&self, signal: Signal) {
        match signal {
            Signal::Text(text) => match unescape(&text) {
                Frame::Control(control) => self.on_control(control),
                Frame::Application(text) => self.deliver(Told::Text(text.to_owned()), text.len()),
            },
            Signal::Control(control) => self.on_control(&control),
            Signal::Bytes(bytes) => {
                let length = bytes.len();
                self.deliver(Told::Bytes(bytes), length);
            }
            Signal::Event { name, data, id } => {
                let length = name.len() + data.len();
                self.deliver(Told::Event { name, data, id }, length);
            }
            Signal::Opened => self.step(Input::Opened),
            Signal::Lost(code) => self.step(Input::Lost(code)),
        }
    }

    fn on_control(&self, text: &str) {
        match Message::of_server(text) {
            Ok(Message::Challenge(challenge)) => {
                let answer = self.machine.borrow_mut().on_challenge(&challenge);
                match answer {
                    Some(Ok(to_sign)) => {
                        self.sign(Job { attempt: self.attempt(), to_sign });
                    }
                    Some(Err(refusal)) => self.send_control(&refusal),
                    None => {}
                }
            }
            Ok(message) => self.step(Input::Control(&message)),
            Err(_) => self.step(Input::Nonsense),
        }
    }

    fn sign(&self, job: Job) {
        let key = self.dialled.borrow().as_ref().map(|dialled| Rc::clone(&dialled.key));
        let Some(key) = key else { return };
        self.signing.begin(job, |to_sign| key.answer(to_sign, &self.signed));
    }

    fn on_signed(&self, signature: Option<[u8; 64]>) {
        let (done, next) = self.signing.finish();
        // The connection may have been replaced while the browser signed.
        let current = |job: &Job| job.attempt == self.attempt();
        if let Some(done) = done.filter(current) {
            self.send_control(&done.answer(signature));
        }
        if let Some(next) = next.filter(current) {
            self.sign(next);
        }
    }

    fn send_control(&self, message: &Message) {
        let dialled = self.dialled.borrow();
        let Some(dialled) = &*dialled else { return };
        if dialled.transport.send_text(&message.to_frame()) {
            return;
        }
        let (connection, message) = (dialled.connection.clone(), message.clone());
        let key = Rc::clone(&dialled.key);
        let attempt = self.attempt();
        self.later(|link| async move {
            let delivery = http::deliver(&link.client, &key, &connection, &message).await;
            if delivery == Delivery::NoConnection && attempt == link.attempt() {
                link.step(Input::Lost(1006));
            }
        });
    }

    fn deliver(&self, told: Told, length: usize) {
        if self.flows(&self.held_in) {
            self.tell(&told);
            return;
        }
        if self.held_in.borrow_mut().hold(told, length).is_err() {
            self.step(Input::Nonsense);
        }
    }

    /// In order, and only for as long as it stays proven: the page may close it in between.
    fn release(&self) {
        let proven = || self.machine.borrow().standing() == Standing::Proven;
        while proven() {
            let next = self.held_out.borrow_mut().next();
            let Some(next) = next else { break };
            self.send_now(&next);
        }
        while proven() {
            let next = self.held_in.borrow_mut().next();
            let Some(next) = next else { break };
            self.tell(&next);
        }
    }
}
