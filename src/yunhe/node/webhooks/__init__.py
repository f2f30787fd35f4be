"""Webhooks: a node posts events to addresses that its operator registered, in order, at least once. Specification: docs/spec/events.md."""

from yunhe.node.webhooks.delivery import HOOK_STATES, HookStatus, Webhooks
from yunhe.node.webhooks.register import DeadLetter, Hook

__all__ = ["HOOK_STATES", "DeadLetter", "Hook", "HookStatus", "Webhooks"]
