"""The wired parts of a running service, handed to every action."""

from __future__ import annotations

from dataclasses import dataclass

from comedo.service.database.engine import Database
from comedo.service.settings import Settings
from comedo.service.storage.store import Storage
from comedo.service.storage.vault import Vault


@dataclass(frozen=True)
class Parts:
    """What an action may use."""

    settings: Settings
    database: Database
    storage: Storage

    @property
    def vault(self) -> Vault:
        """Seals and opens what belongs to an owner."""
        return self.storage.vault

    @property
    def secure(self) -> bool:
        """Whether browsers reach the service by TLS."""
        return (self.settings.public_url or "").startswith("https://")
