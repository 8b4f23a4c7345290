"""Greetings, thanks and the like: a short answer, recognised only when they are all that a segment says."""

from __future__ import annotations

import re

_NAME = r"(?: there| all| team| everyone| folks| again| guys| friend| mate)?"
_END = r"[\s!.,:;)(?🙂👋🙏😀😊👍]*"

_TABLE = tuple(
    (re.compile(rf"^(?:{pattern}){_END}$"), answer)
    for pattern, answer in (
        (
            (
                rf"(?:hi+|hello+|hey+|hiya|yo|howdy|hola|good (?:morning|afternoon|evening|day)|greetings|morning|"
                rf"evening){_NAME}"
                r"(?:[ ,!]+(?:hi|hello|hey|good (?:morning|afternoon|evening|day)))*"
            ),
            "Hello! How can I help you?",
        ),
        (
            (
                r"(?:(?:hi|hello|hey)[ ,!]+)?(?:sup|what is up|how are you|how are things|how is it going|"
                r"how do you do|how are you doing|you ok)(?: today| doing)?"
            ),
            "All well here, thanks. How can I help you?",
        ),
        (
            (
                r"(?:(?:ok|okay|great|perfect|cool|super|nice|good|awesome|lovely|alright|all right|got it|fine|"
                r"yes)[ ,!.]+)*"
                r"(?:thanks|thank you|thankyou|thx|ty|cheers|many thanks|much appreciated|appreciate it|tysm)"
                r"(?: so much| a lot| very much| a million| again| for (?:your|the|that|all|helping)(?: \w+)*| you|"
                r" everyone| that is all"
                r"|[ ,!.]+that is (?:all|great|perfect|helpful|very helpful|really helpful|kind)|[ ,!.]+(?:bye|goodbye|"
                r"great|perfect))*"
            ),
            "You're welcome!",
        ),
        (
            (
                r"(?:(?:ok|okay|thanks|great|alright)[ ,!.]+)*(?:bye+|goodbye|bye bye|see you|see ya|see you (?:later|"
                r"soon|then|tomorrow)|"
                r"good night|have a (?:nice|good|great|lovely) (?:day|evening|weekend|one)|talk (?:to you )?later|"
                r"take care|ciao)"
            ),
            "Goodbye, and write any time.",
        ),
        (
            (
                r"(?:(?:ok+|okay|k|great|perfect|cool|super|nice|good|awesome|lovely|alright|all right|got it|fine|yes|"
                r"yeah|yep|sure|no|nope|no worries|nevermind|sounds good|understood|i see|right|wow|oh|ah|hm+|haha|lol|"
                r"never mind|very good|good to know|will do)\b[ ,!.]*)+"
            ),
            "All right. Is there anything I can help you with?",
        ),
        (
            (
                r"(?:(?:hi|hello|hey|and|so)[ ,!]+)?(?:who are you|what are you|are you (?:an? )?(?:bot|robot|human|ai|"
                r"machine|real(?: person)?|"
                r"chatbot|person|computer|chatgpt)|am i (?:talking|speaking|chatting|texting) (?:to|with) [\w ]+|"
                r"is this (?:an? )?(?:bot|robot|human|real person|ai)|what is your name|do you have a name)"
            ),
            "I'm the automated assistant here. Ask me something, and if I don't know it, a colleague can help.",
        ),
        (
            (
                r"(?:what can you do|how can you help(?: me)?|help|help me|can you help(?: me)?|i need help|"
                r"i have a question|"
                r"can i ask (?:you )?(?:something|a question)|what can i ask(?: you)?|is anyone there|anyone there|"
                r"are you there|"
                r"hello,? is anyone there|test|testing)(?: please)?"
            ),
            "I'm here. What would you like to know?",
        ),
        (r"(?:start|begin|menu)", "Hello! How can I help you?"),
    )
)


def answer(plain_text: str) -> str | None:
    """The answer to a segment in plain form, or None if it says more than smalltalk."""
    for pattern, reply in _TABLE:
        if pattern.match(plain_text.strip()):
            return reply
    return None
