"""Jobs: order them, watch them, stop them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from thisismy.core.errors import LibraryError
from thisismy.web import requests, responses
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.events import encode
from thisismy.web.job_kinds import prepare
from thisismy.web.job_queue import Job
from thisismy.web.requests import RowId
from thisismy.web.routes.library import read_status
from thisismy.web.state import AppState, AppStateDep, job_shape

router = APIRouter(prefix="/api", tags=["jobs"])


@router.post("/jobs", status_code=202, summary="Order a job")
def order(app: AppStateDep, body: requests.JobOrder) -> responses.Job:
    """Jobs run one after the other; an order that waits already is not queued twice.

    ``paths`` are the only paths that a client may name, and only where just this machine can ask.
    """
    title, do = prepare(app, body)
    asked = body.model_dump()
    return job_shape(app.worker.submit(body.kind, title, asked, do))


@router.get("/jobs", summary="All jobs")
def list_jobs(app: AppStateDep) -> responses.Listing[responses.Job]:
    """Newest first; those of this run of the server."""
    return responses.Listing(items=[job_shape(job) for job in app.worker.jobs()])


@router.get("/jobs/{job_id}", summary="One job")
def show_job(app: AppStateDep, job_id: RowId) -> responses.Job:
    """Its progress, or its result."""
    return job_shape(_find(app, job_id))


@router.post("/jobs/{job_id}/cancel", summary="Stop a job")
def cancel(app: AppStateDep, job_id: RowId, body: requests.Nothing) -> responses.Job:
    """What it finished is kept; ordering it again resumes from there."""
    job = _find(app, job_id)
    app.worker.cancel(job)
    return job_shape(job)


@router.get(
    "/events",
    summary="Events as they happen",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Server-sent events."}},
)
async def events(app: AppStateDep) -> StreamingResponse:
    """``hello`` with the status, then ``job`` and ``changed`` events, until the server stops."""
    hello = await run_in_threadpool(read_status, app)
    stream = app.events.listen(encode("hello", hello.model_dump()))
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def watch(app: AppState, every: float = 1.0) -> None:
    """Tell all pages what changed in the library, whoever changed it, until cancelled."""
    before: dict[str, Any] | None = None
    while True:
        # A library that cannot be read for a moment is looked at again.
        with suppress(LibraryError):
            marks = await run_in_threadpool(app.library.change_tokens)
            what = sorted(key for key, value in marks.items() if before and before.get(key) != value)
            if what:
                app.events.publish("changed", {"what": what})
            before = marks
        await asyncio.sleep(every)


def _find(app: AppState, number: int) -> Job:
    job = app.worker.find(number)
    if job is None:
        raise NotFoundError(f"there is no job number {number} in this run of the server")
    return job
