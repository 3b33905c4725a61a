use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::{Router, middleware};
use holdfast_server::{
    app::App,
    clock::Clock,
    config::Config,
    entropy::Entropy,
    listen::{Patience, serve},
    live, router,
};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::store::Store;
use super::wire::{self, Wire};

/// A running server on threads of its own, so that no test keeps it waiting.
pub(super) struct Server {
    pub(super) app: App,
    serving: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

/// How long a graceful stop may take.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

impl Server {
    pub(super) async fn start(
        config: Config,
        clock: Clock,
        address: SocketAddr,
        store: &Store,
        wire: &Wire,
        theirs: impl FnOnce(&App) -> Router,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = store.clone();
        let opening = runtime.spawn(async move {
            let app = App::new(config, store.open().await?, clock, Entropy::system());
            live::listen(&app).await.context("listen to other instances")?;
            anyhow::Ok((app, listen(address)?))
        });
        let (app, listener) = opening.await.context("wait for the server")??;
        let site = theirs(&app)
            .fallback_service(router(app.clone()))
            .layer(middleware::from_fn_with_state(wire.clone(), wire::tap));
        let serving = runtime.spawn(serve(listener, site, app.clone(), Patience::with(&app.config)));
        Ok(Self { app, serving: Some(serving), runtime: Some(runtime) })
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        self.app.live.stop();
        let serving = self.serving.take().context("it is stopped once")?;
        timeout(STOPS_WITHIN, serving).await.context("the server does not stop")??;
        timeout(STOPS_WITHIN, self.app.live.all_closed()).await.context("a connection stays open")?;
        timeout(STOPS_WITHIN, self.app.db.close()).await.context("the database is kept open")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server")
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // The next server listens before this one stops.
    socket.set_reuseport(true)?;
    socket.bind(address).with_context(|| format!("bind {address}"))?;
    socket.listen(1024).with_context(|| format!("listen on {address}"))
}
