"""The phone page: people try the product from it as from their own phones. It loads nothing from elsewhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from simulator.config import SimulatorConfig

_TEMPLATES = Path(__file__).parent / "templates"
_HEADERS = {
    # No code, style, picture or request but from here; `blob:` shows a file before it is sent. What people write can
    # never become markup: the page may not even try (Trusted Types).
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Phone:
    def __init__(self, config: SimulatorConfig) -> None:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self._html = environment.get_template("phone.html").render(
            settings={
                "sms": config.phone_number,
                "whatsapp": config.whatsapp_number,
                "suggestions": list(config.suggestions),
            },
            links=config.links,
        )

    async def page(self, _: Request) -> Response:
        return HTMLResponse(self._html, headers=_HEADERS)
