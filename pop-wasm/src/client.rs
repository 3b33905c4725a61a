mod news;

use crate::{
    Connection, End, EventStream, PopError, Status, Subscription,
    address::{Origin, Path, is_method, is_nonce},
    browser::{Pool, unix_s},
    key::{self, Key},
    key_store,
    lifecycle::Lifecycle,
    link::Link,
    lock::Lock,
    proof::{Claims, UnsignedProof},
    status::Listeners,
    tabs::{News, Tabs},
    told::{Kind, Told},
    transport::has_events,
};
use holdfast_protocol::{ids::Thumbprint, pop::SUBPROTOCOL};
use js_sys::Function;
use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

/// What a client is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The only origin that is ever dialled and that proofs name: `location.origin`, as
    /// `https://console.example`.
    pub origin: String,
    /// Gives the session's CSRF token, or a promise of it. By default it is read from the cookie `csrf`,
    /// which workers cannot do.
    pub csrf: Option<Function>,
}

impl Options {
    /// For a page of this origin.
    pub fn new(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), csrf: None }
    }
}

/// The proof-of-possession client of one origin. Clones are the same client.
#[derive(Clone)]
pub struct PopClient(Rc<Inner>);

/// A key that no ceremony has vouched for yet. It is not the client's until [`PopClient::adopt`].
pub struct NewKey(Rc<Key>);

/// Where an adopted key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In IndexedDB: it survives a reload, and every tab has it.
    Stored,
    /// In this page alone, until it is closed or reloaded: the browser stores no keys here.
    MemoryOnly,
}

/// What the key store holds.
enum Found {
    /// Another key than this client had. It is current now.
    Another,
    /// No key, though this client's was put there.
    Nothing,
    /// Nothing new: the same key, or none where none is kept.
    Same,
}

struct Inner {
    origin: Origin,
    csrf: Option<Function>,
    key: RefCell<Option<Rc<Key>>>,
    kept: Cell<Kept>,
    nonce: RefCell<Option<String>>,
    jtis: Pool,
    links: RefCell<Vec<Weak<Link>>>,
    statuses: Listeners,
    /// So that ten connections tell of one sign-out once.
    signed_out: Cell<bool>,
    tabs: RefCell<Option<Tabs>>,
    _lifecycle: Lifecycle,
}

impl PopClient {
    /// Finds the stored key, if there is one. A record that is no key is removed.
    ///
    /// # Errors
    ///
    /// [`PopError::WrongOrigin`] for what is no origin; [`PopError::NotSupported`] without WebCrypto,
    /// as outside of a secure context. A key store that is away is no error: there is no key then.
    pub async fn open(options: Options) -> Result<Self, PopError> {
        let origin = Origin::parse(&options.origin)?;
        if !key::is_supported() {
            return Err(PopError::NotSupported);
        }
        let inner = Rc::new_cyclic(|me: &Weak<Inner>| {
            let me = Weak::clone(me);
            Inner {
                origin,
                csrf: options.csrf,
                key: RefCell::new(None),
                kept: Cell::new(Kept::Stored),
                nonce: RefCell::new(None),
                jtis: Pool::new(),
                links: RefCell::new(Vec::new()),
                statuses: Listeners::new(),
                signed_out: Cell::new(false),
                tabs: RefCell::new(None),
                _lifecycle: Lifecycle::listen(move |moment| {
                    if let Some(inner) = me.upgrade() {
                        Self(inner).on_moment(moment);
                    }
                }),
            }
        });
        let client = Self(inner);
        client.join_tabs();
        client.read_key().await;
        Ok(client)
    }

    /// The thumbprint of the current key.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        self.0.key.borrow().as_ref().map(|key| key.thumbprint().clone())
    }

    /// Makes a fresh key, not extractable. The current one stays current: only a ceremony that names
    /// the new thumbprint can put it in its place, with [`PopClient::adopt`].
    ///
    /// # Errors
    ///
    /// [`PopError::NotSupported`] where the browser makes no P-256 keys.
    pub async fn make_key(&self) -> Result<NewKey, PopError> {
        Ok(NewKey(Rc::new(Key::make().await?)))
    }

    /// The server has accepted the ceremony that vouched for this key: it is current from now on, in
    /// every tab. What earlier connections held back is dropped.
    pub async fn adopt(&self, key: NewKey) -> Result<Kept, PopError> {
        let NewKey(key) = key;
        let kept = {
            let _lock = Lock::of_the_key().await;
            let kept = match key_store::store(&key).await {
                Ok(()) => Kept::Stored,
                Err(_) => {
                    // A reload must find no key rather than one of an earlier session.
                    if let Some(earlier) = self.thumbprint() {
                        let _ = key_store::remove(&earlier).await;
                    }
                    Kept::MemoryOnly
                }
            };
            self.0.kept.set(kept);
            self.tell_tabs(&News::Adopted(key.thumbprint().clone()));
            self.0.key.replace(Some(key));
            kept
        };
        self.on_other_key();
        if kept == Kept::MemoryOnly {
            self.tell(Status::MemoryOnly);
        }
        Ok(kept)
    }

    /// Looks whether another tab has stored a newer key, and takes it. True: it did, and a request
    /// that was refused for its key (`pop_key_replaced`, `pop_foreign_key`, `signed_out`) is worth one
    /// more try.
    pub async fn refresh_key(&self) -> bool {
        let replaced = matches!(self.read_key().await, Found::Another);
        if replaced {
            self.on_replaced();
        }
        replaced
    }

    /// The value of the header `DPoP` for one request (RFC 9449) to this client's origin. Query and
    /// fragment of the path are not part of it.
    ///
    /// # Errors
    ///
    /// [`PopError::NoKey`]; [`PopError::WrongOrigin`] for another origin's address;
    /// [`PopError::BadArgument`] for a method that is no token, or a path that a browser would spell
    /// otherwise; [`PopError::KeyRefused`].
    pub async fn proof(&self, method: &str, path: &str) -> Result<String, PopError> {
        let key = self.key().ok_or(PopError::NoKey)?;
        self.prove(&key, method, &self.0.origin.path(path)?).await
    }

    /// Keeps a nonce for this client's proofs to come: the header `DPoP-Nonce` of any response, a retry's too.
    pub fn note_nonce(&self, nonce: &str) {
        if is_nonce(nonce) {
            self.0.nonce.replace(Some(nonce.to_owned()));
        }
    }

    /// Opens a WebSocket at a path of this origin and keeps it open: tickets, challenges and
    /// reconnection are invisible. `protocols` are the application's own.
    ///
    /// # Errors
    ///
    /// [`PopError::NoKey`], [`PopError::WrongOrigin`], [`PopError::BadArgument`]. What goes wrong
    /// later is told as a [`State`](crate::State).
    pub fn connect(&self, path: &str, protocols: &[&str]) -> Result<Connection, PopError> {
        let mut offered = String::new();
        for (at, protocol) in protocols.iter().enumerate() {
            let known = *protocol == SUBPROTOCOL || protocols[..at].contains(protocol);
            if !is_method(protocol) || known {
                return Err(PopError::BadArgument);
            }
            offered.push(',');
            offered.push_str(protocol);
        }
        Ok(Connection::new(self.link(path, Kind::socket(offered))?))
    }

    /// Opens a stream of server-sent events at a path of this origin, likewise.
    ///
    /// # Errors
    ///
    /// As [`PopClient::connect`]; and [`PopError::NotSupported`] where the browser has no `EventSource`.
    pub fn stream(&self, path: &str) -> Result<EventStream, PopError> {
        Ok(EventStream::new(self.events_link(path)?))
    }

    /// Signing out: removes the key from memory and IndexedDB, ends every connection, tells the other
    /// tabs. A newer key of another tab stays.
    ///
    /// # Errors
    ///
    /// [`PopError::StorageRefused`] when the stored key could not be removed; it is forgotten here and
    /// by the other tabs all the same.
    pub async fn destroy(&self) -> Result<(), PopError> {
        let _lock = Lock::of_the_key().await;
        self.0.signed_out.set(true);
        let key = self.0.key.take();
        self.each_link(&|link| link.end(End::SignedOut));
        let Some(key) = key else { return Ok(()) };
        let removed = key_store::remove(key.thumbprint()).await;
        self.tell_tabs(&News::Destroyed(key.thumbprint().clone()));
        match (removed, self.0.kept.get()) {
            (Err(_), Kept::Stored) => Err(PopError::StorageRefused),
            _ => Ok(()),
        }
    }

    /// Listens to what happens to key and session.
    pub fn on_status(&self, listener: impl Fn(Status) + 'static) -> Subscription {
        self.on_told(move |told| {
            if let Told::Status(status) = told {
                listener(*status);
            }
        })
    }

    pub(crate) fn on_told(&self, listener: impl Fn(&Told) + 'static) -> Subscription {
        self.0.statuses.add(listener)
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub(crate) fn csrf(&self) -> Option<&Function> {
        self.0.csrf.as_ref()
    }

    pub(crate) fn key(&self) -> Option<Rc<Key>> {
        self.0.key.borrow().clone()
    }

    pub(crate) async fn prove(&self, key: &Key, method: &str, path: &Path) -> Result<String, PopError> {
        key.prove(self.unsigned_proof(key, method, path)?).await
    }

    pub(crate) fn unsigned_proof(
        &self,
        key: &Key,
        method: &str,
        path: &Path,
    ) -> Result<UnsignedProof, PopError> {
        if !is_method(method) {
            return Err(PopError::BadArgument);
        }
        let nonce = self.0.nonce.borrow();
        let claims = Claims {
            jti: self.0.jtis.take()?,
            method,
            origin: &self.0.origin,
            path,
            iat_s: unix_s(),
            nonce: nonce.as_deref(),
        };
        Ok(UnsignedProof::new(key.proof_head(), &claims))
    }

    pub(crate) fn tell(&self, status: Status) {
        if status == Status::SignedOut && self.0.signed_out.replace(true) {
            return;
        }
        self.0.statuses.tell(&Told::Status(status));
    }

    pub(crate) fn events_link(&self, path: &str) -> Result<Rc<Link>, PopError> {
        if has_events() { self.link(path, Kind::events()) } else { Err(PopError::NotSupported) }
    }

    pub(crate) fn link(&self, path: &str, kind: Kind) -> Result<Rc<Link>, PopError> {
        let path = self.0.origin.path(path)?;
        if self.0.key.borrow().is_none() {
            return Err(PopError::NoKey);
        }
        let link = Link::start(self, path, kind);
        let mut links = self.0.links.borrow_mut();
        links.retain(|link| link.strong_count() > 0);
        links.push(Rc::downgrade(&link));
        Ok(link)
    }

    /// Over a copy: what is called may open and drop connections.
    fn each_link(&self, act: &dyn Fn(&Link)) {
        let links: Vec<Rc<Link>> = self.0.links.borrow().iter().filter_map(Weak::upgrade).collect();
        for link in links {
            act(&link);
        }
    }

    /// Takes the stored key, if it is another one. A store that was wiped takes nothing away by itself: the
    /// key in memory still works.
    async fn read_key(&self) -> Found {
        let _lock = Lock::of_the_key().await;
        match key_store::load().await {
            Ok(Some(found)) if self.thumbprint().as_ref() != Some(found.thumbprint()) => {
                self.0.key.replace(Some(Rc::new(found)));
                self.0.kept.set(Kept::Stored);
                Found::Another
            }
            Ok(None) if self.0.kept.get() == Kept::Stored => Found::Nothing,
            Ok(_) | Err(_) => Found::Same,
        }
    }

    fn on_replaced(&self) {
        self.on_other_key();
        self.tell(Status::KeyReplaced);
    }

    fn on_other_key(&self) {
        self.0.signed_out.set(false);
        self.each_link(&Link::on_key_replaced);
    }
}

impl NewKey {
    #[cfg(feature = "js")]
    pub(crate) fn key(&self) -> Rc<Key> {
        Rc::clone(&self.0)
    }

    /// For the ceremony's token, and to hold the token against.
    pub fn thumbprint(&self) -> &Thumbprint {
        self.0.thumbprint()
    }

    /// A proof with this key, for the request that ends the ceremony.
    ///
    /// # Errors
    ///
    /// As [`PopClient::proof`].
    pub async fn proof(&self, client: &PopClient, method: &str, path: &str) -> Result<String, PopError> {
        client.prove(&self.0, method, &client.0.origin.path(path)?).await
    }
}

impl PartialEq for PopClient {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl core::fmt::Debug for PopClient {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PopClient")
    }
}

impl core::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("NewKey")
    }
}
