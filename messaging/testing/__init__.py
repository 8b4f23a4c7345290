"""What a provider, or a product on top of one, is tested with.

`scripted` is a backend in memory that fails on demand, `conformance` the suite that every provider must pass (it needs
pytest), `runner` runs many tasks at once and measures them.
"""

from messaging.testing.runner import Report, run_concurrently
from messaging.testing.scripted import Call, ScriptedBackend

__all__ = ["Call", "Report", "ScriptedBackend", "run_concurrently"]
