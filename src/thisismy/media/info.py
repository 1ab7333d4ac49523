"""What is known of a media file, and which files are taken for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".3gp", ".3g2", ".ts", ".mts", ".m2ts", ".mpg",
    ".mpeg", ".wmv", ".flv", ".ogv", ".vob", ".divx",
))
# fmt: on
PHOTO_SUFFIXES = frozenset((".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif"))


@dataclass(frozen=True)
class MediaInfo:
    """What a media file is.

    Attributes:
        path: the file.
        kind: "video", "photo" or "audio".
        duration: seconds on the player's clock; 0 for a photo.
        width: pixels as displayed, after rotation and with square pixels; 0 for audio.
        height: likewise.
        frame_rate: average frames a second, None for photos and audio.
        rotation: clockwise degrees from the stored to the upright picture: 0, 90, 180 or 270.
        video_codec: name of the picture codec or photo format; None for audio.
        audio_codec: name of the sound codec, or None.
        pixel_format: how pixels are stored; "" for audio.
        hdr: whether the pictures are high dynamic range (PQ or HLG).
        has_audio: whether there is sound.
        created: when it was taken: aware when the file gives a zone, else naive; None when it does not say.
        notes: remarks on what is odd about the file.
    """

    path: Path
    kind: str
    duration: float
    width: int
    height: int
    frame_rate: Fraction | None
    rotation: int
    video_codec: str | None
    audio_codec: str | None
    pixel_format: str
    hdr: bool
    has_audio: bool
    created: datetime | None
    notes: tuple[str, ...] = ()


def is_media(path: str | Path) -> bool:
    """Whether a name looks like a video or photo, by its suffix; only of a ``.ts`` file one byte is read.

    ``.ts`` is also the suffix of TypeScript: a transport stream starts with the sync byte 0x47.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".ts":
        try:
            with path.open("rb") as handle:
                head = handle.read(189)
        except OSError:
            return False
        return head[:1] == b"\x47" and head[188:189] in (b"\x47", b"")
    return suffix in VIDEO_SUFFIXES or suffix in PHOTO_SUFFIXES


def parse_date(text: str) -> datetime | None:
    """A date as media files write it, ISO 8601 or with colons; None for no date and for a clock never set."""
    text = text.strip().strip("\0")
    if text[4:5] == ":" and text[7:8] == ":":
        text = f"{text[:4]}-{text[5:7]}-{text[8:]}"
    if len(text) < len("2000-01-01"):
        return None
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    # 1904 and 1970 are the zeros of the clocks that write these fields.
    return date if date.year > 1970 else None
