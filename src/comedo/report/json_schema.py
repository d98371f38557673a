"""JSON Schemas of the written documents, as `make schema` ships them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from pydantic import BaseModel


def schema_of(document: type[BaseModel], title: str) -> dict[str, object]:
    """JSON Schema (2020-12) of a document, by the names that it is written with."""
    schema = document.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}


def print_schema(schema: Mapping[str, object]) -> None:
    """To stdout, in the same order at every run."""
    sys.stdout.write(json.dumps(schema, indent=1, sort_keys=True) + "\n")
