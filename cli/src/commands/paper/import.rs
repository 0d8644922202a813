//! Makes a model folder of the parameters that the paper's authors released.

use serde_json::json;

use crate::{
    arguments::paper::PaperImport,
    error::Result,
    files::{
        folder::{folder_of, make_folder},
        model, paper,
    },
    session::Session,
    terminal::{description, interrupt},
};

pub(crate) fn run(arguments: &PaperImport, session: &Session) -> Result<()> {
    let (output, out) = (session.output, &arguments.out);
    model::check_new(out)?;
    let files = paper::released_parameters(&arguments.folder)?;
    let _made = make_folder(folder_of(out))?;
    let model = interrupt::hold(|| model::write(&files, out))?;
    output.say(format_args!(
        "{}: the Binarized CNN of the paper, {}",
        out.display(),
        description::architecture(&model)
    ))?;
    output.give(&json!({ "model": description::model_json(&model), "folder": out.display().to_string() }))
}
