"""The application: endpoints, page, and what surrounds them."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from thisismy.web.error_handlers import PROBLEMS, add_handlers
from thisismy.web.routes import files, instances, jobs, library, media, mentions, search
from thisismy.web.security import Access, Guard
from thisismy.web.state import AppState

if TYPE_CHECKING:
    from fastapi.routing import APIRoute

STATIC = Path(__file__).parent / "static"

WATCH_SECONDS = 1.0
"""Seconds between two looks for changes that other programs made to the library."""


def create_app(folder: Path, *, access: Access | None = None, local: bool = True) -> FastAPI:
    """The server of one library, for any ASGI server.

    Args:
        folder: the library; made when there is none.
        access: who may ask; None allows this machine only, without a token.
        local: whether only this machine can reach the server; then folders may be typed on the page.

    Raises:
        LibraryError: the library cannot be opened.
    """
    state = AppState.open(folder, local=local)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        state.events.attach()
        watching = asyncio.create_task(jobs.watch(state, WATCH_SECONDS))
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        state.events.close()
        await asyncio.to_thread(state.close)

    app = FastAPI(
        title="thisismy",
        version=version("thisismy"),
        summary="Find your own named things in your own videos.",
        description="The commands as JSON. Things are named by numbers, times are seconds.",
        openapi_url="/api/openapi.json",
        # Their pages would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        generate_unique_id_function=_operation,
        responses=PROBLEMS,
    )
    app.state.app_state = state
    add_handlers(app)
    for module in (search, media, instances, mentions, jobs, library, files):
        app.include_router(module.router)
    _add_static(app)
    app.add_middleware(Guard, access=access or Access())
    return app


def _operation(route: APIRoute) -> str:
    return f"{route.tags[0] if route.tags else 'page'}-{route.name}"


def _add_static(app: FastAPI) -> None:
    # Some systems map these suffixes to types that browsers refuse for modules.
    for suffix, kind in {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.items():
        mimetypes.add_type(kind, suffix)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html")
