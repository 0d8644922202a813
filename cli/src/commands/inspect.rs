//! Says what a file or a model folder is; never what is secret in it.

use std::{path::Path, sync::Arc};

use bnn::{
    client::{InputEncoding, PixelEncoding},
    engine::{Engine, SavedRun, functional::Plan, gates, is_saved_run},
    model::Model,
};
use serde_json::{Value, json};
use tfhe_core::{
    ciphertext::{CiphertextList, PackedCiphertext, SeededCiphertexts},
    keys::{CloudKey, SecretKey},
    serial::{
        Frame, Header, Kind, NO_CONTEXT, Stored,
        tfhe_lib::{Form, KeySet},
    },
};

use crate::{
    arguments::{files::Inspect, shared::CircuitStyle},
    commands::infer::saved::{MOST_STATE_BYTES, START_BYTES},
    error::{About, Result},
    files::{
        input::{Input, is_stdin},
        keys, lookup, specification,
    },
    session::Session,
    terminal::{description, output::Output, progress, units},
};

pub(crate) fn run(arguments: &Inspect, session: &Session) -> Result<()> {
    let path = &arguments.file;
    // What is no file may still be the name of a model.
    let is_model = path.is_dir() || !path.exists() && lookup::models().contains_key(path.as_os_str());
    if is_model && !is_stdin(path) {
        inspect_model(&lookup::model(path)?, session)
    } else {
        inspect_file(path, session)
    }
}

fn inspect_file(path: &Path, session: &Session) -> Result<()> {
    let mut input = Input::open(path)?;
    match keys::recognise(&mut input)? {
        Some(form) => inspect_library(form, input, session),
        None if is_saved_run(input.start(START_BYTES)?) => inspect_saved_run(input, session.output),
        // No native file begins with a brace, and every specification does.
        None if input.start(1)? == b"{" => inspect_specification(input, session.output),
        None => inspect_native(input, session),
    }
}

/// A run that goes on with `bnn infer --resume`.
fn inspect_saved_run(input: Input, output: Output) -> Result<()> {
    let name = input.name().to_owned();
    let saved = input.bytes(MOST_STATE_BYTES)?;
    let (bytes, run) = (saved.len() as u64, SavedRun::read(&saved).about(&name)?);
    let (digest, style, done) = (run.model_digest(), run.style(), run.bootstraps());
    let (parameters, key_id) = (run.parameters(), run.ciphertexts().key_id());
    // Keys of another engine have nothing that could be counted.
    let is_of_key = Engine::of(parameters).is_ok_and(|engine| engine == run.engine());
    let model = lookup::with_digest(digest).filter(|_| is_of_key);
    let total = match (&model, style) {
        (Some((_, model)), Some(style)) => {
            let plan = gates::Plan::new(Arc::clone(model), parameters, style);
            Some(progress::spinner("building the circuits", || plan.estimate())?.bootstraps)
        }
        (Some((_, model)), None) => {
            Plan::new(Arc::clone(model), parameters).ok().map(|plan| plan.bootstraps())
        }
        (None, _) => None,
    };
    let model_name = model.map(|(name, _)| name);
    let of_total = total.map_or_else(String::new, |total| format!(" of {total}"));
    let style = style.map(|style| CircuitStyle::from(style).to_string());
    output.say(format_args!("file        {}", name.display()))?;
    output.say("kind        a saved run, encrypted; `bnn infer --resume` goes on with it")?;
    output.say(format_args!("size        {}", units::exact_size(bytes)))?;
    output.say(format_args!("parameters  {}", description::set(parameters)))?;
    output.say(format_args!("key id      {}", key_id))?;
    output.say(model_line(digest, model_name.as_deref()))?;
    output.say(format_args!("engine      {}", run.engine()))?;
    if let Some(style) = &style {
        output.say(format_args!("circuits    {style}"))?;
    }
    output.say(format_args!("progress    {done}{of_total} bootstraps are done"))?;
    output.say("checksum    holds")?;
    output.give(&json!({
        "file": name.display().to_string(),
        "kind": "a saved run",
        "bytes": bytes,
        "parameters": description::set_json(parameters),
        "key_id": key_id.to_string(),
        "model_digest": units::hex(&digest),
        "model_name": model_name,
        "engine": run.engine().to_string(),
        "style": style,
        "bootstraps_done": done,
        "bootstraps": total,
        "checksum": "holds",
    }))
}

/// The model that a file is of, for people.
fn model_line(digest: [u8; 32], name: Option<&str>) -> String {
    format!("model       {} ({})", units::hex(&digest), name.unwrap_or("not found here"))
}

/// What a client needs of a model.
fn inspect_specification(input: Input, output: Output) -> Result<()> {
    let name = input.name().to_owned();
    let specification = specification::read(input)?;
    let (picture, labels) = (specification.input(), specification.labels());
    let digest = units::hex(&specification.model_digest());
    output.say(format_args!("file        {}", name.display()))?;
    output.say("kind        a client specification")?;
    output.say(format_args!("model       {}", specification.model_name()))?;
    output.say(format_args!("digest      {digest}"))?;
    output.say(input_line(picture))?;
    output.say(format_args!("labels      {}", labels.join(", ")))?;
    let mut engines = Vec::new();
    for engine in [Engine::Functional, Engine::Gates] {
        let sets: Vec<&str> =
            specification.parameter_sets(engine).into_iter().map(|set| set.name()).collect();
        if !sets.is_empty() {
            output.say(format_args!("{:<11} with keys of {}", engine.to_string(), sets.join(", ")))?;
        }
        engines.push(json!({ "engine": engine.to_string(), "parameters": sets }));
    }
    output.say("checksum    holds")?;
    output.give(&json!({
        "file": name.display().to_string(),
        "kind": "a client specification",
        "model": description::client_json(&specification),
        "input": input_json(picture),
        "labels": labels,
        "engines": engines,
        "checksum": "holds",
    }))
}

/// How a model reads pictures, for people.
fn input_line(input: &InputEncoding) -> String {
    let (width, height, read) = (input.width(), input.height(), reading(input));
    match input.channels() {
        1 => format!("input       {width} x {height} pixels: {read}"),
        // In the order of the values, as networks are described.
        channels => format!("input       {channels} x {height} x {width} (channels, rows, columns): {read}"),
    }
}

/// The same in JSON.
fn input_json(input: &InputEncoding) -> Value {
    json!({
        "width": input.width(),
        "height": input.height(),
        "channels": input.channels(),
        "encoding": input.pixels().name(),
        "values": input.value_count(),
        "bits": input.bit_count(),
    })
}

/// A file of the TFHE library.
fn inspect_library(form: Form, mut input: Input, session: &Session) -> Result<()> {
    let (output, name) = (session.output, input.name().to_owned());
    let (kind, set) = match form {
        Form::KeySet => {
            let set = keys::key_set(&mut input)?;
            let kind = match set {
                KeySet::Secret(_) => Kind::SecretKey.to_string(),
                KeySet::Cloud(_) => Kind::CloudKeyWithMasks.to_string(),
            };
            (kind, Some((*set.cloud().parameters(), set.id())))
        }
        Form::Ciphertexts => ("ciphertexts".into(), None),
        Form::Part(part) => (part.to_string(), None),
    };
    let bytes = input.measure()?;
    output.say(format_args!("file        {}", name.display()))?;
    output.say(format_args!("kind        {kind}, in the form of the TFHE library"))?;
    output.say(format_args!("size        {}", units::exact_size(bytes)))?;
    if let Some((parameters, id)) = &set {
        output.say(format_args!("parameters  {}", description::set(parameters)))?;
        output.say(format_args!("key id      {id}"))?;
    }
    output.give(&json!({
        "file": name.display().to_string(),
        "kind": kind,
        "bytes": bytes,
        "parameters": set.as_ref().map(|(parameters, _)| description::set_json(parameters)),
        "key_id": set.map(|(_, id)| id.to_string()),
        "checksum": null,
    }))
}

/// A file of this program.
fn inspect_native(mut input: Input, session: &Session) -> Result<()> {
    let (output, name) = (session.output, input.name().to_owned());
    let frame = Frame::read(&mut input).about(&name)?;
    let bytes = input.measure()?;
    let (header, content) = content(frame).about(&name)?;
    let model = (header.context != NO_CONTEXT).then_some(header.context);
    let model_name = model.and_then(lookup::with_digest).map(|(name, _)| name);

    output.say(format_args!("file        {}", name.display()))?;
    // What is for a model is what people encrypted for it.
    let kind = match (model, header.kind.to_string()) {
        (Some(_), made_of) => format!("{} ({made_of})", description::content(header.kind)),
        (None, kind) => kind,
    };
    output.say(format_args!("kind        {kind}{content}"))?;
    output.say(format_args!("size        {}", units::exact_size(bytes)))?;
    output.say(format_args!(
        "parameters  {}; {}",
        description::set(header.parameters),
        description::exactness(header.parameters),
    ))?;
    output.say(format_args!("key id      {}", header.key_id))?;
    if let Some(digest) = model {
        output.say(model_line(digest, model_name.as_deref()))?;
    }
    output.say("checksum    holds")?;
    output.give(&json!({
        "file": name.display().to_string(),
        "kind": header.kind.to_string(),
        "bytes": bytes,
        "parameters": description::set_json(header.parameters),
        "key_id": header.key_id.to_string(),
        "model_digest": model.map(|digest| units::hex(&digest)),
        "model_name": model_name,
        "checksum": "holds",
    }))
}

/// The header, and what the file holds in numbers. It is decoded, so that what the checksum cannot tell is checked too.
fn content(frame: Frame) -> tfhe_core::Result<(Header, String)> {
    let values = |count: usize| format!(": {count} values");
    Ok(match frame.header().kind {
        Kind::SecretKey => (frame.decode::<SecretKey>()?.header, ": for the client only".into()),
        Kind::CloudKey | Kind::CloudKeyWithMasks => {
            (frame.decode::<CloudKey>()?.header, ": for the server".into())
        }
        Kind::SeededCiphertexts => {
            let Stored { content, header } = frame.decode::<SeededCiphertexts>()?;
            (header, values(content.message_count()))
        }
        Kind::PackedCiphertext => {
            let Stored { content, header } = frame.decode::<PackedCiphertext>()?;
            (header, values(content.message_count()))
        }
        _ => {
            let Stored { content, header } = frame.decode::<CiphertextList>()?;
            (header, values(content.ciphertexts().len()))
        }
    })
}

fn inspect_model(model: &Arc<Model>, session: &Session) -> Result<()> {
    let output = session.output;
    let (input, digest) = (model.input(), units::hex(&model.digest()));
    output.say(format_args!("model       {}: {}", model.name(), model.description()))?;
    output.say(format_args!("digest      {digest}"))?;
    output.say(input_line(input))?;
    let plan = Plan::cheapest(Arc::clone(model)).ok();
    let engines = plan.as_ref().map_or_else(
        || "gates".into(),
        |plan| {
            let (bootstraps, set) = (plan.bootstraps(), plan.parameters().name());
            format!("functional ({bootstraps} bootstraps an image, {set}) and gates")
        },
    );
    output.say(format_args!("engines     {engines}; `bnn estimate` says what each takes"))?;
    output.say("")?;
    let width = model.layers().map(|layer| layer.name().chars().count()).fold("layer".len(), usize::max);
    output.say(format_args!(
        "{:width$}  kind              gives         bootstraps  sums and noise (functional engine)",
        "layer"
    ))?;
    let margins = plan.as_ref().map(Plan::margins).unwrap_or_default();
    let mut layers = Vec::new();
    for (index, layer) in model.layers().enumerate() {
        let (name, kind, inputs, outputs) = (layer.name(), layer.kind(), layer.inputs(), layer.outputs());
        let margin = margins.iter().find(|margin| margin.index == index);
        let margin_text = margin.map_or_else(String::new, |margin| {
            format!("{} to {}, noise {:.2}", margin.range.0, margin.range.1, margin.noise)
        });
        let bootstraps = margin.map_or_else(String::new, |margin| margin.bootstraps.to_string());
        let from = layer.from().map_or_else(String::new, |from| format!("from {from}"));
        let facts =
            [from, margin_text].into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join("; ");
        let gives = description::shape(layer.shape());
        let line = format!("{name:<width$}  {kind:<16}  {gives:<12}  {bootstraps:>10}  {facts}");
        output.say(line.trim_end())?;
        layers.push(json!({
            "name": name,
            "kind": kind,
            "inputs": inputs,
            "outputs": outputs,
            "shape": layer.shape(),
            "from": layer.from(),
            "bootstraps": margin.map(|margin| margin.bootstraps),
            "sums": margin.map(|margin| margin.range),
            "noise_deviation": margin.map(|margin| margin.noise),
        }));
    }
    output.give(&json!({
        "model": description::model_json(model),
        "description": model.description(),
        "input": input_json(input),
        "bootstraps": plan.as_ref().map(Plan::bootstraps),
        "layers": layers,
    }))
}

/// What becomes of pixels, in words.
fn reading(input: &InputEncoding) -> String {
    match input.pixels() {
        PixelEncoding::Threshold { threshold, max_active } => {
            format!("1 where grey is at least {threshold}, else 0; at most {max_active} ones")
        }
        PixelEncoding::Grey { bits } => {
            format!(
                "the upper {bits} bits of {}",
                if input.channels() == 1 { "grey" } else { "each channel" }
            )
        }
        PixelEncoding::SignAndScale { window, fraction_bits, bits, largest } => format!(
            "signs of the standardised picture, and mean magnitudes of its {window} x {window} windows in {bits} bits, at most {:.2}",
            f64::from(largest) / f64::from(fraction_bits).exp2()
        ),
    }
}
