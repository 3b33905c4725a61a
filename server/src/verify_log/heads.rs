use super::{Fault, Finding, Place};
use crate::audit::{
    chain::Hash,
    heads::{End, Head, Line, LineFault, PublicKey},
};
use holdfast_protocol::base64url;
use std::{
    collections::{BTreeMap, HashSet},
    io::{self, BufRead},
};

/// What was signed of each account, from any number of files.
#[derive(Clone, Default)]
pub struct Heads {
    accounts: BTreeMap<Vec<u8>, Signed>,
    /// Hashes of all lines that were right.
    lines: HashSet<Hash>,
}

/// The signed heads of an account: events, with their hashes and where they were signed.
pub(super) type Signed = BTreeMap<i64, Vec<(Hash, String)>>;

impl Heads {
    /// Reads a file of signed heads: where it ends, and what is wrong with it. What a line says counts only if
    /// the line is right and so is every line before it.
    pub fn read(
        &mut self,
        file: &str,
        mut text: impl BufRead,
        keys: &[PublicKey],
    ) -> io::Result<(End, Vec<Finding>)> {
        let (mut end, mut bytes) = (End::EMPTY, Vec::new());
        while text.read_until(b'\n', &mut bytes)? > 0 {
            let read = bytes
                .strip_suffix(b"\n")
                .and_then(|line| std::str::from_utf8(line).ok())
                .ok_or(LineFault::NotALine)
                .and_then(|line| Line::read(line, end))
                .and_then(|(line, after)| line.verify(keys).map(|()| (line, after)));
            match read {
                Ok((line, after)) => {
                    end = after;
                    self.lines.insert(after.hash);
                    self.keep(file, line);
                }
                Err(why) => {
                    let place = Place::Line { file: file.to_owned(), line: end.number.saturating_add(1) };
                    return Ok((end, vec![Finding { place, fault: Fault::Line(why) }]));
                }
            }
            bytes.clear();
        }
        Ok((end, Vec::new()))
    }

    fn keep(&mut self, file: &str, line: Line) {
        let signed = format!("{file}, line {}", line.number);
        for Head { account, event, hash } in line.heads {
            // A hash of another length fits nothing.
            let hash = Hash::try_from(hash.0).unwrap_or_default();
            let account = self.accounts.entry(account.as_str().as_bytes().to_vec()).or_default();
            account.entry(event).or_default().push((hash, signed.clone()));
        }
    }

    /// Holds the lines against a hash that somebody noted: of the last line, at some time.
    pub fn expect(&self, noted: &str) -> Option<Finding> {
        let found = base64url::decode_array(noted).is_ok_and(|hash| self.lines.contains(&hash));
        let fault = Fault::NotedLineMissing { hash: noted.to_owned() };
        (!found).then_some(Finding { place: Place::Heads, fault })
    }

    pub(super) fn take(&mut self, account: &[u8]) -> Signed {
        self.accounts.remove(account).unwrap_or_default()
    }

    /// Heads of accounts of which the trail has nothing.
    pub(super) fn left(&mut self) -> Vec<Finding> {
        let left = std::mem::take(&mut self.accounts);
        left.into_iter().filter_map(|(account, signed)| missing(&account, signed)).collect()
    }
}

/// The newest of the heads whose events are not there.
pub(super) fn missing(account: &[u8], signed: Signed) -> Option<Finding> {
    let (event, heads) = signed.into_iter().next_back()?;
    let (_, signed) = heads.into_iter().next()?;
    let account = account.escape_ascii().to_string();
    Some(Finding { place: Place::Account { account }, fault: Fault::HeadMissing { event, signed } })
}
