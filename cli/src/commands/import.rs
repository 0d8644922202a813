//! Makes a model folder of a network of one's own.

use std::{iter::repeat_n, sync::Arc};

use bnn::{
    client::EncodedImage,
    data::{IdxLabels, Image},
    engine::{calibrate, evaluate, functional::Plan},
    import::{MOST_ONNX_BYTES, PixelScale, RealNetwork},
    model::{Model, ModelFiles},
};
use rayon::prelude::*;
use serde_json::json;

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

/// Pictures on which labels are compared.
const MOST_COMPARED: usize = 1000;
/// Widths of weights that are tried, in bits; and that of the layer that reads pixels: weights multiply the noise of what they read, and
/// pixels have next to none.
const WEIGHT_BITS: std::ops::RangeInclusive<u32> = 2..=8;
const FIRST_BITS: u32 = 8;

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
    let label = |picture: &Vec<f64>| {
        let scores = network.evaluate(picture);
        // The first of the greatest, as everywhere.
        (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or_default()
    };
    let real: Vec<usize> = pictures.reals[..pictures.compared()].par_iter().map(label).collect();
    let import = || choose(&network, source, &pictures, &real, &arguments.weight_bits);
    let chosen = progress::spinner("choosing weights in integers", import).about(&file)?;
    let imported = chosen.files.model().map(Arc::new)?;
    let changes = imported.label_changes();
    tell(&imported, &pictures, &real, &chosen, output)?;
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
        "compared": pictures.compared(),
        "real_correct": pictures.correct(&real),
        "integer_correct": pictures.correct(&chosen.labels),
        "integer_equal": equal(&chosen.labels, &real),
        "label_changes": changes,
    }))
}

/// Pictures to calibrate on, and their labels if they are known.
struct Pictures {
    images: Vec<Image>,
    /// The same from 0 to 1.
    reals: Vec<Vec<f64>>,
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
        let Some(first) = images.first() else {
            return Err(Error::NoPictures { path: name, why: "the file holds none".into() });
        };
        let (channels, width, height) = network.picture();
        let (found, expected) = ((first.width(), first.height()), (width, height));
        if found != expected {
            let fault = bnn::client::EncodingFault::Size { found, expected };
            return Err(bnn::Error::from(fault)).about(&name);
        }
        if first.channels() != channels {
            let fault = bnn::client::EncodingFault::Channels { found: first.channels(), expected: channels };
            return Err(bnn::Error::from(fault)).about(&name);
        }
        let real = |image: &Image| image.pixels().iter().map(|&grey| f64::from(grey) / 255.0).collect();
        let reals = images.iter().map(real).collect();
        Ok(Self { images, reals, labels })
    }

    /// How many are compared.
    fn compared(&self) -> usize {
        self.images.len().min(MOST_COMPARED)
    }

    fn encoded(&self, model: &Model) -> bnn::Result<Vec<EncodedImage>> {
        self.images.iter().map(|image| model.input().encode(image)).collect()
    }

    /// How many of these labels are right, where that is known.
    fn correct(&self, labels: &[usize]) -> Option<usize> {
        let known = self.labels.as_ref()?.as_slice();
        Some(labels.iter().zip(known).filter(|&(&label, &known)| label == usize::from(known)).count())
    }
}

/// A network in integers.
struct Chosen {
    /// Of each layer with weights.
    weight_bits: Vec<u32>,
    files: ModelFiles,
    /// Its labels of the pictures that are compared.
    labels: Vec<usize>,
}

/// The network in integers, with the width of weights that was asked for, or those with which most labels are expected to be the
/// real ones: narrow weights are coarse, and wide ones multiply noise. One width for all comes first, and then a bit more or less for
/// each layer.
fn choose(
    network: &RealNetwork,
    source: (&str, &str),
    pictures: &Pictures,
    real: &[usize],
    asked: &[u32],
) -> bnn::Result<Chosen> {
    let ranges = network.ranges(&pictures.reals);
    let make = |weight_bits: Vec<u32>| {
        let files = network.to_integers(source, &ranges, &weight_bits)?;
        let encoded = pictures.encoded(&files.model()?)?;
        let files = calibrate(&files, &encoded)?;
        let model = files.model()?;
        let label = |image: &EncodedImage| Ok(evaluate(&model, image)?.label());
        let labels: Vec<usize> = encoded[..real.len()].par_iter().map(label).collect::<bnn::Result<_>>()?;
        // A network that is not run has no label.
        let changes = model.label_changes().unwrap_or(1.0);
        let worth = equal(&labels, real) as f64 / real.len() as f64 - changes;
        Ok::<_, bnn::Error>((worth, Chosen { weight_bits, files, labels }))
    };
    let layers = network.weighted_layers();
    let uniform = |bits| [FIRST_BITS].into_iter().chain(repeat_n(bits, layers - 1)).collect::<Vec<u32>>();
    match *asked {
        [] => {}
        [bits] => return make(uniform(bits)).map(|(_, chosen)| chosen),
        _ => return make([&[FIRST_BITS], asked].concat()).map(|(_, chosen)| chosen),
    }
    // Where one width has no place for its numbers, another may have.
    let mut made: Vec<bnn::Result<(f64, Chosen)>> = WEIGHT_BITS.map(|bits| make(uniform(bits))).collect();
    let worth =
        |made: &bnn::Result<(f64, Chosen)>| made.as_ref().map_or(f64::NEG_INFINITY, |(worth, _)| *worth);
    // Of equal ones the narrowest.
    let best = (0..made.len()).rev().max_by(|&a, &b| worth(&made[a]).total_cmp(&worth(&made[b])));
    let (mut most, mut chosen) = made.swap_remove(best.expect("invariant: there are widths to try"))?;
    for layer in 1..layers {
        for bits in [chosen.weight_bits[layer] + 1, chosen.weight_bits[layer] - 1] {
            let mut other = chosen.weight_bits.clone();
            other[layer] = bits;
            let made = WEIGHT_BITS.contains(&bits).then(|| make(other));
            if let Some(Ok((worth, other))) = made
                && worth > most
            {
                (most, chosen) = (worth, other);
            }
        }
    }
    Ok(chosen)
}

/// How many labels are the same.
fn equal(labels: &[usize], others: &[usize]) -> usize {
    labels.iter().zip(others).filter(|(label, other)| label == other).count()
}

fn tell(
    model: &Arc<Model>,
    pictures: &Pictures,
    real: &[usize],
    chosen: &Chosen,
    output: Output,
) -> Result<()> {
    let compared = real.len();
    let widths: Vec<String> = chosen.weight_bits.iter().map(u32::to_string).collect();
    output
        .say(format_args!("pictures    {} to calibrate on, {compared} to compare", pictures.images.len()))?;
    if let Some(correct) = pictures.correct(real) {
        output.say(format_args!("real        right on {}", units::share(correct, compared)))?;
    }
    let right = pictures.correct(&chosen.labels);
    let right =
        right.map_or_else(String::new, |correct| format!("; right on {}", units::share(correct, compared)));
    output.say(format_args!(
        "integers    weights of {} bits, the real label on {}{right}",
        widths.join(", "),
        units::share(equal(&chosen.labels, real), compared)
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
