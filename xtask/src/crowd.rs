//! The server of wasm-bindgen's test runner hands each connection to a thread: one of the four that it begins with
//! while it counts any of them as idle, else a new one. It counts late. Of six connections that a browser opens at
//! once, two may be queued behind threads that their own connections keep busy for good, and a module that is
//! asked for on one of these never comes. With the four kept busy from the beginning nobody is queued.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// With how many threads the server begins.
const THREADS: usize = 4;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// As many connections as the server has threads, made as soon as it listens and kept until this goes.
pub(crate) struct Crowd {
    /// Where the server is to listen.
    pub(crate) address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn gather() -> io::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
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

    #[test]
    fn each_server_at_the_address_gets_its_four_connections() {
        let crowd = Crowd::gather().unwrap();
        for _ in 0..2 {
            let server = TcpListener::bind(crowd.address).unwrap();
            let came: Vec<_> = (0..THREADS).map(|_| server.accept().unwrap()).collect();
            assert!(came.iter().all(|(connection, _)| is_open_from_here(connection)));
        }
    }

    fn is_open_from_here(connection: &TcpStream) -> bool {
        connection.set_nonblocking(true).unwrap();
        is_open(connection)
    }
}
