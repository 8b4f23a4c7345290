"""What people tell a bicycle shop about themselves, how they say it, and how they ask for it months later.

`{v}` is the value. `told` states it, `changed` replaces an earlier one, `prompt` is the shop asking, `short` the bare
answer to that; `asked` are the questions. Sentences are written by hand: many questions take up the words of what they
ask for, as people do, and some take none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One thing that can be known about a person."""

    key: str
    values: tuple[str, ...]
    told: tuple[str, ...]
    asked: tuple[str, ...]
    changed: tuple[str, ...] = ()
    prompt: str = ""
    short: tuple[str, ...] = ()


TOPICS = (
    Topic(
        key="town",
        values=("Porto", "Faro", "Leeds", "Ghent", "Aarhus", "Turin", "Lyon", "Graz", "Bergen", "Malmo"),
        told=(
            "I live in {v}, so I will take the train to you.",
            "By the way, I live in {v}.",
            "I moved to {v} in May.",
            "Greetings from {v}, where I live with too many bikes.",
        ),
        asked=(
            "Where do I live?",
            "Which town do I live in?",
            "What city did I say I live in?",
            "Which place is home for me?",
        ),
        changed=("We have moved: I live in {v} now.", "Please note, I moved to {v} last week."),
    ),
    Topic(
        key="address",
        values=(
            "12 Mill Road",
            "48 Harbour Lane",
            "7 Chapel Street",
            "301 Oak Avenue",
            "95 Station Road",
            "6 Low Moor",
        ),
        told=(
            "My address is {v}.",
            "Here is my address for the parcel: {v}",
            "The courier should come to {v}, that is my address.",
        ),
        asked=(
            "What is my address?",
            "Which address did I give you?",
            "What address do you have for me?",
            "Where does my parcel have to go?",
        ),
        changed=("My address has changed, my address is {v} now.", "Update please: my address is {v}."),
        prompt="Where should we send it? What is your address?",
        short=("{v}", "{v}, ring twice"),
    ),
    Topic(
        key="job",
        values=("nurse", "plumber", "violin teacher", "baker", "pilot", "welder", "translator", "dentist"),
        told=(
            "I work as a {v}, so mornings are hard.",
            "I work as a {v} and often finish late.",
            "People think a {v} has time, but I work as a {v} six days a week.",
        ),
        asked=(
            "What do I do for a living?",
            "What is my job?",
            "What do I work as?",
            "What kind of work do I do?",
        ),
        changed=("I have a new job, I work as a {v} now.",),
    ),
    Topic(
        key="bike",
        values=("Trek Domane", "Canyon Grail", "Giant Escape", "Brompton", "Surly Ogre", "Cube Nuroad", "Kona Rove"),
        told=(
            "I ride a {v}.",
            "I ride a {v} to work every day.",
            "The squeak comes from my bike, I ride a {v}.",
            "You sold me my bike years ago: I ride a {v} and still love it.",
        ),
        asked=(
            "What bike do I ride?",
            "Which bike do I ride?",
            "Which bike did I say I ride?",
            "Which model is my bike?",
        ),
        changed=("I sold the old one, I ride a {v} now.", "Small update: I ride a {v} these days."),
    ),
    Topic(
        key="frame size",
        values=("52 cm", "54 cm", "56 cm", "58 cm", "61 cm"),
        told=("My frame size is {v}.", "For your files, my frame size is {v}."),
        asked=(
            "What was my frame size?",
            "Do you remember my frame size?",
            "Which frame size do I have?",
            "How big is my frame?",
        ),
        changed=("I got measured again, my frame size is {v}.",),
        prompt="What is your frame size?",
        short=("{v}", "I think {v}"),
    ),
    Topic(
        key="order number",
        values=("4711-B", "5120-K", "8834-C", "9077-A", "6502-T", "7749-D", "3318-F"),
        told=(
            "My order number is {v}.",
            "It is about my order, my order number is {v}",
            "order number {v}, thanks",
            "Nothing has come yet. My order number is {v}, could you look?",
        ),
        asked=(
            "What was my order number?",
            "Which order number did I give you?",
            "can you repeat my order number?",
            "Under which number did I order?",
        ),
        changed=("I placed a new one, my order number is {v}.", "Sorry, I misread it: my order number is {v}."),
    ),
    Topic(
        key="invoice number",
        values=("INV-2201", "INV-3987", "INV-4410", "INV-5162", "INV-7093"),
        told=("My invoice number is {v}.", "I paid it yesterday, my invoice number is {v}."),
        asked=("What was my invoice number?", "Which invoice number did I mention?"),
    ),
    Topic(
        key="appointment",
        values=("Tuesday at 3 pm", "Friday at 10 am", "Monday at 9 am", "Thursday at 5 pm", "Wednesday at noon"),
        told=(
            "My appointment is on {v}.",
            "I have an appointment with your workshop on {v}.",
            "I cannot wait: my appointment is on {v} and the brakes are gone.",
        ),
        asked=(
            "When is my appointment?",
            "What time is my appointment?",
            "When was my appointment again?",
            "When do I have to come to the workshop?",
        ),
        changed=("Your colleague moved it, my appointment is on {v} now.", "My appointment is now on {v}."),
    ),
    Topic(
        key="dog",
        values=("Rex", "Bruno", "Luna", "Pepper", "Biscuit", "Otto"),
        told=("My dog is called {v} and rides in the basket.", "I will bring my dog, my dog is called {v}."),
        asked=(
            "What is my dog called?",
            "What's the name of my dog?",
            "Do you remember my dog's name?",
            "Who rides in my basket, what is my dog's name?",
        ),
    ),
    Topic(
        key="cat",
        values=("Mimi", "Shadow", "Tigger", "Cleo", "Waffle"),
        told=("My cat is called {v}.", "My cat {v} sleeps on the saddle."),
        asked=("What is my cat called?", "What's my cat's name?"),
    ),
    Topic(
        key="allergy",
        values=("peanuts", "latex", "wool", "penicillin", "nickel", "shellfish"),
        told=(
            "I am allergic to {v}.",
            "One thing to know: I am allergic to {v}.",
            "Which gloves are safe? I am allergic to {v}.",
        ),
        asked=(
            "What am I allergic to?",
            "Do I have any allergies?",
            "Which allergy do I have?",
            "What must I stay away from because of my allergy?",
        ),
    ),
    Topic(
        key="birthday",
        values=("May 3rd", "June 21st", "October 9th", "January 30th", "March 14th", "August 2nd"),
        told=("My birthday is on {v}.", "The bell is a present to myself, my birthday is on {v}."),
        asked=(
            "When is my birthday?",
            "What is the date of my birthday?",
            "On which day was I born?",
        ),
    ),
    Topic(
        key="favourite colour",
        values=("green", "orange", "navy blue", "burgundy", "yellow", "turquoise"),
        told=(
            "My favourite colour is {v}.",
            "If you ask me, my favourite colour is {v}.",
            "A bell in {v} would be lovely, my favourite colour is {v}.",
        ),
        asked=(
            "What is my favourite colour?",
            "Which colour do I like?",
            "What was my favourite colour?",
            "Which colour do I prefer?",
        ),
        changed=("I changed my mind, my favourite colour is {v} now.", "These days my favourite colour is {v}."),
    ),
    Topic(
        key="wife",
        values=("Julia", "Greta", "Amara", "Noor", "Ines", "Freya"),
        told=("My wife {v} will pick it up.", "My wife's name is {v}, she may call you."),
        asked=(
            "What is my wife's name?",
            "What is my wife called?",
            "Who am I married to?",
        ),
    ),
    Topic(
        key="daughter",
        values=("Mia", "Zoe", "Hanna", "Leila", "Nora", "Ida"),
        told=("My daughter {v} is learning to ride.", "My daughter's name is {v}, she is six."),
        asked=(
            "What is my daughter called?",
            "What is the name of my daughter?",
            "What did I say my little girl is called? My daughter, I mean.",
        ),
    ),
    Topic(
        key="brother",
        values=("Marco", "Stefan", "Kwame", "Dylan", "Yusuf"),
        told=("My brother {v} bought his bike from you.", "My brother's name is {v}."),
        asked=("What is my brother's name?", "What is my brother called?"),
    ),
    Topic(
        key="email",
        values=("ana@example.org", "tom.h@example.com", "kit@example.net", "rider77@example.org", "lou@example.com"),
        told=("My email is {v}.", "You can email me at {v}."),
        asked=(
            "What is my email address?",
            "Which email did I give you?",
            "what's my email",
            "Where do you send my mail, what is my email?",
        ),
        changed=("I closed that account, my email is {v} now.", "New email: my email is {v}."),
        prompt="What is your email?",
        short=("{v}", "it's {v}"),
    ),
    Topic(
        key="office number",
        values=("+351 912 000 111", "+44 20 5550 0122", "+1 555 010 0177", "+49 30 5550 199"),
        told=("My office number is {v}.", "During the day you reach me at work, my office number is {v}."),
        asked=("What is my office number?", "Which office number did I give you?"),
    ),
    Topic(
        key="budget",
        values=("900 dollars", "1,250 dollars", "1,800 dollars", "2,400 dollars", "650 dollars"),
        told=(
            "My budget is {v}.",
            "For the new bike my budget is {v}.",
            "I have saved for a while and my budget is {v}.",
        ),
        asked=(
            "What was my budget?",
            "What is my budget for the bike?",
            "Do you remember my budget?",
            "How much money did I want to spend?",
        ),
        changed=("I got a bonus, my budget is {v} now.", "I talked to my bank, my budget is {v}."),
        prompt="What is your budget?",
        short=("about {v}", "{v} at most"),
    ),
    Topic(
        key="height",
        values=("1.62 m", "1.70 m", "1.78 m", "1.85 m", "1.93 m"),
        told=("I am {v} tall.", "For the right frame: I am {v} tall."),
        asked=(
            "How tall am I?",
            "What is my height?",
            "What did I say, how tall am I?",
        ),
        prompt="How tall are you?",
        short=("{v}", "I measured {v}"),
    ),
    Topic(
        key="weight",
        values=("61 kilos", "74 kilos", "82 kilos", "95 kilos", "108 kilos"),
        told=("I weigh {v}, does the rack hold that?", "I weigh {v}."),
        asked=("How much do I weigh?", "What is my weight?"),
        changed=("After the winter I weigh {v}.",),
    ),
    Topic(
        key="commute",
        values=("6 miles", "9 miles", "14 miles", "3 miles", "11 miles"),
        told=("My commute is {v} each way.", "I ride a lot, my commute is {v}."),
        asked=(
            "How long is my commute?",
            "How many miles is my commute?",
            "How far do I ride to work?",
        ),
    ),
    Topic(
        key="locker code",
        values=("8812", "4390", "2765", "9051", "3347"),
        told=("My locker code is {v}.", "Please put the keys in the locker, my locker code is {v}."),
        asked=(
            "What is my locker code?",
            "What was my locker code again?",
            "Which code opens my locker?",
        ),
        changed=("I reset it, my locker code is {v} now.",),
    ),
    Topic(
        key="tyres",
        values=("700x28c", "650x47b", "700x40c", "26x1.95", "29x2.25"),
        told=("My tyres are {v}.", "The wheels are old, my tyres are {v}."),
        asked=("What size are my tyres?", "Which tyres do I have?", "What are my tyres?"),
        changed=("I swapped them, my tyres are {v} now.",),
    ),
    Topic(
        key="insurance",
        values=("Medis", "Northwall Mutual", "Velosafe", "Hendriks", "Blue Ridge"),
        told=(
            "I have insurance with {v}.",
            "The bike is covered, I have insurance with {v}.",
            "In case it gets stolen: I have insurance with {v}.",
        ),
        asked=(
            "Which insurance do I have?",
            "Who am I insured with?",
            "What insurance do I have?",
            "Which company insures me?",
        ),
        changed=("I switched, I have insurance with {v} now.",),
    ),
    Topic(
        key="car",
        values=("Mini", "Volvo estate", "Skoda Fabia", "Ford Transit", "Fiat Panda"),
        told=("I drive a {v}, so the rack must fit that.", "I drive a {v}."),
        asked=(
            "What car do I drive?",
            "Which car do I drive?",
            "Which vehicle do I drive?",
        ),
        changed=("I sold it and I drive a {v} now.",),
    ),
    Topic(
        key="club",
        values=("Riverton Wheelers", "the Sunday Spinners", "Velo Club North", "Hilltop Riders"),
        told=("My club is {v}.", "We go out every week, my club is {v}."),
        asked=("What is my club?", "Which club am I in?", "What is my club called?"),
    ),
    Topic(
        key="language",
        values=("Portuguese", "Flemish", "Polish", "Arabic", "Welsh"),
        told=("At home I speak {v}.", "I speak {v}, English is my second language."),
        asked=(
            "Which language do I speak?",
            "What language do I speak at home?",
            "What do I speak with my family?",
        ),
    ),
    Topic(
        key="race",
        values=("Tour of the Peaks", "Coast to Coast", "Gravel Worlds", "Lakes Audax"),
        told=("I am training for the {v}.", "I am training for the {v}, so it has to be light."),
        asked=(
            "What am I training for?",
            "Which race am I training for?",
            "Which event am I preparing for?",
        ),
    ),
    Topic(
        key="voucher",
        values=("SPRING-20", "WELCOME-7", "RIDE-55", "BELL-31", "THANKS-12"),
        told=("My voucher code is {v}.", "I got one by post, my voucher code is {v}."),
        asked=(
            "What is my voucher code?",
            "Which voucher code did I give you?",
            "Which code did I want to redeem, what was my voucher?",
        ),
    ),
    Topic(
        key="saddle",
        values=("black", "honey brown", "white", "dark red"),
        told=("I want a {v} saddle.", "My saddle should be {v}."),
        asked=("What colour did I want for the saddle?", "Which saddle did I want?"),
        prompt="Which colour should the saddle be?",
        short=("{v} please", "{v}, I think"),
    ),
    Topic(
        key="shoe size",
        values=("38", "41", "43", "45", "47"),
        told=("My shoe size is {v}.", "For the pedals: my shoe size is {v}."),
        asked=("What is my shoe size?", "Do you remember my shoe size?"),
        prompt="And what is your shoe size?",
        short=("{v}", "usually {v}"),
    ),
    Topic(
        key="neighbour",
        values=("Mrs Okafor", "Mr Lindqvist", "the Bakers at no. 9", "old Mr Price"),
        told=("If I am out, my neighbour is {v}, leave it there.", "My neighbour is {v}, they take parcels for me."),
        asked=(
            "Who is my neighbour?",
            "Which neighbour did I tell you about?",
            "Who takes my parcels when I am out?",
        ),
    ),
    Topic(
        key="drink",
        values=("oat latte", "green tea", "espresso", "ginger beer"),
        told=("I drink {v}, if you offer one while I wait.", "I only drink {v}."),
        asked=(
            "What do I drink?",
            "What did I say I drink?",
            "What do I like to drink?",
        ),
    ),
)
