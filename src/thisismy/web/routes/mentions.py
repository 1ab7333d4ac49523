"""What was mined from speech: accept, reject, take back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query

from thisismy.core.span import Span
from thisismy.web import presenters, requests, responses
from thisismy.web.error_handlers import NotFoundError
from thisismy.web.requests import RowId
from thisismy.web.routes.media import Limit, Offset
from thisismy.web.state import AppState, AppStateDep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thisismy.store.mentions import MentionRow

router = APIRouter(prefix="/api", tags=["mined"])

STATES = {None: "open", "accepted": "accepted", "rejected": "rejected"}


class Accepted(responses.Shape):
    """What accepting did."""

    mention: responses.Mention
    instance: responses.Instance


class Changed(responses.Shape):
    """The mention as it is now."""

    mention: responses.Mention


@router.get("/mentions", summary="What was mined")
def list_mentions(
    app: AppStateDep,
    state: Annotated[
        Literal["open", "accepted", "rejected", "all"], Query(description="What became of it.")
    ] = "open",
    verdict: Annotated[
        Literal["kept", "all"], Query(description="Only what the filter kept, or everything that was said.")
    ] = "kept",
    offset: Offset = 0,
    limit: Limit = 100,
) -> responses.Mentions:
    """By video and time."""
    every = [item for item in app.library.mentions.all() if verdict == "all" or item.verdict == "kept"]
    counts = Counter(STATES[item.decision] for item in every)
    chosen = [item for item in every if state in ("all", STATES[item.decision])]
    return responses.Mentions(
        total=len(chosen),
        offset=offset,
        items=_show(app, chosen[offset : offset + limit]),
        open=counts["open"],
        accepted=counts["accepted"],
        rejected=counts["rejected"],
    )


@router.post("/mentions/{mention_id}/accept", summary="Accept a mention as a named thing")
def accept(app: AppStateDep, mention_id: RowId, body: requests.Acceptance) -> Accepted:
    """Its shots become examples, of a new instance or of the one that the name means in a search."""
    mention = _find(app, mention_id)
    instance = app.library.mentions.accept(mention, " ".join(body.name.split()), body.category)
    return Accepted(
        mention=_again(app, mention_id),
        instance=presenters.show_instances(app, [app.instance(instance.id)])[0],
    )


@router.post("/mentions/{mention_id}/reject", summary="Reject a mention")
def reject(app: AppStateDep, mention_id: RowId, body: requests.Nothing) -> Changed:
    """It is not asked about again; what accepting it had brought is taken back."""
    app.library.mentions.reject(_find(app, mention_id))
    return Changed(mention=_again(app, mention_id))


@router.post("/mentions/{mention_id}/undo", summary="Take back what was decided about a mention")
def undo(app: AppStateDep, mention_id: RowId, body: requests.Nothing) -> Changed:
    """An instance that accepting it made, and that has nothing else, is deleted."""
    app.library.mentions.undecide(_find(app, mention_id))
    return Changed(mention=_again(app, mention_id))


def _find(app: AppState, number: int) -> MentionRow:
    found = next((item for item in app.library.mentions.all() if item.id == number), None)
    if found is None:
        raise NotFoundError(f"there is no mention number {number}")
    return found


def _again(app: AppState, number: int) -> responses.Mention:
    return _show(app, [_find(app, number)])[0]


def _show(app: AppState, mentions: Sequence[MentionRow]) -> list[responses.Mention]:
    numbers = app.library.files.media_ids(mention.content_hash for mention in mentions)
    seen = [mention for mention in mentions if mention.shot is not None]
    places = [(mention.content_hash, Span(*mention.shot)) for mention in seen if mention.shot is not None]
    shots = {
        mention.id: responses.Shot(**presenters.shot_fields(app, shot))
        for mention, shot in zip(seen, app.library.files.shots_covering(places), strict=True)
        if shot is not None
    }
    by_name = {item.name: item.id for item in app.library.instances.all()}
    return [
        responses.Mention(
            id=mention.id,
            media_id=numbers.get(mention.content_hash) if mention.path else None,
            name_of_file=Path(mention.path).name if mention.path else None,
            path=str(mention.path) if mention.path else None,
            start=mention.start,
            end=mention.end,
            sentence=mention.sentence,
            name=mention.name,
            category=mention.category,
            verdict=mention.verdict,
            reason=mention.reason,
            score=mention.score,
            decision=mention.decision,  # type: ignore[arg-type] # the library knows no other
            instance_id=by_name.get(mention.instance or ""),
            instance=mention.instance,
            shot=shots.get(mention.id),
            examples=[
                responses.FurtherShot(
                    start=start,
                    end=end,
                    similarity=similarity,
                    picture=_picture(mention, numbers.get(mention.content_hash), (start + end) / 2),
                )
                for start, end, similarity in mention.examples
            ],
        )
        for mention in mentions
    ]


def _picture(mention: MentionRow, media_id: int | None, time: float) -> str | None:
    if media_id is None or mention.path is None:
        return None
    return presenters.frame_url(media_id, mention.content_hash, time)
