"""The phone page: people try the product from it as they would from their own phones."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from simulator.config import SimulatorConfig

_TEMPLATES = Path(__file__).parent / "templates"


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
        return HTMLResponse(self._html, headers={"Cache-Control": "no-cache"})
