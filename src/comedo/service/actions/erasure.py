"""Erasing everything of a person."""

from __future__ import annotations

from comedo.service.accounts.actor import Actor
from comedo.service.actions.account import need_confirmed
from comedo.service.actions.photos import receipt_view
from comedo.service.actions.views import ReceiptView
from comedo.service.parts import Parts
from comedo.service.storage.removal import erase_owner


def erase(parts: Parts, actor: Actor) -> ReceiptView:
    """Erase the actor's account, photos, results and key; backups lose the photos with the key.

    Raises:
        Problem: A token asks, or the password was not given just now.
    """
    actor.need_browser("erasing everything")
    need_confirmed(actor)
    return receipt_view(parts, erase_owner(parts.storage, actor.account))
