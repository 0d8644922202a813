//! Makes a model folder with the ranges that a model's sums have on pictures like those that it is for.

use std::sync::Arc;

use bnn::engine::{calibrate, functional::Plan};
use serde_json::json;
use tfhe_core::control::Control;

use crate::{
    arguments::files::Calibrate,
    commands::evaluate::selection::encode,
    error::{About, Error, Result},
    files::{
        data_set,
        folder::{folder_of, make_folder},
        input, lookup, model,
    },
    session::Session,
    terminal::{description, interrupt, progress},
};

pub(crate) fn run(arguments: &Calibrate, session: &Session) -> Result<()> {
    let (output, out) = (session.output, &arguments.out);
    model::check_new(out)?;
    let files = lookup::model_files(&arguments.model)?;
    let before = files.model().map(Arc::new)?;
    let (images, name) = (data_set::images(&arguments.images)?, input::name(&arguments.images));
    let preparation = arguments.preparing.preparation();
    let count = images.len().min(arguments.limit.get());
    let encode = |index| encode(images.image(index)?, &preparation, before.input());
    let encoded = (0..count).map(encode).collect::<bnn::Result<Vec<_>>>().about(&name)?;
    let refusal = encoded.iter().find_map(|encoded| encoded.as_ref().err().map(Error::line));
    let accepted: Vec<_> = encoded.into_iter().flatten().collect();
    if accepted.is_empty() {
        let why = refusal.unwrap_or_else(|| "the file holds none".into());
        return Err(Error::NoPictures { path: name, why });
    }
    let files = progress::spinner("calibrating", || calibrate(&files, &accepted, &Control::default()))?;
    let _made = make_folder(folder_of(out))?;
    let after = interrupt::hold(|| model::write(&files, out))?;

    output.say(format_args!(
        "{}: {} with the ranges of {} pictures{}, and an eighth of each at either end",
        out.display(),
        after.name(),
        accepted.len(),
        refusal.map_or_else(String::new, |why| {
            format!(" ({} are refused; the first: {why})", count - accepted.len())
        }),
    ))?;
    let plan = Plan::cheapest(Arc::clone(&after)).ok();
    // Of n pictures and one more, each is as likely as another to have the least sum of a layer, or the greatest.
    let ends = 2 * plan.as_ref().map_or(0, |plan| plan.margins().len());
    let leaves = (ends as f64 / (accepted.len() + 1) as f64).min(1.0);
    output.say(format_args!(
        "Another picture like them has a sum outside of a range with a probability of {leaves:.4} at most, and less for the margin; its \
         label may then be wrong. `bnn estimate` says what was won"
    ))?;
    let mut layers = Vec::new();
    for margin in plan.iter().flat_map(Plan::margins) {
        let ((least, most), (low, high)) = (margin.range, margin.worst_case);
        let name = &*margin.layer;
        output.say(format_args!(
            "layer       {name}: sums from {least} to {most}, where {low} to {high} could be"
        ))?;
        layers.push(json!({ "name": name, "sums": margin.range, "worst_case": margin.worst_case }));
    }
    output.give(&json!({
        "model": description::model_json(&after),
        "folder": out.display().to_string(),
        "pictures": accepted.len(),
        "refused": count - accepted.len(),
        "leaves_probability": leaves,
        "layers": layers,
    }))
}
