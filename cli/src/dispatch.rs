//! From a command line to its command.

use crate::{
    arguments::{
        command_line::Command,
        import::Import,
        paper::Paper,
        remote::Remote,
        service::Token,
        trials::{Circuit, Vectors},
    },
    commands::{
        calibrate, circuit, classify, completions, convert, decrypt, demo, encrypt, estimate, evaluate,
        import, infer, inspect, keygen, models, paper, remote, serve, soak, token, vectors,
    },
    error::Result,
    session::Session,
};

/// Runs a command.
///
/// # Errors
/// Those of the command.
pub(crate) fn run(command: &Command, session: &Session) -> Result<()> {
    match command {
        Command::Demo(arguments) => demo::run(arguments, session),
        Command::Keygen(arguments) => keygen::run(arguments, session),
        Command::Encrypt(arguments) => encrypt::run(arguments, session),
        Command::Infer(arguments) => infer::pictures::run(arguments, session),
        Command::Serve(arguments) => serve::run(arguments, session),
        Command::Token(Token::Add(arguments)) => token::add(arguments, session),
        Command::Token(Token::List(arguments)) => token::list(arguments, session),
        Command::Token(Token::Remove(arguments)) => token::remove(arguments, session),
        Command::Decrypt(arguments) => decrypt::run(arguments, session),
        Command::Classify(arguments) => classify::run(arguments, session),
        Command::Remote(Remote::Models(service)) => remote::models(service, session),
        Command::Remote(Remote::Keys(service)) => remote::keys(service, session),
        Command::Remote(Remote::Upload(arguments)) => remote::upload(arguments, session),
        Command::Remote(Remote::Forget(arguments)) => remote::forget(arguments, session),
        Command::Remote(Remote::Jobs(service)) => remote::jobs(service, session),
        Command::Paper(Paper::Keygen(arguments)) => paper::keygen::run(arguments, session),
        Command::Paper(Paper::Encrypt(arguments)) => paper::encrypt::run(arguments, session),
        Command::Paper(Paper::Infer(arguments)) => paper::infer::run(arguments, session),
        Command::Paper(Paper::Decrypt(arguments)) => paper::decrypt::run(arguments, session),
        Command::Paper(Paper::Import(arguments)) => paper::import::run(arguments, session),
        Command::Convert(arguments) => convert::run(arguments, session),
        Command::Inspect(arguments) => inspect::run(arguments, session),
        Command::Models(arguments) => models::run(arguments, session),
        Command::Calibrate(arguments) => calibrate::run(arguments, session),
        Command::Import(Import::Onnx(arguments)) => import::onnx(arguments, session),
        Command::Estimate(arguments) => estimate::run(arguments, session),
        Command::Evaluate(arguments) => evaluate::accuracy::run(arguments, session),
        Command::Circuit(Circuit::Info(arguments)) => circuit::info(arguments, session),
        Command::Circuit(Circuit::Run(arguments)) => circuit::run(arguments, session),
        Command::Soak(arguments) => soak::run(arguments, session),
        Command::Completions(arguments) => completions::run(arguments, session),
        Command::Man(arguments) => completions::man(arguments, session),
        Command::Vectors(Vectors::Check(arguments)) => vectors::check(arguments, session),
        Command::Vectors(Vectors::Generate(arguments)) => vectors::generate(arguments, session),
    }
}
