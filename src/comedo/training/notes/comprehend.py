"""Sentiment of notes from AWS Comprehend: an option that sends the notes to Amazon, never a default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from comedo.errors import ComedoError, missing_extra
from comedo.training.data.files import BadAnnotations
from comedo.training.notes.score import Course, Reading
from comedo.training.notes.table import Note

MOST_BYTES = 5000  # of one note: the service's own limit
_COURSES = {"POSITIVE": Course.IMPROVED, "NEGATIVE": Course.WORSE}  # a neutral or mixed tone says nothing of the course


class CloudRefused(ComedoError):
    """The cloud service gave no answer; the message names its own."""

    code = "cloud_refused"


def open_comprehend(region: str, endpoint: str | None = None) -> Callable[[Note], Reading]:
    """A reader of notes that asks the service about each; credentials come from where boto3 finds them.

    Args:
        region: AWS region, for example eu-central-1.
        endpoint: Another address of the service, for a private endpoint or a test server.

    Raises:
        MissingExtra: boto3 is not installed.
        CloudRefused: There is no such service there.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise missing_extra("AWS Comprehend", "boto3", "cloud") from error
    try:
        client: Any = boto3.client("comprehend", region_name=region, endpoint_url=endpoint)
    except (BotoCoreError, ValueError) as error:
        raise CloudRefused(f"AWS Comprehend cannot be reached in region {region!r}: {error}") from error

    def read(note: Note) -> Reading:
        size = len(note.text.encode("utf-8"))
        if size > MOST_BYTES:
            raise BadAnnotations(
                f"line {note.row}: the note has {size:,} bytes, AWS Comprehend reads {MOST_BYTES:,}; shorten it, or "
                "label with --by lexicon"
            )
        if not note.text:
            return Reading(Course.UNCLEAR, None, ())
        try:
            answer = client.detect_sentiment(Text=note.text, LanguageCode="en")
        except (BotoCoreError, ClientError) as error:
            raise CloudRefused(f"line {note.row}: AWS Comprehend gave no answer: {error}") from error
        return to_reading(answer)

    return read


def to_reading(answer: dict[str, Any]) -> Reading:
    """The service's answer as a course: the score is positive less negative; it names no words."""
    scores = answer["SentimentScore"]
    course = _COURSES.get(answer["Sentiment"], Course.UNCLEAR)
    return Reading(course, round(float(scores["Positive"]) - float(scores["Negative"]), 4), ())
