//! Evaluations that are asked about later.
#![allow(unused_qualifications, reason = "what the macro of the document makes of a query")]

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tfhe_core::keys::KeyId;
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

use super::{
    Context, away,
    body::ImageBody,
    caller::Caller,
    file::{BINARY, File},
    inference::Fitting,
    keys::identity,
    request::{Path, Query},
};
use crate::{
    access::{
        owner::Owner,
        tokens::{Scope, hex},
    },
    fault::{Fault, FaultView, Result},
    store::{
        StoreError,
        jobs::{Added, End, JobName, JobRecord},
        now,
    },
    work::order::{Live, Order, Purpose},
};

/// For how long a request may wait for the end of a job.
const MOST_WAIT: Duration = Duration::from_secs(60);

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    Queued,
    Running,
    Done,
    Failed,
}

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobView {
    /// 32 hexadecimal digits.
    id: String,
    model: String,
    /// The identity of the key under which its image is encrypted.
    key: String,
    state: JobState,
    /// Bootstraps that are done.
    bootstraps: u64,
    /// Bootstraps of the whole.
    total: u64,
    /// The layer that it is at, while it runs.
    #[schema(required)]
    layer: Option<String>,
    /// How long it will take at the speed of late, with what else is queued; null before there is a speed, and at the end.
    #[schema(required)]
    seconds_left: Option<f64>,
    /// Why there is no result.
    #[schema(required)]
    error: Option<String>,
}

/// The jobs of a token.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobsView {
    jobs: Vec<JobView>,
}

/// The job of an owner, model and image. The same image is the same job, so that a request can be sent again.
fn name_of(owner: &Owner, fitting: &Fitting, image: &[u8]) -> JobName {
    let digest = Sha256::new().chain_update(fitting.served.model.digest()).chain_update(image).finalize();
    let id = digest[..16].try_into().expect("invariant: SHA-256 has 32 bytes");
    JobName { owner: owner.clone(), id }
}

fn view(context: &Context, name: &JobName, record: JobRecord) -> JobView {
    let live = context.work.live(name);
    let (state, error) = match record.end {
        Some(End::Done) => (JobState::Done, None),
        Some(End::Failed(why)) => (JobState::Failed, Some(why)),
        None if live.as_ref().is_some_and(|live| live.is_begun()) => (JobState::Running, None),
        None => (JobState::Queued, None),
    };
    let bootstraps = match (state, &live) {
        (JobState::Done, _) => record.total,
        (_, Some(live)) => live.done().min(record.total),
        (_, None) => record.saved,
    };
    let is_ended = matches!(state, JobState::Done | JobState::Failed);
    let admission = &context.work.shared.admission;
    let speed = admission.speed().filter(|_| !is_ended);
    JobView {
        id: hex(&name.id),
        model: record.model,
        key: KeyId(record.key).to_string(),
        state,
        bootstraps,
        total: record.total,
        layer: live.filter(|_| !is_ended).and_then(|live| live.layer()),
        // It shares the machine with all that is queued, and none of it is known to come later.
        seconds_left: speed.map(|speed| admission.queued().max(record.total - bootstraps) as f64 / speed),
        error,
    }
}

/// Takes an encrypted image to be evaluated
#[utoipa::path(post, path = "/v2/models/{name}/jobs", params(("name" = String, Path)),
    request_body(content = inline(File), content_type = "application/octet-stream"),
    responses((status = 200, body = JobView, headers(("Location" = String, description = "The path of the job"))), (status = 202, body = JobView, headers(("Location" = String, description = "The path of the job"))), (status = 400, body = FaultView), (status = 401, body = FaultView),
    (status = 403, body = FaultView), (status = 404, body = FaultView), (status = 408, body = FaultView), (status = 413, body = FaultView), (status = 422, body = FaultView),
    (status = 429, body = FaultView), (status = 503, body = FaultView), (status = 507, body = FaultView)))]
pub(crate) async fn submit(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(model): Path,
    ImageBody(body, _room): ImageBody,
) -> Result<Response> {
    let fitting = Fitting::check(&context, &caller, &model, &body).await?;
    let name = name_of(&caller.owner, &fitting, &body);
    let location = [(header::LOCATION, format!("/v2/jobs/{}", hex(&name.id)))];
    if let Some(record) = find(&context, &name).await? {
        return Ok((StatusCode::OK, location, Json(view(&context, &name, record))).into_response());
    }
    let ticket = fitting.admit(&context)?;
    let record = JobRecord {
        model: fitting.served.name.clone(),
        model_digest: fitting.served.model.digest(),
        key: fitting.key.id,
        parameters: fitting.set.name().into(),
        total: fitting.cost.bootstraps as u64,
        saved: 0,
        bytes: body.len() as u64,
        end: None,
        touched: now(),
    };
    let (kept, added, quota) = (name.clone(), record.clone(), caller.quota);
    let Fitting { served, key, cost, .. } = fitting;
    let (live, purpose) = (Live::new(0), Purpose::Job(name.clone()));
    let order = Order { key, served, cost, ticket, live, purpose };
    let of_job = Arc::clone(&context);
    // In one go, which ends even where the client goes away meanwhile: a job that is stored and not handed to the worker would wait until the
    // next start, and so would the same image that is sent again.
    let added = away(move || {
        let added = of_job.store.add_job(&kept, &added, &body, quota)?;
        if matches!(added, Added::New) {
            of_job.work.submit(order);
        }
        Ok::<_, StoreError>(added)
    });
    match added.await?? {
        Added::New => {
            Ok((StatusCode::ACCEPTED, location, Json(view(&context, &name, record))).into_response())
        }
        // It came twice at once.
        Added::There(record) => {
            Ok((StatusCode::OK, location, Json(view(&context, &name, record))).into_response())
        }
        Added::OverQuota(over) => Err(Fault::over_quota(over, quota)),
    }
}

async fn find(context: &Arc<Context>, name: &JobName) -> Result<Option<JobRecord>> {
    let name = name.clone();
    context.with_store(move |store| store.job(&name)).await
}

/// The job of a path, which is the caller's.
async fn get(context: &Arc<Context>, caller: &Caller, id: &str) -> Result<(JobName, JobRecord)> {
    caller.needs(Scope::Infer)?;
    let name = JobName { owner: caller.owner.clone(), id: identity(id, "job")? };
    let record = find(context, &name).await?.ok_or_else(|| Fault::not_found("job"))?;
    Ok((name, record))
}

/// Lists the jobs of the token
#[utoipa::path(get, path = "/v2/jobs", responses((status = 200, body = JobsView), (status = 401, body = FaultView),
    (status = 403, body = FaultView)))]
pub(crate) async fn list(State(context): State<Arc<Context>>, caller: Caller) -> Result<Json<JobsView>> {
    caller.needs(Scope::Infer)?;
    let jobs = context.with_store(move |store| store.jobs(&caller.owner)).await?;
    Ok(Json(JobsView {
        jobs: jobs.into_iter().map(|(name, record)| view(&context, &name, record)).collect(),
    }))
}

/// How a job is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Waiting {
    /// Answer when the job has ended, or after so many seconds, 60 at most.
    #[param(nullable = false)]
    wait: Option<u64>,
}

/// Says how far a job is
#[utoipa::path(get, path = "/v2/jobs/{id}", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$"), Waiting),
    responses((status = 200, body = JobView), (status = 400, body = FaultView), (status = 401, body = FaultView), (status = 403, body = FaultView),
    (status = 404, body = FaultView)))]
pub(crate) async fn describe(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
    Query(waiting): Query<Waiting>,
) -> Result<Json<JobView>> {
    let until = Instant::now() + Duration::from_secs(waiting.wait.unwrap_or(0)).min(MOST_WAIT);
    let mut endings = context.work.endings();
    loop {
        endings.borrow_and_update();
        let (name, record) = get(&context, &caller, &id).await?;
        let is_over = record.end.is_some() || context.work.shared.is_stopping();
        if is_over || timeout_at(until, endings.changed()).await.is_err() {
            // While it was waited for it has gone on.
            let (name, record) = if is_over { (name, record) } else { get(&context, &caller, &id).await? };
            return Ok(Json(view(&context, &name, record)));
        }
    }
}

/// Gives the encrypted scores of a job
#[utoipa::path(get, path = "/v2/jobs/{id}/result", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$")),
    responses((status = 200, body = inline(File), content_type = "application/octet-stream"), (status = 401, body = FaultView),
    (status = 403, body = FaultView), (status = 404, body = FaultView), (status = 409, body = FaultView)))]
pub(crate) async fn result(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
) -> Result<impl IntoResponse> {
    let (name, record) = get(&context, &caller, &id).await?;
    match record.end {
        Some(End::Done) => {
            let scores = context.with_store(move |store| store.job_result(&name)).await?;
            Ok((BINARY, scores.ok_or_else(|| Fault::not_found("job"))?))
        }
        Some(End::Failed(why)) => Err(Fault::conflict(format!("the job failed: {why}"))),
        None => Err(Fault::conflict("the job has not ended")),
    }
}

/// Cancels a job and forgets it, with its result
#[utoipa::path(delete, path = "/v2/jobs/{id}", params(("id" = String, Path, pattern = "^[0-9a-f]{32}$")),
    responses((status = 204), (status = 401, body = FaultView), (status = 403, body = FaultView), (status = 404, body = FaultView),
    (status = 507, body = FaultView)))]
pub(crate) async fn delete(
    State(context): State<Arc<Context>>,
    caller: Caller,
    Path(id): Path,
) -> Result<StatusCode> {
    let (name, _) = get(&context, &caller, &id).await?;
    let was_there = away(move || {
        let was_there = context.store.delete_job(&name)?;
        context.work.cancel(&name);
        Ok::<_, StoreError>(was_there)
    });
    if was_there.await?? { Ok(StatusCode::NO_CONTENT) } else { Err(Fault::not_found("job")) }
}
