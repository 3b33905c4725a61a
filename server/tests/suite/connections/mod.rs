//! Live connections, over both transports.

mod answers;
mod closing;
mod opening;
mod proving;
mod strangers;
mod viewing;

use holdfast_protocol::connections::Transport;

const BOTH: [Transport; 2] = [Transport::WebSocket, Transport::ServerSentEvents];
/// Longer than an answer may take.
const TOO_LONG_MS: u64 = 10_000;
/// From a success to the next challenge.
const INTERVAL_MS: u64 = 30_000;
