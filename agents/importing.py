"""What a user's setting names by its import path: `module:name`, or a module alone where that is allowed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def split(path: str, *, setting: str, example: str) -> tuple[str, str]:
    """Module and name of "module:name". Raises ValueError naming the setting."""
    module, _, name = path.strip().partition(":")
    if not module or not name:
        raise ValueError(f"{setting}={path!r} must look like 'module:name', for example {example!r}")
    return module, name


def module_of(name: str, path: str, *, setting: str) -> ModuleType:
    """The module; the current directory is importable. Raises ValueError naming the setting and what is wrong."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise ValueError(f"{setting}={path!r}: {name} needs the module {error.name!r}") from error
        raise ValueError(f"{setting}={path!r}: there is no module {name!r}, neither installed nor in {here}") from error
    except Exception as error:
        raise ValueError(f"{setting}={path!r}: importing {name!r} failed: {error}") from error


def attribute(module: ModuleType, name: str, path: str, *, setting: str, allowed: str) -> Any:
    """What the module holds under a name, dots followed. Raises ValueError saying what is allowed."""
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise ValueError(
                f"{setting}={path!r}: the module {module.__name__!r} has no {name!r}. It must be {allowed}"
            ) from error
    return found
