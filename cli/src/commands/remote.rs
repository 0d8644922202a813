//! What a service has: models, cloud keys and jobs.

use serde::Serialize;
use serde_json::json;
use tfhe_core::{
    keys::CloudKey,
    serial::{NO_CONTEXT, to_bytes},
};

use crate::{
    arguments::remote::{Forget, ServiceChoice, Upload},
    error::{About, Result},
    files::{input::check_stdin_once, keys::cloud_key, named::Named},
    remote::{
        answers::{Job, Key, Model, ServedEngine},
        service::Service,
        upload::{self, Uploaded},
    },
    session::Session,
    terminal::{output::Output, units},
};

/// Lists the models.
pub(crate) fn models(choice: &ServiceChoice, session: &Session) -> Result<()> {
    let service = service(choice)?;
    list(&service, "models", &service.models()?, model_row, session.output)
}

/// Lists the cloud keys.
pub(crate) fn keys(choice: &ServiceChoice, session: &Session) -> Result<()> {
    let service = service(choice)?;
    list(&service, "keys", &service.keys()?, key_row, session.output)
}

/// Lists the jobs.
pub(crate) fn jobs(choice: &ServiceChoice, session: &Session) -> Result<()> {
    let service = service(choice)?;
    list(&service, "jobs", &service.jobs()?, job_row, session.output)
}

/// Sends a cloud key.
pub(crate) fn upload(arguments: &Upload, session: &Session) -> Result<()> {
    let mut files = arguments.service.files();
    files.push(arguments.cloud_key.path.clone());
    check_stdin_once(&files)?;
    let service = arguments.service.service()?;
    let Uploaded { key, bytes } = send_key(&service, &cloud_key(&arguments.cloud_key.path)?, session.output)?;
    session.output.give(&json!({
        "server": service.address().to_string(),
        "key": key,
        "uploaded_bytes": bytes,
    }))
}

/// Has a cloud key forgotten.
pub(crate) fn forget(arguments: &Forget, session: &Session) -> Result<()> {
    let service = service(&arguments.service)?;
    service.forget(arguments.id)?;
    session.output.say(format_args!("{}: the cloud key {} is forgotten", service.address(), arguments.id))?;
    session.output.give(&json!({
        "server": service.address().to_string(),
        "forgotten": arguments.id.to_string(),
    }))
}

/// Sends a cloud key that was read, and tells what came of it.
///
/// # Errors
/// Where the service does not take it.
pub(crate) fn send_key(service: &Service, key: &Named<CloudKey>, output: Output) -> Result<Uploaded> {
    let file = to_bytes(&key.content, NO_CONTEXT).about(&key.name)?;
    let (uploaded, duration) = units::timed(|| upload::upload(service, key.content.id(), &file));
    let uploaded = uploaded?;
    let (name, address) = (key.name.display(), service.address());
    if uploaded.bytes == 0 {
        output.say(format_args!("{name}: {address} has this cloud key already"))?;
    } else {
        let (size, time) = (units::size(uploaded.bytes), units::duration(duration));
        output.say(format_args!("{name}: sent to {address}: {size}, {time}"))?;
    }
    Ok(uploaded)
}

/// The service that was chosen.
fn service(choice: &ServiceChoice) -> Result<Service> {
    check_stdin_once(&choice.files())?;
    choice.service()
}

/// Shows a list, whose columns are as wide as what is in them.
fn list<T: Serialize, const COLUMNS: usize>(
    service: &Service,
    what: &str,
    things: &[T],
    row: impl Fn(&T) -> [String; COLUMNS],
    output: Output,
) -> Result<()> {
    let rows: Vec<_> = things.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| format!("{cell:0$}", width(column)));
        output.say(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    if rows.is_empty() {
        output.say(format_args!("{}: there are no {what}", service.address()))?;
    }
    output.give(&json!({ "server": service.address().to_string(), what: things }))
}

fn model_row(model: &Model) -> [String; 3] {
    let engine = |ServedEngine { engine, parameters, bootstraps }: &ServedEngine| match bootstraps {
        Some(bootstraps) => format!("{engine} {parameters}, {bootstraps} bootstraps"),
        None => format!("{engine} {parameters}"),
    };
    let engines: Vec<String> = model.engines.iter().map(engine).collect();
    [model.name.clone(), engines.join("; "), model.description.clone()]
}

fn key_row(key: &Key) -> [String; 3] {
    let size = units::size(key.bytes);
    let size = if key.complete { size } else { format!("{} of {size} received", units::size(key.received)) };
    [key.id.clone(), key.parameters.clone().unwrap_or_default(), size]
}

fn job_row(job: &Job) -> [String; 4] {
    let progress = match (job.total, &job.error) {
        (_, Some(error)) => error.clone(),
        (Some(total), None) => format!("{} of {total} bootstraps", job.bootstraps),
        (None, None) => format!("{} bootstraps", job.bootstraps),
    };
    [job.id.clone(), job.model.clone(), job.state.name().into(), progress]
}
