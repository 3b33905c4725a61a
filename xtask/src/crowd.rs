//! The server of wasm-bindgen's test runner hands each connection to a thread: one of the four that it begins with
//! while it counts any of them as idle, else a new one. It counts late. Of six connections that a browser opens at
//! once, two may be queued behind threads that their own connections keep busy for good, and a module that is
//! asked for on one of these never comes. With the four kept busy from the beginning nobody is queued.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    ops::Range,
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// With how many threads the server begins.
const THREADS: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The server takes its port a build later: until then no connection of another program may get it by chance, and the
/// system gives out ports from 32,768 on.
const PORTS: Range<u16> = 20_000..30_000;

/// As many connections as the server has threads, made as soon as it listens and kept until this goes.
pub(crate) struct Crowd {
    /// Where the server is to listen.
    pub(crate) address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn gather() -> io::Result<Self> {
        let address = free_address()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let thread = Some(thread::spawn(move || attend(address, &told)));
        Ok(Self { address, is_over, thread })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// One that nobody listens at now, and another one each time.
fn free_address() -> io::Result<SocketAddr> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Another run beside this one begins elsewhere.
    let begin = process::id().wrapping_mul(31);
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        if usize::from(taken) == PORTS.len() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let place = begin.wrapping_add(taken.into()) % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(place).map_err(io::Error::other)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        match TcpListener::bind(address) {
            Ok(_free) => return Ok(address),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}

fn attend(address: SocketAddr, is_over: &AtomicBool) {
    let mut kept: Vec<TcpStream> = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        // One run's server follows another's at the same address.
        kept.retain(is_open);
        while kept.len() < THREADS {
            let Ok(connection) = TcpStream::connect_timeout(&address, LOOK_EVERY) else { break };
            if connection.set_nonblocking(true).is_ok() {
                kept.push(connection);
            }
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn is_open(connection: &TcpStream) -> bool {
    matches!(connection.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::now;

    #[test]
    fn each_server_at_the_address_gets_its_four_connections() {
        let crowd = Crowd::gather().unwrap();
        for _ in 0..2 {
            let server = listen(crowd.address);
            let came: Vec<_> = (0..THREADS).map(|_| server.accept().unwrap()).collect();
            assert!(came.iter().all(|(connection, _)| is_open_from_here(connection)));
        }
    }

    /// What listened there before is closed here, but a program that another test is starting at this moment keeps
    /// it open until it is loaded.
    fn listen(address: SocketAddr) -> TcpListener {
        let deadline = now() + Duration::from_secs(10);
        loop {
            match TcpListener::bind(address) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && now() < deadline => {
                    thread::sleep(Duration::from_millis(1));
                }
                listening => return listening.unwrap(),
            }
        }
    }

    #[test]
    fn no_address_is_given_twice() {
        let [one, other] = [free_address().unwrap(), free_address().unwrap()];
        assert_ne!(one, other);
        assert!([one, other].iter().all(|address| PORTS.contains(&address.port())));
    }

    fn is_open_from_here(connection: &TcpStream) -> bool {
        connection.set_nonblocking(true).unwrap();
        is_open(connection)
    }
}
