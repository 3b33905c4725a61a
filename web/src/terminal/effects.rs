use super::{
    screen::{self, Hears, NotDrawn, Screen, Script},
    state::{Action, Over, Phase, Terminal},
    text,
};
use crate::store::{Store, at_end, use_effect_of, use_store};
use crate::{
    api::Api,
    browser, json,
    step_up::{Confirm, Stopped},
};
use holdfast_pop::{Connection, Data, PopError, Subscription};
use holdfast_protocol::{
    account::AccountView,
    terminal::{Admission, Ended, Size},
};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::{Callback, hook, use_mut_ref};

const STREAM: &str = "/v1/streams/terminal";
/// A message has at most 64 KiB; what is pasted goes in pieces.
const PIECE_BYTES: usize = 16 * 1024;

/// Where the screen stands.
pub(super) const SCREEN: &str = "terminal-screen";
/// The button that opens one, and gets the focus back.
pub(super) const OPENER: &str = "terminal-open";
/// Where the focus goes when the person leaves the screen by keys.
pub(super) const BESIDE: &str = "terminal-copy";

/// What the view needs.
pub(super) struct Handles {
    pub(super) terminal: Store<Terminal>,
    pub(super) ask: Callback<()>,
    pub(super) end: Callback<()>,
    pub(super) copy: Callback<()>,
}

/// An open terminal. What its screen tells goes by way of the cell that this lies in.
struct Open {
    screen: Screen,
    connection: Connection,
    _heard: [Subscription; 2],
}

type Cell = Rc<RefCell<Option<Open>>>;

#[hook]
pub(super) fn use_terminal(api: &Api, account: &AccountView, confirm: &Confirm) -> Handles {
    let terminal = use_store(Terminal::new);
    let script = use_mut_ref(|| None::<Script>);
    let cell: Cell = use_mut_ref(|| None);
    {
        let (api, terminal) = (api.clone(), terminal.clone());
        let (script, cell) = (script.clone(), cell.clone());
        use_effect_of(terminal.opened, move |_| {
            if let (Phase::Open(_), Some(script)) = (&terminal.latest().phase, &*script.borrow())
                && let Err(over) = start(script, &api, &terminal, &cell)
            {
                terminal.teller().dispatch(Action::Ended(over));
            }
            at_end(move || drop(cell.take()))
        });
    }
    use_effect_of(matches!(terminal.phase, Phase::Open(_)), |open| open.then(browser::warn_before_leaving));

    let ask = {
        let (terminal, confirm, account) = (terminal.clone(), confirm.clone(), account.clone());
        Callback::from(move |()| {
            if !terminal.latest().is_at_rest() {
                return;
            }
            let (tell, confirm, script) = (terminal.teller(), confirm.clone(), script.clone());
            let admission = Admission { account: account.id.clone(), email: account.email.clone() };
            tell.dispatch(Action::Asked);
            spawn_local(async move {
                // First, so that nobody confirms what cannot be shown.
                match screen::fetch().await {
                    Ok(fetched) => drop(script.replace(Some(fetched))),
                    Err(NotDrawn) => return tell.dispatch(Action::NotFetched),
                }
                tell.dispatch(Action::Fetched);
                tell.dispatch(match confirm.perform::<_, ()>(admission, None, OPENER).await {
                    Ok(()) => Action::Admitted,
                    Err(Stopped::Left) => Action::Left,
                    Err(Stopped::Failed(failure)) => Action::Refused(failure),
                });
            });
        })
    };
    let end = {
        let cell = cell.clone();
        Callback::from(move |()| {
            if let Some(open) = &*cell.borrow() {
                open.connection.close();
            }
        })
    };
    let copy = {
        let terminal = terminal.clone();
        Callback::from(move |()| copy(&cell, &terminal))
    };
    Handles { terminal, ask, end, copy }
}

fn start(script: &Script, api: &Api, terminal: &Store<Terminal>, cell: &Cell) -> Result<(), Over> {
    let connection = api.pop().connect(STREAM, &[]).map_err(|_| Over::SignedOut)?;
    let stands = {
        let (tell, latest, cell) = (terminal.teller(), terminal.clone(), cell.clone());
        connection.on_state(move |state| {
            tell.dispatch(Action::Stands(state));
            if let Phase::Over(_) = latest.latest().phase {
                finish(&cell);
            }
        })
    };
    let shown = {
        let (tell, cell) = (terminal.teller(), cell.clone());
        connection.on_message(move |data| {
            let over = match data {
                Data::Bytes(bytes) => {
                    let open = cell.borrow();
                    let written = open.as_ref().map_or(Ok(()), |open| open.screen.write(bytes));
                    written.err().map(|NotDrawn| Over::TooMuch)
                }
                Data::Text(text) => {
                    json::from_str::<Ended>(text).ok().map(|Ended { status }| Over::Shell(status))
                }
            };
            if let Some(over) = over {
                tell.dispatch(Action::Ended(over));
                finish(&cell);
            }
        })
    };
    let hears = {
        let sent = {
            let (tell, cell) = (terminal.teller(), cell.clone());
            move |send: &dyn Fn(&Connection) -> Result<(), PopError>| {
                let sent = cell.borrow().as_ref().map(|open| send(&open.connection));
                if let Some(Err(PopError::TooMuchHeld)) = sent {
                    tell.dispatch(Action::Ended(Over::TooMuch));
                    finish(&cell);
                }
            }
        };
        let resized = sent.clone();
        let (terminal, cell) = (terminal.clone(), cell.clone());
        Hears {
            typed: Box::new(move |bytes| {
                sent(&|connection| {
                    bytes.chunks(PIECE_BYTES).try_for_each(|piece| connection.send_bytes(piece))
                });
            }),
            sized: Box::new(move |columns, rows| {
                resized(&|connection| connection.send(&size(columns, rows)));
            }),
            copies: Box::new(move || copy(&cell, &terminal)),
            leaves: Box::new(|| browser::focus(BESIDE)),
        }
    };
    let screen = Screen::open(script, SCREEN, hears).map_err(|NotDrawn| Over::NotDrawn)?;
    let (columns, rows) = screen.size();
    let sized = connection.send(&size(columns, rows));
    screen.focus();
    cell.replace(Some(Open { screen, connection, _heard: [stands, shown] }));
    sized.map_err(|_| Over::Refused)
}

fn size(columns: u16, rows: u16) -> String {
    let fits = |number: u16| number.clamp(1, 1_000);
    serde_json::to_string(&Size { columns: fits(columns), rows: fits(rows) }).unwrap_or_default()
}

/// It does not come back, and nothing more can be typed.
fn finish(cell: &Cell) {
    if let Some(open) = &*cell.borrow() {
        open.connection.close();
        open.screen.freeze();
    }
}

fn copy(cell: &Cell, terminal: &Store<Terminal>) {
    let Some(text) = cell.borrow().as_ref().map(|open| open.screen.text()) else { return };
    let tell = terminal.teller();
    spawn_local(async move {
        let copied = browser::copy(&text).await.is_ok();
        tell.dispatch(Action::Copied(if copied { text::COPIED } else { text::NOT_COPIED }));
    });
}
