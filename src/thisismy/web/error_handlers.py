"""Errors as answers: one line each, with the right status."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from thisismy.core.errors import MediaError, ThisIsMyError
from thisismy.services.places import UnknownPlaceError
from thisismy.store.instances import NameTakenError
from thisismy.web.responses import Problem

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)

PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"model": Problem, "description": what}
    for code, what in {
        400: "The request is invalid.",
        403: "It comes from another site, or names a host this server is not.",
        404: "It does not exist.",
        409: "The name is taken, or it cannot be done now.",
        413: "It is too large.",
        415: "Its type is not accepted.",
    }.items()
}
"""The answers every endpoint may give besides its own."""


class NotFoundError(ThisIsMyError):
    """A number in a request belongs to nothing."""


class NotAllowedError(ThisIsMyError):
    """Something this server does not allow."""


class BadTypeError(ThisIsMyError):
    """An upload of a type that is not accepted."""


class TooLargeError(ThisIsMyError):
    """An upload beyond its limit."""


STATUS: dict[type[ThisIsMyError], int] = {
    NotFoundError: 404,
    UnknownPlaceError: 404,
    NotAllowedError: 403,
    BadTypeError: 415,
    TooLargeError: 413,
    NameTakenError: 409,
    MediaError: 422,
}
"""Errors with a status of their own; all others of ours are a 400."""


def add_handlers(app: FastAPI) -> None:
    """Answer every error with ``{"error": "one line"}``."""
    app.exception_handler(ThisIsMyError)(_ours)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(Exception)(_defect)


def _ours(_request: Request, error: ThisIsMyError) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return _answer(status, str(error))


def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part not in {"body", "query", "path"})
    return _answer(400, f"{place or 'the request'}: {first['msg']}")


def _http(_request: Request, error: HTTPException) -> JSONResponse:
    return _answer(error.status_code, str(error.detail), dict(error.headers or {}))


def _defect(_request: Request, error: Exception) -> JSONResponse:
    _log.error("%s: %s", type(error).__name__, error)
    return _answer(500, "something went wrong in the server; its terminal says what")


def _answer(status: int, line: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": " ".join(line.split())}, status_code=status, headers=headers)
