//! Makes a model folder of a network of one's own.

use std::sync::Arc;

use bnn::{
    data::{IdxLabels, Image},
    engine::functional::Plan,
    import::{Imported, MOST_ONNX_BYTES, PixelScale, RealNetwork},
    model::Model,
};
use serde_json::json;
use tfhe_core::control::Control;

use crate::{
    arguments::import::ImportOnnx,
    error::{About, Error, Result},
    files::{
        data_set,
        folder::{folder_of, make_folder},
        input::{self, Input},
        model,
    },
    session::Session,
    terminal::{description, interrupt, output::Output, progress, units},
};

pub(crate) fn onnx(arguments: &ImportOnnx, session: &Session) -> Result<()> {
    let (output, out) = (session.output, &arguments.out);
    let read: Vec<_> = [Some(&arguments.file), Some(&arguments.calibrate), arguments.labels.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    input::check_stdin_once(&read)?;
    model::check_new(out)?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => out.file_name().unwrap_or_default().to_string_lossy().into_owned(),
    };
    let input = Input::open(&arguments.file)?;
    let file = input.name().to_owned();
    let pixels = PixelScale { black: arguments.black, white: arguments.white };
    let network = RealNetwork::from_onnx(&input.bytes(MOST_ONNX_BYTES as u64)?, pixels).about(&file)?;
    let (given, needed) = (arguments.weight_bits.len(), network.weighted_layers() - 1);
    if given > 1 && given != needed {
        return Err(Error::WeightBits { given, needed });
    }
    let pictures = Pictures::open(arguments, &network)?;

    let shown = file.file_name().unwrap_or(file.as_os_str()).display();
    let source = (&*name, &*format!("Imported from {shown}"));
    let control = Control::default();
    let import = || network.import(source, &pictures.images, &arguments.weight_bits, &control);
    let chosen = match progress::spinner("choosing weights in integers", import) {
        // A picture that the network does not read.
        Err(error @ bnn::Error::Encoding(_)) => return Err(error).about(&input::name(&arguments.calibrate)),
        chosen => chosen.about(&file)?,
    };
    let imported = chosen.files.model().map(Arc::new)?;
    let changes = imported.label_changes();
    tell(&imported, &pictures, &chosen, output)?;
    if let Some(found) = changes.filter(|&changes| changes > arguments.accept_label_changes) {
        return Err(Error::TooManyChanges { found });
    }
    let _made = make_folder(folder_of(out))?;
    let imported = interrupt::hold(|| model::write(&chosen.files, out))?;
    output.say(format_args!("{}: {}", out.display(), description::architecture(&imported)))?;
    output.give(&json!({
        "model": description::model_json(&imported),
        "folder": out.display().to_string(),
        "weight_bits": chosen.weight_bits,
        "pictures": pictures.images.len(),
        "compared": chosen.real.len(),
        "real_correct": pictures.correct(&chosen.real),
        "integer_correct": pictures.correct(&chosen.integers),
        "integer_equal": chosen.equal(),
        "label_changes": changes,
    }))
}

/// Pictures to calibrate on, and their labels if they are known.
struct Pictures {
    images: Vec<Image>,
    labels: Option<IdxLabels>,
}

impl Pictures {
    fn open(arguments: &ImportOnnx, network: &RealNetwork) -> Result<Self> {
        let (images, name) = (data_set::images(&arguments.calibrate)?, input::name(&arguments.calibrate));
        let labels = match &arguments.labels {
            Some(path) => {
                let labels = data_set::labels(path)?;
                labels.check(images.len(), network.classes()).about(&input::name(path))?;
                Some(labels)
            }
            None => None,
        };
        let count = images.len().min(arguments.limit.get());
        let images =
            (0..count).map(|index| images.image(index)).collect::<bnn::Result<Vec<_>>>().about(&name)?;
        if images.is_empty() {
            return Err(Error::NoPictures { path: name, why: "the file holds none".into() });
        }
        Ok(Self { images, labels })
    }

    /// How many of these labels are right, where that is known.
    fn correct(&self, labels: &[usize]) -> Option<usize> {
        let known = self.labels.as_ref()?.as_slice();
        Some(labels.iter().zip(known).filter(|&(&label, &known)| label == usize::from(known)).count())
    }
}

fn tell(model: &Arc<Model>, pictures: &Pictures, chosen: &Imported, output: Output) -> Result<()> {
    let compared = chosen.real.len();
    let widths: Vec<String> = chosen.weight_bits.iter().map(u32::to_string).collect();
    output
        .say(format_args!("pictures    {} to calibrate on, {compared} to compare", pictures.images.len()))?;
    if let Some(correct) = pictures.correct(&chosen.real) {
        output.say(format_args!("real        right on {}", units::share(correct, compared)))?;
    }
    let right = pictures.correct(&chosen.integers);
    let right =
        right.map_or_else(String::new, |correct| format!("; right on {}", units::share(correct, compared)));
    output.say(format_args!(
        "integers    weights of {} bits, the real label on {}{right}",
        widths.join(", "),
        units::share(chosen.equal(), compared)
    ))?;
    match (model.label_changes(), Plan::cheapest(Arc::clone(model))) {
        (Some(changes), Ok(plan)) => output.say(format_args!(
            "encrypted   {} bootstraps under {}; noise is expected to change {:.2} % of the labels",
            plan.bootstraps(),
            plan.parameters().name(),
            100.0 * changes
        )),
        (_, Err(why)) => {
            output.say(format_args!("encrypted   on the gate engine only: {}", Error::from(why).line()))
        }
        (None, Ok(_)) => Ok(()),
    }
}
