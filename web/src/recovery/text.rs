//! The words of this slice.

use super::state::Fault;

pub(super) const LIST: &str = "Recovery codes";
pub(super) const TITLE: &str = "Keep these where a thief would not look.";
pub(super) const INTRO: &str = "They are for the day when every passkey is lost, one use each. Signing in with one is not possible yet: until it is, a second passkey is your way back. This browser made them just now; nobody else has them, the server included, and they are shown only this time.";
pub(super) const NEW_ONES: &str = "These are new. The codes that were here before you reloaded or left the page are worth nothing: throw them away.";
pub(super) const COPY: &str = "Copy";
pub(super) const DOWNLOAD: &str = "Download";
pub(super) const PRINT: &str = "Print";
pub(super) const COPIED: &str =
    "Copied. Paste them somewhere safe; other programs can read the clipboard too.";
pub(super) const NOT_COPIED: &str =
    "The browser did not allow copying. Download or print them, or write them down.";
pub(super) const DOWNLOADED: &str = "Saved as holdfast-recovery-codes.txt.";
pub(super) const NOT_DOWNLOADED: &str =
    "The browser did not allow the download. Copy or print them, or write them down.";
pub(super) const KEPT: &str = "I have kept them";
pub(super) const HINT: &str = "Capitals, spaces and dashes do not matter.";
pub(super) const KEEPING: &str = "Putting your codes in force";
pub(super) const NO_RANDOMNESS: &str =
    "This browser could not make random codes. Reload the page, or use another browser.";
pub(super) const FILE: &str = "holdfast-recovery-codes.txt";

pub(super) const REPLACE: &str = "Replace them";
pub(super) const LEFT_BODY: &str = "For the day when every passkey is lost, one use each. Signing in with one is not possible yet: until it is, a second passkey is your way back.";
pub(super) const LEFT_FEW: &str =
    "Few are left. Make new ones, so that there are enough when signing in with one is possible.";
pub(super) const LEFT_MADE: &str = " They were made ";

pub(super) const SHEET_TITLE: &str = "Holdfast recovery codes";
pub(super) const SHEET_BODY: &str = "Each code is for one use, when every passkey is lost; tick it off then. When this sheet was made, signing in with one was not possible yet: until it is, a second passkey is the way back. Keep this sheet where a thief would not look.";

pub(super) fn ask(number: usize) -> String {
    ["Type code ", &number.to_string(), " to show that you have them"].concat()
}

pub(super) fn left(left: u32, total: u32) -> String {
    [&left.to_string(), " of ", &total.to_string(), " left"].concat()
}

pub(super) fn fault(fault: Fault, asked: usize) -> String {
    let number = asked.to_string();
    match fault {
        Fault::Empty => ["Type code ", &number, " as it stands in the list."].concat(),
        Fault::Symbol => "Codes have only letters and digits. Look at what you typed once more.".to_owned(),
        Fault::Length(typed) => {
            ["A code has 21 letters and digits; you typed ", &typed.to_string(), "."].concat()
        }
        Fault::Other(found) => {
            ["That is code ", &found.to_string(), ". Code ", &number, " is asked for."].concat()
        }
        Fault::None => ["That is not code ", &number, ". Compare it with the list, group by group."].concat(),
    }
}

/// The sheet and the file.
pub(super) struct Sheet<'a> {
    pub(super) account: &'a str,
    pub(super) at: &'a str,
    pub(super) made: &'a str,
}

impl Sheet<'_> {
    pub(super) fn lines(&self, codes: impl Iterator<Item = String>) -> String {
        let mut sheet = [
            SHEET_TITLE,
            "\n\nAccount: ",
            self.account,
            "\nConsole: ",
            self.at,
            "\nMade:    ",
            self.made,
            "\n\n",
            SHEET_BODY,
            "\n\n",
        ]
        .concat();
        for (at, code) in codes.enumerate() {
            let number = (at + 1).to_string();
            sheet.push_str(if number.len() == 1 { "[ ]  " } else { "[ ] " });
            sheet.push_str(&number);
            sheet.push_str("  ");
            sheet.push_str(&code);
            sheet.push('\n');
        }
        sheet
    }
}
