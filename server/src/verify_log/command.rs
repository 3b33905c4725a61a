//! The command: where the trail and its heads are, and what a person and a script are told.

use super::{Finding, Heads, Rules, Summary, Verifier, store};
use crate::{
    audit::heads::{HEADS, PUBLIC_KEY, PublicKey},
    db::Db,
    secrets::{Keyring, Secret},
    settings::{self, Settings},
};
use clap::Args;
use holdfast_protocol::base64url;
use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

/// What can be said to the command. Where it is not said, it is as `serve` has it.
#[derive(Args, Clone, Default)]
pub struct Arguments {
    /// The TOML file that `serve` takes.
    #[arg(long, env = "HOLDFAST_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Folder of the SQLite database [default: ./data].
    #[arg(long, env = "HOLDFAST_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// postgres://… where the database is PostgreSQL.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Folder of the signed heads and their public key, where the next two do not say otherwise [default: the
    /// data folder].
    #[arg(long, env = "HOLDFAST_WITNESS", value_name = "FOLDER")]
    pub witness: Option<PathBuf>,

    /// A file of signed heads, best one that was kept elsewhere; as often as there are files.
    #[arg(long, value_name = "FILE")]
    pub heads: Vec<PathBuf>,

    /// A public key whose heads are believed, best one that was kept elsewhere; as often as there are keys.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,

    /// The hash of a head that was noted, as this command prints it: its line must still be there.
    #[arg(long, value_name = "HASH")]
    pub expect: Vec<String>,

    /// Go without signed heads: then whoever could write the database could have made all of it anew.
    #[arg(long, conflicts_with_all = ["heads", "key", "expect"])]
    pub without_heads: bool,

    /// Take events without a hash, at the beginning of an account, for those from before there was a hash chain
    /// (version 0003 of the database). Nothing proves them, nor the keys of the passkeys that they added.
    #[arg(long)]
    pub allow_unchained: bool,

    /// Actions whose step-up was switched off for a while, separated by commas: what was done without is told, and
    /// is no finding. Whoever can write the database can add such events.
    #[arg(long, env = "HOLDFAST_STEP_UP_OFF", value_name = "ACTIONS", value_delimiter = ',')]
    pub step_up_off: Option<Vec<String>>,

    /// Check, too, that HOLDFAST_SECRET or HOLDFAST_SECRET_PREVIOUS signed each token. A secret that was
    /// rotated away since signed the older ones.
    #[arg(long)]
    pub check_secret: bool,

    #[arg(long, env = "HOLDFAST_SECRET", hide_env_values = true, hide = true)]
    pub secret: Option<Secret>,

    #[arg(long, env = "HOLDFAST_SECRET_PREVIOUS", hide_env_values = true, hide = true)]
    pub secret_previous: Option<Secret>,

    /// Other origins that may use the same passkeys, separated by commas.
    #[arg(long, env = "HOLDFAST_RELATED_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub related_origins: Option<Vec<String>>,

    /// Origins in whose frames a passkey may be used, separated by commas.
    #[arg(long, env = "HOLDFAST_EMBEDDING_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub embedding_origins: Option<Vec<String>>,
}

/// What the trail is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    AllIsWell,
    Findings,
}

/// Verifies, and writes what it finds and a summary. The error says why nothing could be verified.
pub async fn run(arguments: Arguments, out: &mut impl Write) -> Result<Verdict, String> {
    let arguments = arguments.over_file()?;
    let data = arguments.data.clone().unwrap_or_else(|| "data".into());
    let mut told = Told { out, findings: 0, broken: None };
    let (heads, ends) = read_heads(&arguments, &data, &mut told)?;
    let lines = ends.iter().map(|(_, number, _)| number).sum::<u64>();
    let db = open(&arguments, &data).await?;
    let verified = verify(&db, arguments.rules()?, heads, |finding| told.tell(&finding)).await;
    db.close().await;
    let summary = verified.map_err(|error| format!("the audit trail cannot be read: {error}"))?;
    let Told { findings, broken, .. } = told;
    if let Some(error) = broken {
        return Err(format!("nothing can be written: {error}"));
    }
    if !arguments.without_heads && lines == 0 && summary.events > 0 && findings == 0 {
        return Err("no signed head is in the files that were read, so that nothing there speaks for these events. The \
                    server signs a minute after its start and once a minute from then on; --without-heads goes without."
            .to_owned());
    }
    let with_heads = (!arguments.without_heads).then_some(lines);
    let summed_up = sum_up(out, &summary, with_heads, findings)
        .and_then(|()| ends.iter().try_for_each(|(file, number, hash)| note(out, file, *number, hash)));
    summed_up.map_err(|error| format!("nothing can be written: {error}"))?;
    Ok(if findings == 0 { Verdict::AllIsWell } else { Verdict::Findings })
}

/// Verifies the trail of a database; of its rows a few hundred are in memory at a time.
pub async fn verify(
    db: &Db,
    rules: Rules,
    heads: Heads,
    mut tell: impl FnMut(Finding),
) -> Result<Summary, sqlx::Error> {
    let mut verifier = Verifier::new(rules, heads);
    let mut tx = db.read().await?;
    store::rows(&mut tx, |row| verifier.take(&row).into_iter().for_each(&mut tell)).await?;
    store::empty(&mut tx, |account, count| {
        verifier.take_empty(&account, count).into_iter().for_each(&mut tell);
    })
    .await?;
    store::passkeys(&mut tx, |row| verifier.take_passkey(&row).into_iter().for_each(&mut tell)).await?;
    let (summary, findings) = verifier.finish();
    findings.into_iter().for_each(tell);
    Ok(summary)
}

/// Writes findings as they come.
struct Told<'a, W> {
    out: &'a mut W,
    findings: u64,
    broken: Option<io::Error>,
}

impl<W: Write> Told<'_, W> {
    fn tell(&mut self, finding: &Finding) {
        self.findings += 1;
        if let Err(error) = writeln!(self.out, "{finding}") {
            self.broken.get_or_insert(error);
        }
    }
}

impl Arguments {
    fn over_file(self) -> Result<Self, String> {
        let file = match &self.config {
            Some(path) => settings::read_file(path).map_err(|wrong| wrong.to_string())?,
            None => Settings::default(),
        };
        Ok(Self {
            data: self.data.or(file.data),
            database_url: self.database_url.or(file.database_url),
            witness: self.witness.or(file.witness),
            secret: self.secret.or(file.secret),
            secret_previous: self.secret_previous.or(file.secret_previous),
            related_origins: self.related_origins.or(file.related_origins),
            embedding_origins: self.embedding_origins.or(file.embedding_origins),
            step_up_off: self.step_up_off.or(file.step_up_off),
            ..self
        })
    }

    fn rules(&self) -> Result<Rules, String> {
        let keys = match (self.check_secret, &self.secret) {
            (false, _) => None,
            (true, Some(secret)) => Some(Keyring::new(secret.clone(), self.secret_previous.clone())),
            (true, None) => {
                return Err("HOLDFAST_SECRET is not set, and --check-secret asks for it".to_owned());
            }
        };
        let mut wrong = Vec::new();
        let step_up_off = settings::actions(self.step_up_off.as_deref().unwrap_or_default(), &mut wrong);
        if !wrong.is_empty() {
            return Err(wrong.join(" "));
        }
        let origins = |given: &Option<Vec<String>>| given.clone().unwrap_or_default();
        Ok(Rules {
            keys,
            related_origins: origins(&self.related_origins),
            embedding_origins: origins(&self.embedding_origins),
            allow_unchained: self.allow_unchained,
            step_up_off,
        })
    }
}

async fn open(arguments: &Arguments, data: &Path) -> Result<Db, String> {
    match &arguments.database_url {
        Some(url) => {
            let opened = Db::inspect_postgres(url).await;
            opened.map_err(|error| format!("PostgreSQL does not answer at DATABASE_URL: {error}"))
        }
        None => {
            let file = data.join("holdfast.sqlite3");
            let opened = Db::inspect_sqlite(&file).await;
            opened.map_err(|error| format!("the database {} cannot be read: {error}", file.display()))
        }
    }
}

/// A file of heads, how many lines it has, and the hash of the last.
type FileEnd = (String, u64, String);

fn read_heads(
    arguments: &Arguments,
    data: &Path,
    told: &mut Told<'_, impl Write>,
) -> Result<(Heads, Vec<FileEnd>), String> {
    let (mut heads, mut ends) = (Heads::default(), Vec::new());
    if arguments.without_heads {
        return Ok((heads, ends));
    }
    let folder = arguments.witness.as_deref().unwrap_or(data);
    let or = |given: &[PathBuf], name: &str| match given {
        [] => vec![folder.join(name)],
        given => given.to_vec(),
    };
    let cannot = |path: &Path, error: io::Error| {
        format!(
            "{} cannot be read: {error}. Name another with --heads and --key, or say --without-heads",
            path.display()
        )
    };
    let keys = or(&arguments.key, PUBLIC_KEY);
    let keys = keys.iter().map(|path| PublicKey::read(path).map_err(|error| cannot(path, error)));
    let keys: Vec<PublicKey> = keys.collect::<Result<_, _>>()?;
    for path in or(&arguments.heads, HEADS) {
        let name = path.display().to_string();
        let read = File::open(&path).and_then(|file| heads.read(&name, BufReader::new(file), &keys));
        let (end, findings) = read.map_err(|error| cannot(&path, error))?;
        findings.iter().for_each(|finding| told.tell(finding));
        ends.push((name, end.number, base64url::encode(&end.hash)));
    }
    arguments.expect.iter().filter_map(|noted| heads.expect(noted)).for_each(|finding| told.tell(&finding));
    Ok((heads, ends))
}

fn sum_up(out: &mut impl Write, summary: &Summary, lines: Option<u64>, findings: u64) -> io::Result<()> {
    let Summary { accounts, events, step_ups, passkeys, unguarded, heads, uncovered, unchained, .. } =
        summary;
    writeln!(
        out,
        "{accounts} accounts, {events} events, {step_ups} step-ups and {passkeys} passkeys verified."
    )?;
    let each = unguarded.iter().map(|(kind, number)| format!("{number} of {kind}")).collect::<Vec<_>>();
    let (all, of) = (unguarded.values().sum::<u64>(), if each.is_empty() { "" } else { ": " });
    writeln!(out, "{all} actions were done without a step-up{of}{}.", each.join(", "))?;
    if *unchained > 0 {
        writeln!(out, "{unchained} events have no hash: nothing proves them.")?;
    }
    match lines {
        Some(lines) => {
            writeln!(out, "{heads} signed heads checked, in {lines} lines; {uncovered} events are newer.")?;
        }
        None => writeln!(
            out,
            "No signed heads: whoever could write the database could have made all of it anew."
        )?,
    }
    match findings {
        0 => writeln!(out, "All is well."),
        findings => writeln!(out, "{findings} findings."),
    }
}

fn note(out: &mut impl Write, file: &str, number: u64, hash: &str) -> io::Result<()> {
    match number {
        0 => writeln!(out, "{file} has no line."),
        number => writeln!(out, "{file} ends with line {number}; note its hash for --expect: {hash}"),
    }
}
