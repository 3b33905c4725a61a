//! A shell in a pseudo-terminal, for as long as its connection lives.

use crate::pop::WebSocket;
use axum::extract::ws::{CloseCode, CloseFrame, Message, close_code};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use holdfast_protocol::terminal::{Ended, Size};
use pty_process::{Command, OwnedReadPty, OwnedWritePty, Pty};
use std::{env, ffi::OsString, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Child,
    time::timeout,
};

/// Until the browser says how large its own is.
const FIRST_SIZE: Size = Size { columns: 80, rows: 24 };
/// What is read from the terminal at once.
const READ_BYTES: usize = 4096;
/// How long what a shell has said last may take to come.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How long a shell may take to end when its terminal is gone.
const END_WITHIN: Duration = Duration::from_secs(2);

/// All that a shell learns of the server's environment, which holds its secrets.
const HANDED_ON: [&str; 8] = ["HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "LC_ALL", "TZ"];

/// Runs a shell until it ends or the connection does.
pub(super) async fn serve(mut socket: WebSocket) {
    let (terminal, mut shell) = match start() {
        Ok(started) => started,
        Err(error) => {
            tracing::error!(%error, "a terminal could not be opened");
            let failed = CloseFrame { code: close_code::ERROR, reason: "no terminal".into() };
            drop(socket.send(Message::Close(Some(failed))).await);
            return;
        }
    };
    let (output, input) = terminal.into_split();
    let (mut to_browser, from_browser) = socket.split();
    let mut shown = Box::pin(show(output, &mut to_browser));
    let refused = tokio::select! {
        () = &mut shown => None,
        refused = typed(from_browser, input) => refused,
        _ = shell.wait() => {
            // What it has said last is still on its way; what it left in the background may hold the line.
            drop(timeout(LAST_WORDS, &mut shown).await);
            None
        }
    };
    // Both halves are gone, so the shell and what it runs are told that their terminal is (SIGHUP).
    drop(shown);
    let ended = timeout(END_WITHIN, shell.wait()).await;
    if ended.is_err() {
        drop(shell.kill().await);
    }
    let last = match (refused, ended) {
        (Some(code), _) => Some(Message::Close(Some(CloseFrame { code, reason: "no size".into() }))),
        (None, Ok(Ok(status))) => {
            serde_json::to_string(&Ended { status: status.code() }).ok().map(Message::text)
        }
        (None, _) => None,
    };
    if let Some(last) = last {
        // Of a connection that is gone nobody hears.
        drop(to_browser.send(last).await);
    }
}

fn start() -> pty_process::Result<(Pty, Child)> {
    let (terminal, end) = pty_process::open()?;
    terminal.resize(size(FIRST_SIZE))?;
    let shell = env::var_os("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
    let handed_on = HANDED_ON.into_iter().filter_map(|name| Some((name, env::var_os(name)?)));
    // A signal that the server ignores, since somebody began it with `nohup` or behind `&`, its shells would ignore, too,
    // and a shell cannot undo that: they would not stop with Ctrl-C and not end with their terminal.
    let command = Command::new("/usr/bin/env").arg("--default-signal").arg(shell);
    let command = command.env_clear().envs(handed_on).env("TERM", "xterm-256color");
    let home = env::var_os("HOME").unwrap_or_else(|| OsString::from("/"));
    let child = command.current_dir(home).kill_on_drop(true).spawn(end)?;
    Ok((terminal, child))
}

fn size(Size { columns, rows }: Size) -> pty_process::Size {
    pty_process::Size::new(rows, columns)
}

/// What the terminal shows, until it or the connection ends.
async fn show(mut output: OwnedReadPty, to_browser: &mut (impl Sink<Message> + Unpin)) {
    let mut bytes = [0; READ_BYTES];
    // Linux answers with an error when nothing is left at the other end.
    while let Ok(length @ 1..) = output.read(&mut bytes).await {
        let Some(shown) = bytes.get(..length) else { return };
        if to_browser.send(Message::binary(shown.to_vec())).await.is_err() {
            return;
        }
    }
}

/// What the person types, until the connection ends or says what it must not.
async fn typed(
    mut from_browser: impl Stream<Item = Result<Message, axum::Error>> + Unpin,
    mut input: OwnedWritePty,
) -> Option<CloseCode> {
    while let Some(Ok(message)) = from_browser.next().await {
        let taken = match message {
            Message::Binary(bytes) => input.write_all(&bytes).await.is_ok(),
            Message::Text(text) => match Size::read(&text) {
                Some(asked) => input.resize(size(asked)).is_ok(),
                None => return Some(close_code::UNSUPPORTED),
            },
            _ => true,
        };
        if !taken {
            return None;
        }
    }
    None
}
