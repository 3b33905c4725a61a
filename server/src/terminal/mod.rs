//! A terminal on the server's own machine, where its operator has switched that on: for administrators, each
//! time with a signature, and proven as every stream is.

mod shell;

use crate::{
    app::App,
    elevation::{self, Asker, Elevated, Perform},
    me, pop,
    problem::Result,
    wire::NoQuery,
};
use axum::{Router, extract::State, response::Response, routing::get};
use holdfast_protocol::{account::Role, problem::Code, step_up::Kind, terminal::Admission};

const PATH: &str = "/v1/streams/terminal";

pub fn routes(app: &App) -> Router<App> {
    if !app.config.terminal {
        return Router::new();
    }
    let stream = pop::Stream::at(PATH).after(Kind::TerminalOpen);
    Router::new()
        .route(PATH, get(open).layer(pop::layer(app, stream)))
        .merge(elevation::routes::<Admission>())
}

impl Perform for Admission {
    async fn check(&self, by: &mut Asker<'_>) -> Result<()> {
        if self.account != by.session.account {
            return Err(Code::NotFound.into());
        }
        if me::role(by.tx, &self.account).await? != Some(Role::Admin) {
            return Err(Code::AdminOnly.into());
        }
        if me::email(by.tx, &self.account).await?.as_deref() != Some(self.email.as_str()) {
            return Err(Code::TargetChanged.into());
        }
        Ok(())
    }

    async fn perform(elevated: &mut Elevated<'_, Self>) -> Result<()> {
        let Asker { tx, session, now_ms, .. } = &mut elevated.by;
        Ok(pop::grant(tx, &session.id, PATH, *now_ms).await?)
    }
}

/// `GET /v1/streams/terminal`.
async fn open(
    State(app): State<App>,
    _: NoQuery,
    connection: pop::Connection,
    upgrade: pop::WebSocketUpgrade,
) -> Result<Response> {
    let mut tx = app.db.look().await?;
    if me::role(&mut tx, connection.account()).await? != Some(Role::Admin) {
        return Err(Code::AdminOnly.into());
    }
    Ok(upgrade.on_upgrade(shell::serve))
}
