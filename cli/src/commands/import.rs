//! Makes a model folder of parameters that others released.

use bnn::model::{Model, import_paper};
use serde_json::json;
use tfhe_core::serial;

use super::Session;
use crate::{
    arguments::{Import, ImportPaper},
    error::{Error, Result},
    interrupt, report,
};

pub(super) fn run(command: &Import, session: &Session) -> Result<()> {
    match command {
        Import::Paper(arguments) => paper(arguments, session),
    }
}

fn paper(arguments: &ImportPaper, session: &Session) -> Result<()> {
    let (output, out) = (session.output, &arguments.out);
    if out.symlink_metadata().is_ok() {
        return Err(Error::FolderExists { path: out.clone() });
    }
    let files = import_paper(&arguments.folder)?;
    let parent = serial::folder_of(out);
    serial::make_folder(parent).map_err(|source| Error::Io { path: parent.into(), source })?;
    interrupt::hold(|| files.write(out))?;
    let model = Model::open(out)?;
    output.say(format_args!(
        "{}: the Binarized CNN of the paper, {}",
        out.display(),
        report::architecture(&model)
    ))?;
    output.give(&json!({ "model": super::model_json(&model), "folder": out.display().to_string() }))
}
