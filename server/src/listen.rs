//! Takes connections and hangs up on who does nothing with them: an unfinished request head, an idle
//! connection and a reader who does not read are let go, and no source takes every place.

use crate::{app::App, config::Config, live::Live};
use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt as _;

/// What a client is given.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For a reader who takes nothing of what was sent.
    pub unread: Duration,
    /// Connections at once.
    pub connections: usize,
}

/// The longest head of a request, and the most that is written ahead of a slow reader.
const BUFFER_BYTES: usize = 16 * 1024;
/// Left to the database, the log and what else the program opens.
const FILES_KEPT: usize = 128;
/// Where nobody says how many.
const CONNECTIONS: usize = 65_536;
/// With fewer, one browser would fill its source's share.
pub const CONNECTIONS_AT_LEAST: usize = 64;

impl Patience {
    /// With as many connections as are wanted and the system lets this process have.
    pub fn with(config: &Config) -> Self {
        let wanted = config.connections.unwrap_or(CONNECTIONS);
        let connections = wanted.min(files(wanted.saturating_add(FILES_KEPT)).saturating_sub(FILES_KEPT));
        if config.connections.is_some() && connections < wanted {
            tracing::warn!(
                wanted,
                connections,
                "the system's limit of open files allows no more connections"
            );
        }
        Self {
            // A proxy keeps its connections for the next request, and must not find one closed.
            head: Duration::from_secs(if config.trust_proxy > 0 { 75 } else { 15 }),
            unread: Duration::from_secs(20),
            connections: connections.max(CONNECTIONS_AT_LEAST),
        }
    }
}

/// Raises the limit of open files up to this, and says what it is then.
fn files(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(u64::try_from(wanted).unwrap_or(u64::MAX));
    // Where it cannot be asked, what every system gives.
    usize::try_from(limit.unwrap_or(1024)).unwrap_or(usize::MAX)
}

/// Serves the app by this router until the app is stopping, and then until what is under way has ended.
pub async fn serve(listener: TcpListener, router: Router, app: App, patience: Patience) {
    let places = Places::new(patience.connections, app.config.trust_proxy > 0);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping(&app.live) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match places.take(peer.ip()) {
                Some(seat) => {
                    let client = Client { stream, peer, seat };
                    connections.spawn(connection(client, router.clone(), app.live.clone(), patience));
                }
                // Closed at once: whoever waits in line here only waits longer.
                None => tracing::debug!("too many connections; one more was turned away"),
            },
            Err(error) => {
                tracing::error!(%error, "no connection can be taken");
                // Most often the files have run out, and asking again at once would only burn a core.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn stopping(live: &Live) {
    // The sender is the app's, so this cannot fail.
    let _stopping = live.stopping().wait_for(|stopping| *stopping).await.is_ok();
}

struct Client {
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
}

async fn connection(client: Client, router: Router, live: Live, patience: Patience) {
    let Client { stream, peer, seat } = client;
    if let Err(error) = prepare(&stream, patience) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(seat.clone());
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopping(&live) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

fn prepare(stream: &TcpStream, patience: Patience) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // The system closes a connection whose other end takes nothing for so long, or is not there any more.
    SockRef::from(stream).set_tcp_user_timeout(Some(patience.unread))
}

/// Who holds how many connections.
#[derive(Clone)]
struct Places(Arc<Inner>);

struct Inner {
    taken: Mutex<Taken>,
    all: usize,
    of_one_source: usize,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// A connection's place among all. Whoever takes the connection over from HTTP takes it along; the place
/// is free when the last copy is dropped.
#[derive(Clone)]
pub struct Seat {
    /// Held, never read.
    _place: Arc<Place>,
}

struct Place {
    places: Places,
    source: IpAddr,
}

impl Places {
    /// Behind a proxy every connection comes from the proxy, which may have them all.
    fn new(all: usize, behind_proxy: bool) -> Self {
        let of_one_source = if behind_proxy { all } else { all.div_ceil(4) };
        Self(Arc::new(Inner { taken: Mutex::default(), all, of_one_source }))
    }

    fn take(&self, source: IpAddr) -> Option<Seat> {
        let source = subscriber(source);
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = taken.by_source.get(&source).copied().unwrap_or_default();
        if taken.all >= self.0.all || of_source >= self.0.of_one_source {
            return None;
        }
        taken.all += 1;
        taken.by_source.insert(source, of_source + 1);
        Some(Seat { _place: Arc::new(Place { places: self.clone(), source }) })
    }
}

/// Whoever has one address of IPv6 has all those of its network.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_source) = taken.by_source.get_mut(&self.source) {
            *of_source = of_source.saturating_sub(1);
            if *of_source == 0 {
                taken.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_source_takes_every_place_and_a_place_that_is_left_is_free() {
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let places = Places::new(8, false);
        let held = [places.take(one), places.take(one)];
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(one).is_none());
        assert!(places.take(other).is_some());
        drop(held);
        assert!(places.take(one).is_some());
        assert!(places.0.taken.lock().unwrap().by_source.is_empty());

        let network = |last| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let held = [places.take(network(1)), places.take(network(2))];
        assert!(held.iter().all(Option::is_some));
        assert!(places.take(network(3)).is_none());
        drop(held);

        let proxied = Places::new(2, true);
        let held = [proxied.take(one), proxied.take(one)];
        assert!(held.iter().all(Option::is_some));
        assert!(proxied.take(other).is_none());
    }
}
