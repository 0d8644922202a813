//! Commands on several files: each has an output of its own, and one that fails is named without losing the others.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{
    arguments::shared::Outputs,
    error::{Error, Result},
    files::{
        folder::{MadeFolders, check_folder, make_folder},
        input,
        output::{Target, Written},
    },
    terminal::{
        interrupt,
        output::{Output, fail},
    },
};

/// The inputs of a command, and what failed of them.
#[derive(Debug)]
pub(crate) struct Batch {
    count: usize,
    output: Output,
    failed: Vec<(PathBuf, String)>,
    /// The folder of outputs, where it was not there.
    made: Option<MadeFolders>,
}

impl Batch {
    /// Of so many inputs of a command whose words go to `output`.
    pub(crate) fn new(count: usize, output: Output) -> Self {
        Self { count, output, failed: Vec::new(), made: None }
    }

    /// Where the words of the command go.
    pub(crate) fn output(&self) -> Output {
        self.output
    }

    /// Whether there are several inputs.
    pub(crate) fn is_several(&self) -> bool {
        self.count > 1
    }

    /// What an input gave, or nothing where it failed, which is told.
    ///
    /// # Errors
    /// Its own, where it is the only input.
    pub(crate) fn keep<T>(&mut self, input: &Path, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(kept) => Ok(Some(kept)),
            Err(error) if !self.is_several() => Err(error),
            Err(error) => {
                let line = error.line();
                // An interruption that made it fail is the cause, and is being told.
                interrupt::hold(|| fail(&line));
                self.failed.push((input.into(), line));
                Ok(None)
            }
        }
    }

    /// Where the outputs of the inputs go, with the inputs: those that cannot be written are told. `name` gives an output's
    /// name, and no output may take the place of a file that is `read`.
    ///
    /// # Errors
    /// Where outputs have no name or the same one, or their folder cannot be made.
    pub(crate) fn targets<'a>(
        &mut self,
        choice: &Outputs,
        inputs: &'a [PathBuf],
        name: impl Fn(&Path) -> Result<OsString>,
        read: &[PathBuf],
    ) -> Result<Vec<(&'a Path, Target)>> {
        input::check_stdin_once(read)?;
        let paths = paths(choice, inputs, name)?;
        if let Some(folder) = &choice.out_dir {
            self.made = Some(make_folder(folder)?);
        }
        let existing = choice.overwriting.existing();
        let mut targets = Vec::new();
        for (input, path) in inputs.iter().zip(paths) {
            let target = self.keep(input, Target::new(&path, existing, read))?;
            targets.extend(target.map(|target| (input.as_path(), target)));
        }
        Ok(targets)
    }

    /// What may be said beside these outputs.
    ///
    /// # Errors
    /// As [`Target::words`].
    pub(crate) fn words(&self, targets: &[(&Path, Target)]) -> Result<Output> {
        targets.iter().try_fold(self.output, |output, (_, target)| target.words(output))
    }

    /// What failed, in JSON.
    pub(crate) fn json(&self) -> Value {
        let entry = |(input, error): &(PathBuf, String)| json!({ "input": input::name(input).display().to_string(), "error": error });
        self.failed.iter().map(entry).collect()
    }

    /// Ends the command.
    ///
    /// # Errors
    /// [`Error::SomeFailed`] where an input failed.
    pub(crate) fn finish(self) -> Result<()> {
        match self.failed.len() {
            0 => Ok(()),
            failed => Err(Error::SomeFailed { failed, count: self.count }),
        }
    }
}

/// A file that was made of an input, in JSON.
pub(crate) fn made_json(input: &Path, file: &Written) -> Value {
    let mut entry = file.json();
    entry["input"] = input.display().to_string().into();
    entry
}

/// The outputs, one for each input; no two may be the same.
fn paths(
    choice: &Outputs,
    inputs: &[PathBuf],
    name: impl Fn(&Path) -> Result<OsString>,
) -> Result<Vec<PathBuf>> {
    let folder = choice.out_dir.as_deref().unwrap_or_else(|| Path::new(""));
    check_folder(folder)?;
    if let Some(out) = &choice.out {
        let count = inputs.len();
        return if count > 1 { Err(Error::OneOutput { count }) } else { Ok(vec![out.clone()]) };
    }
    let paths: Vec<PathBuf> =
        inputs.iter().map(|input| Ok(folder.join(name(input)?))).collect::<Result<_>>()?;
    let mut inputs_of = BTreeMap::new();
    for (path, input) in paths.iter().zip(inputs) {
        if let Some(first) = inputs_of.insert(path, input) {
            if first == input {
                return Err(Error::GivenTwice { path: input.clone() });
            }
            return Err(Error::SameOutput { first: first.clone(), second: input.clone(), out: path.clone() });
        }
    }
    Ok(paths)
}

/// An input's name with another ending: what outputs are called.
///
/// # Errors
/// [`Error::NeedsOutput`] for an input without a name of its own.
pub(crate) fn renamed(input: &Path, ending: &str) -> Result<OsString> {
    let mut name = input::stem(input)?.to_owned();
    name.push(ending);
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn outputs_are_called_after_inputs() {
        assert_eq!(renamed("inbox/7.enc".as_ref(), ".scores").unwrap(), "7.scores");
        assert_eq!(
            renamed("t10k-images-idx3-ubyte.gz".as_ref(), "-3.enc").unwrap(),
            "t10k-images-idx3-ubyte-3.enc"
        );
        assert!(renamed("-".as_ref(), ".enc").is_err());
    }
}
