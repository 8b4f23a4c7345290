"""Twilio's error bodies. Codes: https://www.twilio.com/docs/api/errors

TwilioError          what a caller of the REST gets: an HTTP status, a code, a message
ControlError         what a caller of /_sim gets: the field that is wrong, and why
"""

from dataclasses import dataclass


@dataclass(slots=True)
class TwilioError(Exception):
    code: int
    message: str
    status: int = 400

    def body(self) -> dict[str, object]:
        more_info = f"https://www.twilio.com/docs/errors/{self.code}"
        return {"code": self.code, "message": self.message, "more_info": more_info, "status": self.status}

    def problem(self) -> dict[str, object]:
        """The same as RFC 9457 has it, which newer products of Twilio use."""
        kind = f"https://www.twilio.com/docs/api/errors/{self.code}"
        return {"type": kind, "title": self.message, "status": self.status, "code": self.code, "detail": self.message}


@dataclass(slots=True)
class ControlError(Exception):
    field: str
    message: str
    status: int = 400

    def body(self) -> dict[str, object]:
        return {"error": f"{self.field}: {self.message}", "field": self.field}


def not_found(path: str) -> TwilioError:
    return TwilioError(20404, f"The requested resource {path} was not found", 404)
