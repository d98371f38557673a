"""Files as answers: shown or saved, never run, whatever is in them."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from comedo.service.actions.photos import Picture
from comedo.service.actions.reports import File
from comedo.service.security.web import FILE_POLICY


def picture(shown: Picture) -> Response:
    """A picture to be shown in a page of ours."""
    return Response(shown.data, media_type=shown.media_type, headers=_headers("inline", None))


def download(file: File) -> Response:
    """A file to be saved."""
    return Response(file.data, media_type=file.media_type, headers=_headers("attachment", file.name))


def _headers(how: str, name: str | None) -> dict[str, str]:
    disposition = how if name is None else f"{how}; filename*=UTF-8''{quote(name, safe='')}"
    return {"Content-Security-Policy": FILE_POLICY, "Content-Disposition": disposition}
