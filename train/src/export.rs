//! The export of a trained network: it is measured, and its folder gets the model and a card that says what it is.

use std::path::Path;
use std::time::Duration;

use crate::card::{Card, Description};
use crate::error::Result;
use crate::folder;
use crate::measurement::Measurement;
use crate::mnist::Digits;
use crate::model::Model;
use crate::run::{Outcome, Run};

/// What a network's own module says of it; the rest of the folder is the run's.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// The integers and what they compute.
    pub(crate) model: Model,
    /// What the card says of this network alone.
    pub(crate) description: Description,
}

/// Ends a run: prints the network's accuracy on the validation images and the `report`; with `--out`, measures it on the
/// test images, too, and writes its folder.
///
/// # Errors
/// Test images that cannot be read, a folder that cannot be written.
pub(crate) fn finish<N>(
    run: &Run,
    outcome: &Outcome<N>,
    measure: impl Fn(&N, &Digits) -> Measurement,
    report: &str,
    export: &Export,
) -> Result<()> {
    let validation = measure(&outcome.network, &outcome.validation);
    println!("validation: {validation}\n{report}");
    let Some(out) = &run.out else { return Ok(()) };
    let test = measure(&outcome.network, &run.test_digits()?);
    println!("test: {test}");
    export.write(out, run, outcome.time, [&validation, &test])
}

impl Export {
    /// Writes the folder. `time` is how long training took, and the accuracies are those on the validation images and on
    /// the test images.
    fn write(
        &self,
        folder: &Path,
        run: &Run,
        time: Duration,
        [validation, test]: [&Measurement; 2],
    ) -> Result<()> {
        let Self { model, description } = self;
        let card = Card { name: model.name, description, validation, test, run, time }.to_string();
        let (manifest, weights) = (model.manifest(), model.weights()?);
        folder::write(
            folder,
            [
                ("manifest.toml", manifest.as_bytes()),
                ("weights.safetensors", &weights),
                ("README.md", card.as_bytes()),
            ],
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use sha2::{Digest, Sha256};

    use super::*;
    use crate::measurement::tests::measured;
    use crate::run::command;

    /// Asserts that the files a network's folder holds have these SHA-256 sums: manifest, weights and card, with
    /// accuracies as measured with these noises. The command on the card is that of the test's process, so another one
    /// takes its place.
    pub(crate) fn assert_sums(export: &Export, run: &Run, noises: &[&str], sums: [&str; 3]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [validation, test] = [0.9, 0.8].map(|plain| measured(plain, noises));
        export.write(folder.path(), run, Duration::ZERO, [&validation, &test]).expect("a folder of our own");
        let read = |name| fs::read(folder.path().join(name)).expect("just written");
        let card = String::from_utf8(read("README.md")).expect("text").replace(&command(), "the command");
        let files = [read("manifest.toml"), read("weights.safetensors"), card.into_bytes()];
        let sum = |bytes| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(files.map(sum), sums);
    }
}
