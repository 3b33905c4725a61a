//! The PostgreSQL of the test run: one server, a database for each test, nothing left behind.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result};
use holdfast_tests::postgres::fresh_database;

#[tokio::test]
async fn every_test_gets_a_database_of_its_own_on_one_server() {
    let (one, other) = tokio::try_join!(fresh_database(), fresh_database()).unwrap();
    assert_ne!(one, other);
    assert_eq!(server_of(&one).unwrap(), server_of(&other).unwrap());
}

#[tokio::test]
async fn the_server_answers_postgres_on_loopback() {
    let url = fresh_database().await.unwrap();
    let mut stream = TcpStream::connect(server_of(&url).unwrap()).unwrap();
    // SSLRequest, the one message that a server answers before anything is known (PostgreSQL
    // documentation, "Message Formats"): `N`, no TLS here.
    stream.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"N");
}

fn server_of(url: &str) -> Result<&str> {
    let (_, after) = url.split_once('@').context("an address has a user")?;
    Ok(after.split_once('/').context("an address has a database")?.0)
}
