use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result};
use holdfast_protocol::base64url;
use holdfast_server::secrets::sha256;
use rcgen::{CertifiedKey, PublicKeyData as _, generate_simple_self_signed};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};

/// TLS before a server, with a certificate of its own that nobody else has signed.
pub(super) struct Tls {
    pub(super) port: u16,
    /// Of the certificate: the SHA-256 of its public key, in base64.
    pub(super) key_hash: String,
    runtime: Option<Runtime>,
}

impl Tls {
    /// Takes a free port, and passes on what comes there.
    pub(super) fn before(server: SocketAddr) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
        let port = listener.local_addr()?.port();
        listener.set_nonblocking(true)?;
        let (acceptor, key_hash) = acceptor().context("make a certificate")?;
        runtime.spawn(async move { serve(TcpListener::from_std(listener)?, acceptor, server).await });
        Ok(Self { port, key_hash, runtime: Some(runtime) })
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

/// And the hash of its key.
fn acceptor() -> Result<(TlsAcceptor, String)> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    let hash = base64url::encode(&sha256(&signing_key.subject_public_key_info()));
    // The other alphabet.
    let hash = hash.replace('-', "+").replace('_', "/") + "=";
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.into()], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), hash))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, server: SocketAddr) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        // What goes wrong with a connection is the browser's to notice.
        tokio::spawn(async move {
            let mut outside = acceptor.accept(stream).await?;
            let mut inside = TcpStream::connect(server).await?;
            copy_bidirectional(&mut outside, &mut inside).await
        });
    }
}
