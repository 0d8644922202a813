//! Checks the known-answer vectors, or makes them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use bnn::{data::Image, model::Model, vectors};
use serde_json::json;
use tfhe_core::vectors::Row;

use crate::{
    arguments::trials::{VectorsCheck, VectorsGenerate},
    error::{Error, Result},
    files::{
        folder::{check_folder, make_folder},
        input::Input,
        lookup,
        output::Target,
        shipped,
        whole::Secrecy,
    },
    session::Session,
    terminal::{progress, units},
};

/// More than a file of vectors has, in bytes.
const MOST_BYTES: u64 = 64 << 20;

pub(crate) fn check(arguments: &VectorsCheck, session: &Session) -> Result<()> {
    let (output, backend) = (session.output, session.backend()?);
    let (origin, recorded) = match arguments.dir.clone().or_else(lookup::vectors) {
        Some(folder) => (folder.display().to_string(), recorded(&folder)?),
        None => (shipped::PLACE.into(), shipped::vectors()),
    };
    let (models, digits) = samples()?;
    let compute = || vectors::check(&recorded, &models, &digits, backend);
    let (rows, duration) = units::timed(|| progress::spinner("computing", compute));
    let rows = rows?;
    let failed: Vec<&Row> = rows.iter().filter(|row| row.fault.is_some()).collect();

    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    output.say(format_args!(
        "{:width$}  cases  {:8}  result  error/tolerance  definition",
        "vector", "backend"
    ))?;
    for row in &rows {
        let result = if row.fault.is_none() { "ok" } else { "FAILED" };
        let error = row.error.map_or_else(|| "exact".into(), |error| format!("{error:.2}"));
        output.say(format_args!(
            "{:width$}  {:>5}  {:8}  {result:6}  {error:>15}  {}",
            row.name,
            row.cases,
            backend.to_string(),
            row.definition
        ))?;
    }
    for row in &failed {
        output.say(format_args!("{}: {}", row.name, row.fault.as_deref().unwrap_or_default()))?;
    }
    output.say(format_args!(
        "{} vectors in {}, {} failed, {}",
        rows.len(),
        origin,
        failed.len(),
        units::duration(duration)
    ))?;
    let entry = |row: &Row| {
        json!({
            "vector": row.name,
            "definition": row.definition,
            "cases": row.cases,
            "error": row.error,
            "fault": row.fault,
        })
    };
    output.give(&json!({
        "folder": origin,
        "backend": backend.to_string(),
        "vectors": rows.iter().map(entry).collect::<Vec<_>>(),
        "failed": failed.len(),
        "seconds": duration.as_secs_f64(),
    }))?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(Error::VectorsFailed {
            failed: failed.len(),
            vector: first.name.clone(),
            fault: first.fault.clone().unwrap_or_default(),
        }),
    }
}

pub(crate) fn generate(arguments: &VectorsGenerate, session: &Session) -> Result<()> {
    let (output, folder) = (session.output, &arguments.out);
    let existing = arguments.overwriting.existing();
    check_folder(folder)?;
    let _made = make_folder(folder)?;
    let target = |name: &str| Target::new(&folder.join(name), existing, &[]);
    for name in vectors::FILES {
        target(name)?;
    }
    let (models, digits) = samples()?;
    let (contents, duration) =
        units::timed(|| progress::spinner("computing", || vectors::generate(&models, &digits)));
    let mut written = Vec::new();
    for (name, bytes) in contents? {
        let file = target(&name)?.write(&bytes, Secrecy::Everyone, duration)?;
        output.say(format_args!("{}  {}", file.path.display(), units::size(file.bytes)))?;
        written.push(file.path.display().to_string());
    }
    output.say(format_args!("made in {}", units::duration(duration)))?;
    output.give(&json!({ "files": written, "seconds": duration.as_secs_f64() }))
}

/// The files of the folder, by name.
fn recorded(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let read = |name: &&str| Ok(((*name).to_owned(), Input::open(&folder.join(name))?.bytes(MOST_BYTES)?));
    // From the last on, which is the file that every folder of vectors has.
    vectors::FILES.iter().rev().map(read).collect()
}

/// The models and digits that ship.
fn samples() -> Result<(Vec<Model>, Vec<Image>)> {
    let models = shipped::MODELS.iter().map(|model| model.open().map(Arc::unwrap_or_clone));
    Ok((models.collect::<Result<_>>()?, shipped::digits()?))
}
