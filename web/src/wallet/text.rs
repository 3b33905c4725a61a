//! The words of this slice.

use crate::{
    problem::Failure,
    words::{Tone, Words},
};
use holdfast_protocol::{problem::Code, wallet::Send};

pub(super) const LOADING: &str = "Fetching your wallet";
pub(super) const BALANCE: &str = "In your wallet";
pub(super) const COPY: &str = "Copy the id";
pub(super) const COPIED: &str = "Copied.";
pub(super) const NOT_COPIED: &str = "The browser would not copy it. Select it and copy it yourself.";

pub(super) const SEND_TITLE: &str = "Send money";
pub(super) const TO: &str = "Their wallet's id";
pub(super) const TO_HINT: &str = "They find it on their own wallet page. It begins with wal_.";
pub(super) const TO_MISSING: &str = "Paste the id of the wallet that is to get it.";
pub(super) const TO_MALFORMED: &str = "This is no wallet's id: it looks like wal_7q4m-2f9k-xw1d-0h3t.";
pub(super) const TO_OWN: &str = "This is your own wallet.";
pub(super) const TO_NAME: &str = "Their name";
pub(super) const TO_NAME_HINT: &str =
    "As they are called in this console. Where id and name do not belong together, nothing is sent.";
pub(super) const TO_NAME_MISSING: &str = "Write the name of the wallet's owner.";
pub(super) const AMOUNT: &str = "Amount in US dollars";
pub(super) const AMOUNT_HINT: &str = "With a point before the cents, as in 12.50.";
pub(super) const AMOUNT_MISSING: &str = "Write how much.";
pub(super) const AMOUNT_MALFORMED: &str =
    "Use digits, and a point before the cents: 12.50. No comma, no space, no currency sign.";
pub(super) const AMOUNT_NOTHING: &str = "Send more than nothing.";
pub(super) const NOTE: &str = "Note (if you like)";
pub(super) const NOTE_HINT: &str = "Both of you will read it. At most 64 characters.";
pub(super) const SEND: &str = "Send";
pub(super) const IF_NOT_GONE: &str = "Send it, if it has not gone";
pub(super) const SENDING: &str = "Nothing is sent before you have confirmed it";

pub(super) const TRANSFERS: &str = "What came and went";
pub(super) const NONE: &str = "Nothing has come or gone yet.";
pub(super) const ALL: &str = "This is where the wallet began.";
pub(super) const OLDER: &str = "Show older";
pub(super) const LOADING_OLDER: &str = "Fetching older transfers";
pub(super) const OPERATOR: &str = "This console's operator";
pub(super) const FROM: &str = "From ";
pub(super) const TO_WHOM: &str = "To ";
pub(super) const LEFT: &str = "then in the wallet: ";

const OTHER_NAME: Words = Words {
    what: std::borrow::Cow::Borrowed("That wallet's owner has another name."),
    way_on: std::borrow::Cow::Borrowed(
        "Nothing was sent. Ask them for the id once more, and how their name is written in this console.",
    ),
    tone: Tone::Wait,
};

/// How others send money here.
pub(super) fn receive(name: &str) -> String {
    ["To receive money, give this id and your name, “", name, "”, to whoever wants to send it."].concat()
}

/// That amount as the person's locale writes it.
pub(super) fn reads_as(money: &str) -> String {
    ["That is ", money, "."].concat()
}

/// Money has gone.
pub(super) fn sent(money: &str, send: &Send) -> String {
    [money, " went to ", &send.to_name, " (", send.to.as_str(), ")."].concat()
}

/// Why none has.
pub(super) fn not_sent(failure: &Failure) -> Words {
    match failure.code() {
        Some(Code::TargetChanged) => OTHER_NAME,
        Some(Code::NotFound | Code::InsufficientFunds) => Words { tone: Tone::Wait, ..failure.words() },
        _ if failure.may_pass() => Words {
            way_on: "If you confirmed it, it may have gone. Before you reload this page, press the button: it asks for \
                     this very send once more. What has gone is not sent twice; what has not gone is sent now, and \
                     you are asked to confirm it wherever that is wanted."
                .into(),
            ..failure.words()
        },
        _ => failure.words(),
    }
}
