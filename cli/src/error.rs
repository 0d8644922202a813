//! Everything that can go wrong, as one line: the file, the cause, and what to do.
//!
//! * [`remote`]: what can go wrong with a service.

pub(crate) mod remote;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use bnn::{
    client::{AppearanceFault, EncodingFault},
    data::PictureFault,
    engine::Engine,
};
use tfhe_core::serial::Kind;

use self::remote::RemoteFault;
use crate::terminal::{description, line::one_line};

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The network's side refused something.
    #[error(transparent)]
    Network(bnn::Error),

    /// The scheme refused something.
    #[error(transparent)]
    Crypto(tfhe_core::Error),

    /// A refusal that does not name its file itself.
    #[error("{}: {source}", path.display())]
    About { path: PathBuf, source: Box<Error> },

    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },

    /// More content than what it is for ever has.
    #[error("{}: the content is larger than {limit} bytes, the most that is read", path.display())]
    TooLarge { path: PathBuf, limit: u64 },

    /// Standard input for two inputs.
    #[error("standard input can be read only once: name a file or a pipe for the other input")]
    StdinTwice,

    /// A JSON object and a file on one stdout.
    #[error("--json prints an object on standard output, which carries the file: name a file with --out")]
    StdoutTaken,

    /// Standard output in the place of a file that is written again and again.
    #[error("-: standard output does not serve here: name a file")]
    NoStdout,

    /// A folder in the place of a file.
    #[error("{}: this is a folder, where a file is to be written: name a file in it", path.display())]
    IsFolder { path: PathBuf },

    /// A file in the place of a folder.
    #[error("{}: this is no folder; name another", path.display())]
    IsNoFolder { path: PathBuf },

    /// A device or an open file in the place of a file.
    #[error("{}: a file with a name of its own is needed", path.display())]
    OpenFile { path: PathBuf },

    /// Standard output in the place of a folder.
    #[error("-: standard output is no folder: name one")]
    NoFolder,

    /// An input by whose name no output can be called.
    #[error("{}: this input has no name to call the output after: name the output with --out", input.display())]
    NeedsOutput { input: PathBuf },

    /// An option without an effect here.
    #[error("{option} has no effect {place}; leave it out")]
    NoEffect { option: &'static str, place: &'static str },

    /// A run that goes on from nowhere.
    #[error("--resume needs the file where the run was saved: name it with --state")]
    NeedsState,

    /// A folder in which nothing can be written.
    #[error("{}: no file can be written in the folder: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },

    /// An output that is there already.
    #[error("{}: exists already; --force replaces it", path.display())]
    Exists { path: PathBuf },

    /// An output that would take the place of an input.
    #[error("{}: this file is read by the same command; name another output", path.display())]
    OutputIsInput { path: PathBuf },

    /// A folder that is to be made and is there already.
    #[error("{}: exists already; name another folder with --out", path.display())]
    FolderExists { path: PathBuf },

    /// A state in the place of another file of the run.
    #[error("{}: the state of the run needs a file of its own; name it with --state", path.display())]
    StateIsOther { path: PathBuf },

    /// A file in the place of a state that is none.
    #[error("{}: this is no saved run, and is not replaced; name another file with --state", path.display())]
    NoSavedRun { path: PathBuf },

    /// A saved run that would be lost.
    #[error("{}: a run was saved here; --resume goes on with it, --force begins again", path.display())]
    SavedRun { path: PathBuf },

    /// A key that is not there.
    #[error("{}: there is no such file, where {kind} is needed; `bnn keygen` makes one", path.display())]
    NoKey { path: PathBuf, kind: Kind },

    /// A file of the TFHE library in the place of a key that is no key set.
    #[error("{}: {found} of the TFHE library, where {kind} is needed: name one of its key sets", path.display())]
    NoKeySet { path: PathBuf, found: String, kind: Kind },

    /// A file of the TFHE library that has no native form.
    #[error("{}: {part} of the TFHE library: its key sets and its ciphertexts are converted", path.display())]
    NotConverted { path: PathBuf, part: &'static str },

    /// A command that there is not.
    #[error("there is no command {name:?}; `bnn --help` lists them")]
    NoCommand { name: String },

    /// A model that is not there.
    #[error("there is no model {name:?} in {searched}; `bnn models` lists the models")]
    NoModel { name: PathBuf, searched: String },

    /// A folder of models that has none.
    #[error("{}: there is no model in this folder, which $BNN_MODELS names; name a folder whose folders are models", folder.display())]
    NoModels { folder: PathBuf },

    /// A service that cannot begin, or go on.
    #[error("{}: {source}", path.display())]
    Service { path: PathBuf, source: server::StartError },

    /// An address at which nobody can listen.
    #[error("{address}: {source}; name another address with --listen")]
    Listen { address: SocketAddr, source: io::Error },

    /// A service that would let everyone in.
    #[error("{address} is reached by other machines, and no token was made: `bnn token add NAME` makes one")]
    NoTokens { address: SocketAddr },

    /// A token that there is not.
    #[error("there is no token {name:?}; `bnn token list` lists them")]
    NoToken { name: String },

    /// A list of tokens that is none, or cannot be added to.
    #[error("{}: {source}", path.display())]
    Tokens { path: PathBuf, source: server::TokensFault },

    /// No place for the data of a service.
    #[error("nothing names a folder for the user's data: name one with --data")]
    NoDataFolder,

    /// Two models that clients could not tell apart.
    #[error("two models have the name {name:?}, or one has none: a service needs a name for each")]
    SameName { name: String },

    /// A system without randomness.
    #[error("no randomness: {reason}")]
    NoRandomness { reason: String },

    /// A network that is not worth its time encrypted.
    #[error(
        "noise is expected to change {:.1} % of the labels of this network. Calibrated ranges, narrow weights, signs and averages \
         make it less; --accept-label-changes {:.2} takes the network as it is", 100.0 * found, found + 0.01
    )]
    TooManyChanges { found: f64 },

    /// Widths of weights for other layers than there are.
    #[error(
        "--weight-bits gives {given} widths, and layers with weights after the first are {needed} in number: give one width for all, or one for each"
    )]
    WeightBits { given: usize, needed: usize },

    /// A data set of which no picture serves.
    #[error("{}: no picture can be used: {why}", path.display())]
    NoPictures { path: PathBuf, why: String },

    /// A record of an evaluation that cannot be continued.
    #[error("{}: line {line}: {cause}; name another file with --record", path.display())]
    Record { path: PathBuf, line: usize, cause: String },

    /// A record that another process is writing.
    #[error("{}: another process is writing this record; wait for it, or name another file with --record", path.display())]
    RecordInUse { path: PathBuf },

    /// One output for several pictures.
    #[error("--out names one file, where {count} pictures are given: name a folder with --out-dir")]
    OneOutput { count: usize },

    /// One input where several are expected.
    #[error("{}: this file is given twice", path.display())]
    GivenTwice { path: PathBuf },

    /// Two inputs whose outputs would be one file.
    #[error(
        "{} and {} would both be written to {}: give them one by one, each with an --out of its own",
        first.display(), second.display(), out.display()
    )]
    SameOutput { first: PathBuf, second: PathBuf, out: PathBuf },

    /// Some of several inputs failed; which, was told as it happened.
    #[error("{failed} of {count} files failed, which are named above{}", if failed < count { "; the others are done" } else { "" })]
    SomeFailed { failed: usize, count: usize },

    /// A picture to compare several answers with.
    #[error("--compare names one picture, where {count} files of scores are given: decrypt them one by one")]
    OneComparison { count: usize },

    /// Several pictures for circuits of gates, or for a run that is saved.
    #[error(
        "{count} pictures: circuits of gates, and runs that are saved, take one at a time, so give them one by one"
    )]
    OneAtATime { count: usize },

    /// Another number of files than the paper's client sends.
    #[error("{count} files, where the paper's protocol takes two: secret_cloud.data and K_cloud.data")]
    PaperFiles { count: usize },

    /// A file that needs no conversion.
    #[error("{}: is in the form of {form} already", path.display())]
    HasForm { path: PathBuf, form: &'static str },

    /// A secret key without what the library keeps with it.
    #[error("{}: the TFHE library keeps a secret key with its cloud key: name that with --cloud-key", path.display())]
    NeedsCloudKey { path: PathBuf },

    /// Ciphertexts of which nothing says whose they are.
    #[error("{}: nothing in the file says whose ciphertexts these are: name the key with --key or --cloud-key", path.display())]
    NeedsKey { path: PathBuf },

    /// A model that the engine asked for does not run.
    #[error("the model {model} does not run on the {engine} engine: name another with --engine")]
    NoEngine { model: String, engine: Engine },

    /// More or fewer values than a circuit has inputs.
    #[error("{}: {found} input values, the circuit takes {expected}", path.display())]
    CircuitInputCount { path: PathBuf, found: usize, expected: String },

    /// A text that is no value of a circuit's input, or does not fit into its bits.
    #[error(
        "{found:?} is no value of {bits} bits: decimal numbers from -2^{} to 2^{bits} - 1 are, and 0x with hexadecimal \
         digits (decimal numbers end at 2^128)",
        bits.saturating_sub(1)
    )]
    CircuitValue { found: String, bits: usize },

    /// Bits that a circuit on ciphertexts gave and the same circuit in the clear did not.
    #[error("{}: {wrong} of {bits} output bits differ between the encrypted run and plain logic", path.display())]
    CircuitMismatch { path: PathBuf, wrong: usize, bits: usize },

    /// A comparison that was asked for failed.
    #[error("the decrypted scores differ from those of the network in the clear")]
    ScoresDiffer,

    /// A comparison that was asked for failed, by an engine whose scores have noise.
    #[error(
        "the decrypted label is {found}, that of the network in the clear is {plain}; noise was predicted to leave it as it \
         is in {:.0} of 100 runs", 100.0 * agreement
    )]
    LabelsDiffer { found: String, plain: String, agreement: f64 },

    /// A file that holds something else.
    #[error("holds {} instead of {}", description::content(*found), description::content(*expected))]
    OtherContent { found: Kind, expected: Kind },

    /// A soak test that saw an error.
    #[error("{}: {errors} bits came out wrong in {bootstraps} bootstraps; the record says in which rounds", record.display())]
    Soak { record: PathBuf, errors: u64, bootstraps: u64 },

    /// A soak test with other choices than the one that is to go on.
    #[error("{}: a test with {found} is recorded here, where {asked} is asked for; name another file with --record", record.display())]
    OtherSoak { record: PathBuf, found: String, asked: String },

    /// Vectors that are not as recorded.
    #[error("{failed} vectors failed, the first of them {vector}: {fault}")]
    VectorsFailed { failed: usize, vector: String, fault: String },

    /// A service that failed or refused.
    #[error("{url}: {fault}")]
    Remote { url: String, fault: RemoteFault },

    /// A picture that was left when a service failed.
    #[error("{}: not classified, because the service failed before", path.display())]
    ServiceFailed { path: PathBuf },

    /// No address of a service.
    #[error("no service is named: give its address with --server or in $BNN_SERVER")]
    NoServer,

    /// A text in the environment that is no address of a service.
    #[error("$BNN_SERVER is no address of a service: {fault}")]
    Address { fault: String },

    /// A token that others could read on its way.
    #[error(
        "a token is not sent to {host} without encryption: give an address that begins with https://, or leave the token out"
    )]
    PlainToken { host: String },

    /// A text that is no token.
    #[error("{}: this is no token, which is one line of visible ASCII characters", path.display())]
    MalformedToken { path: PathBuf },

    /// A file that holds no certificate.
    #[error("{}: no certificate in PEM is in this file", path.display())]
    NoCertificate { path: PathBuf },

    /// The result could not be printed.
    #[error("stdout: {0}")]
    Stdout(io::Error),

    /// The threads could not be started.
    #[error("{count} threads cannot be started: {source}")]
    Threads { count: usize, source: rayon::ThreadPoolBuildError },

    /// More threads than do any good.
    #[error("{variable} asks for {asked} threads; this machine takes {most} at most")]
    TooManyThreads { variable: &'static str, asked: usize, most: usize },

    /// Ctrl-C and the like could not be taken over.
    #[error("interruptions cannot be handled: {0}")]
    Interrupt(#[from] ctrlc::Error),
}

/// What to do where there is too little memory.
const ON_MEMORY: &str = "end other programs, ask for fewer threads with --threads, or raise this session's limit on memory (ulimit -v)";

impl From<bnn::Error> for Error {
    fn from(error: bnn::Error) -> Self {
        match error {
            bnn::Error::Crypto(error @ tfhe_core::Error::WrongKind { .. }) => error.into(),
            error => Self::Network(error),
        }
    }
}

impl From<tfhe_core::Error> for Error {
    fn from(error: tfhe_core::Error) -> Self {
        match error {
            // The scheme names what a file is made of, people what it is for.
            tfhe_core::Error::WrongKind { found, expected } => Self::OtherContent { found, expected },
            error => Self::Crypto(error),
        }
    }
}

impl Error {
    /// The message and what to do about it, on one line that cannot steer a terminal, whatever a file is called.
    pub(crate) fn line(&self) -> String {
        let advice = self.advice().map_or_else(String::new, |advice| format!("; {advice}"));
        one_line(format_args!("{self}{advice}"))
    }

    /// Whether the command line alone is at fault, whatever the files hold.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::StdinTwice
                | Self::StdoutTaken
                | Self::NoFolder
                | Self::NoStdout
                | Self::NeedsOutput { .. }
                | Self::NoEffect { .. }
                | Self::NeedsState
                | Self::OneOutput { .. }
                | Self::SameOutput { .. }
                | Self::GivenTwice { .. }
                | Self::OneComparison { .. }
                | Self::PaperFiles { .. }
                | Self::NoCommand { .. }
                | Self::WeightBits { .. }
                | Self::NoServer
                | Self::Address { .. }
                | Self::PlainToken { .. }
        )
    }

    /// Whether a service failed in a way that the next request to it would meet too.
    pub(crate) fn is_of_service(&self) -> bool {
        matches!(self, Self::Remote { fault, .. } if fault.is_of_service())
    }

    /// Whether a service refused with this status.
    pub(crate) fn is_refused_with(&self, refused: u16) -> bool {
        matches!(self, Self::Remote { fault: RemoteFault::Refused { status, .. }, .. } if *status == refused)
    }

    /// What to do, where the message does not say so itself.
    fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Remote { fault, .. } => fault.advice(),
            Self::About { source, .. } => source.advice(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::OutOfMemory => Some(ON_MEMORY),
            Self::Crypto(error) | Self::Network(bnn::Error::Crypto(error)) => advice_on(error),
            Self::Threads { .. } | Self::Interrupt(_) => Some(
                "ask for fewer with --threads, or raise the limits of this session on processes and memory (ulimit -u, ulimit -v)",
            ),
            Self::Network(bnn::Error::OtherModel { .. }) => Some(
                "name the model that it was made for, or the client specification of that; `bnn inspect` tells which it is",
            ),
            Self::Network(bnn::Error::Specification(_)) => {
                Some("`bnn models --client` makes a client specification")
            }
            Self::Network(bnn::Error::OtherParameters { expected, .. }) => Some(advice_on_key(expected)),
            Self::Network(bnn::Error::UnsupportedLayer { .. } | bnn::Error::WrappingLayer { .. }) => {
                Some("`bnn keygen --engine gates` makes keys for exact circuits")
            }
            // No set of the engine has less noise than its last.
            Self::Network(bnn::Error::TooNoisy { parameters, .. })
                if is_last(Engine::Functional, parameters) =>
            {
                Some("`bnn keygen --engine gates` makes keys for exact circuits")
            }
            Self::Network(bnn::Error::TooNoisy { .. }) => Some(
                "`bnn keygen --model` takes the parameter set that a model needs, `--engine gates` makes keys for exact circuits",
            ),
            Self::Network(bnn::Error::Picture(PictureFault::Format | PictureFault::Foreign { .. })) => {
                Some("save the picture as a PNG")
            }
            Self::Network(bnn::Error::Picture(PictureFault::TooLarge { .. })) => {
                Some("scale the picture down in another program")
            }
            Self::Network(bnn::Error::Picture(PictureFault::Translucent)) => {
                Some("save the picture without transparency, on a black background")
            }
            Self::Network(bnn::Error::Encoding(EncodingFault::Channels { .. })) => {
                Some("give an IDX file whose pictures have as many channels")
            }
            Self::Network(bnn::Error::Encoding(EncodingFault::Size { .. })) => {
                Some("--fit crops the picture and scales it to that size")
            }
            Self::Network(bnn::Error::Appearance(fault)) => match fault {
                AppearanceFault::Inverted { .. } => {
                    Some("use --invert (or leave it out, if you did), or --as-is if the picture is meant so")
                }
                AppearanceFault::Dim { .. } => {
                    Some("use --stretch or --fit, or --as-is if the picture is meant so")
                }
                _ => Some("use --as-is if the picture is meant so, and has the size that the model reads"),
            },
            _ => None,
        }
    }
}

/// What to do about a key of another set than this.
fn advice_on_key(needed: &str) -> &'static str {
    let has = |engine: Engine| engine.parameter_sets().iter().position(|set| set.name() == needed);
    match (has(Engine::Functional), has(Engine::Gates)) {
        (_, Some(0)) => {
            "name the key that was made with the other files; `bnn keygen --engine gates` makes new ones, which do not open what \
             older ones encrypted"
        }
        (_, Some(_)) => {
            "name the key that was made with the other files; `bnn paper keygen` makes new ones, which do not open what older \
             ones encrypted"
        }
        _ => {
            "name the key that was made with the other files; `bnn keygen --model` makes new ones, which do not open what older \
             ones encrypted"
        }
    }
}

/// Whether an engine has no set after this one.
fn is_last(engine: Engine, name: &str) -> bool {
    engine.parameter_sets().last().is_some_and(|set| set.name() == name)
}

fn advice_on(error: &tfhe_core::Error) -> Option<&'static str> {
    use tfhe_core::{Error, serial::FileFault};
    match error {
        Error::Memory { .. } => Some(ON_MEMORY),
        Error::Io { source } if source.kind() == io::ErrorKind::OutOfMemory => Some(ON_MEMORY),
        Error::OtherKey { .. } => Some("use the keys of one `bnn keygen` throughout"),
        Error::NotTfheLib { .. } => Some("`bnn paper keygen` makes keys that it can have"),
        Error::BackendUnavailable { .. } => Some("leave out the choice, and the fastest one is taken"),
        Error::BadFile { fault: FileFault::Magic, .. } => {
            Some("name a key, an encrypted picture or encrypted scores")
        }
        Error::BadFile { .. } => Some("copy it again from where it was made, or make it again"),
        _ => None,
    }
}

/// Adds the file that an error is about, where the error does not know it.
pub(crate) trait About<T> {
    fn about(self, path: &Path) -> Result<T>;
}

impl<T, E: Into<Error>> About<T> for std::result::Result<T, E> {
    fn about(self, path: &Path) -> Result<T> {
        self.map_err(|source| Error::About { path: path.into(), source: Box::new(source.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_noisy(parameters: &'static str) -> Error {
        bnn::Error::TooNoisy { layer: "a".into(), half_range: 8.0, noise: 1.0, parameters }.into()
    }

    #[test]
    fn a_set_in_use_is_not_advised() {
        let [first, last] = ["FUNCTIONAL_1024", "FUNCTIONAL_2048"].map(|set| too_noisy(set).line());
        assert!(first.contains("bnn keygen --model"), "{first}");
        assert!(!last.contains("keygen --model") && last.contains("--engine gates"), "{last}");
    }

    #[test]
    fn keys_are_advised_by_the_set_that_is_needed() {
        for (found, expected, advice) in [
            ("FUNCTIONAL_1024", "GATES_DEFAULT", "`bnn keygen --engine gates`"),
            ("GATES_DEFAULT", "FUNCTIONAL_1024", "`bnn keygen --model`"),
            ("GATES_DEFAULT", "TFHE_LIB_V1_0_1", "`bnn paper keygen`"),
        ] {
            let line = Error::from(bnn::Error::OtherParameters { found, expected }).line();
            assert!(line.contains(advice), "{line}");
        }
    }
}
