//! Who signs the heads: once a minute where something has changed, and at the end.

use super::{
    chain::Hash,
    heads::{End, HEADS, Head, Line, SigningKey},
    store,
};
use crate::{clock::Clock, db::Db, entropy::Entropy};
use holdfast_protocol::{base64url::Bytes, ids::AccountId};
use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// So many heads make a line; more go into the next.
const HEADS_IN_A_LINE: usize = 1_000;

/// Writes the file of signed heads. One a file: it is locked.
pub struct Witness {
    key: SigningKey,
    file: File,
    end: End,
    /// What has been signed, so that only what is new is signed again.
    signed: HashMap<AccountId, (i64, Hash)>,
}

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the file of heads cannot be written: {0}")]
    File(#[from] io::Error),
}

impl Witness {
    /// Opens the key and the heads of a folder, or makes them. A folder that is made here is its owner's alone.
    pub fn open(folder: &Path, entropy: &Entropy) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let key = SigningKey::read_or_make(folder, entropy)?;
        let path = folder.join(HEADS);
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path)?;
        file.try_lock()
            .map_err(|_| io::Error::other(format!("another server writes to {}", path.display())))?;
        // So that the names of files that were just made survive a power cut, too.
        File::open(folder)?.sync_all()?;
        let (mut end, mut whole, mut signed) = (End::EMPTY, 0, HashMap::new());
        let mut newest = None;
        let mut lines = BufReader::new(&file);
        let mut text = String::new();
        while lines.read_line(&mut text)? > 0 {
            // A line whose end is missing was being written when the machine died.
            let Some(line) = text.strip_suffix('\n') else { break };
            let (line, after) = Line::read(line, end).map_err(|why| {
                io::Error::other(format!("{}, line {}, {why}", path.display(), end.number + 1))
            })?;
            for Head { account, event, hash } in &line.heads {
                if let Ok(hash) = Hash::try_from(hash.0.as_slice()) {
                    signed.insert(account.clone(), (*event, hash));
                }
            }
            (end, newest) = (after, Some(line));
            whole += u64::try_from(text.len()).unwrap_or_default();
            text.clear();
        }
        if let Some(line) = newest {
            line.verify(&[key.public()]).map_err(|why| {
                let cure = "Move it away together with its key, and keep both: a new file begins";
                io::Error::other(format!("{}, line {}, {why}. {cure}", path.display(), line.number))
            })?;
        }
        if fs::metadata(&path)?.len() > whole {
            tracing::warn!("a line of signed heads was not finished, and is removed");
            file.set_len(whole)?;
        }
        Ok(Self { key, file, end, signed })
    }

    /// Signs the newest event of each account that has a newer one than was signed before.
    pub async fn sign(&mut self, db: &Db, clock: &Clock) -> Result<(), NotSigned> {
        let mut new = Vec::new();
        let mut tx = db.look().await?;
        store::heads(&mut tx, |account, event, hash| {
            let (Ok(account), Ok(hash)) = (AccountId::parse(&account), Hash::try_from(hash)) else {
                tracing::error!(account, "the audit trail was altered: an account or a hash is none");
                return;
            };
            match self.signed.get(&account) {
                Some(signed) if *signed == (event, hash) => {}
                // Not signed, so that what was signed stays the last word.
                Some((signed, _)) if *signed >= event => {
                    tracing::error!(%account, event, signed, "the audit trail was altered: run verify-log");
                }
                _ => new.push((account, event, hash)),
            }
        })
        .await?;
        drop(tx);
        for new in new.chunks(HEADS_IN_A_LINE) {
            self.append(new, clock.now().unix_ms)?;
        }
        Ok(())
    }

    /// Where the file ends now, for whoever takes note of it.
    pub fn end(&self) -> End {
        self.end
    }

    fn append(&mut self, new: &[(AccountId, i64, Hash)], at_ms: u64) -> io::Result<()> {
        let head = |(account, event, hash): &(AccountId, i64, Hash)| Head {
            account: account.clone(),
            event: *event,
            hash: Bytes(hash.to_vec()),
        };
        let line = self.key.sign(new.iter().map(head).collect(), at_ms, self.end);
        let (mut line, end) = line.ok_or_else(|| io::Error::other("a number that no JSON holds"))?;
        line.push('\n');
        let before = self.file.metadata()?.len();
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // A part of a line would end the chain of lines.
            self.file.set_len(before)?;
            return Err(error);
        }
        self.end = end;
        self.signed.extend(new.iter().map(|(account, event, hash)| (account.clone(), (*event, *hash))));
        Ok(())
    }
}
