"""What guests tell a small hotel about themselves, and how they ask for it later: `--set hotel`.

The offline agent's words and phrases grew up with the shop. This set shows what is left of it where they do not help: a
question that is answered wrongly here is a reason to think about the rules, not to add its words to them.
"""

from __future__ import annotations

from tests.bench.memory.topics import Topic

HOTEL = (
    Topic(
        key="room number",
        values=("204", "317", "118", "402", "509"),
        told=("I am in room {v}.", "My room number is {v}.", "We are in room {v}, second door after the lift."),
        asked=("Which room am I in?", "What is my room number?", "What room did you give me?"),
        changed=("They moved us, my room number is {v} now.",),
    ),
    Topic(
        key="arrival",
        values=("June 4th", "July 19th", "August 11th", "May 27th", "September 2nd"),
        told=("I arrive on {v}.", "We will be arriving on {v}, late in the evening.", "My arrival date is {v}."),
        asked=("When do I arrive?", "On which day did I say I arrive?", "What is my arrival date?"),
        changed=("Change of plans: I arrive on {v}.", "My flight was moved, I arrive on {v} now."),
    ),
    Topic(
        key="nights",
        values=("three nights", "five nights", "two nights", "a whole week", "ten nights"),
        told=("I am staying for {v}.", "We stay {v}.", "I booked {v}, breakfast included."),
        asked=("How long am I staying?", "How many nights did I book?", "For how long do I stay?"),
    ),
    Topic(
        key="booking reference",
        values=("HX-7741", "QR-2093", "BN-5518", "LM-8830", "TK-1164"),
        told=(
            "My booking reference is {v}.",
            "Booking reference {v}.",
            "The mail says that my booking reference is {v}.",
        ),
        asked=(
            "What is my booking reference?",
            "Which reference did I give you?",
            "Can you repeat my booking reference?",
        ),
    ),
    Topic(
        key="flight",
        values=("KL1203", "BA482", "TP574", "LH1166", "AF1024"),
        told=("My flight is {v}.", "I come with flight {v}.", "We land with {v}, that is our flight."),
        asked=("What is my flight number?", "Which flight do I take?", "What flight am I on?"),
        changed=("They cancelled it, my flight is {v} now.", "We were rebooked, my flight is {v} now."),
    ),
    Topic(
        key="company",
        values=("Norfab", "Helix Labs", "Brightwater", "Osman & Sons", "Tessera"),
        told=("The invoice goes to my company, {v}.", "I work for {v}.", "My employer is {v}."),
        asked=("Who do I work for?", "What is my company called?", "Which company am I with?"),
    ),
    Topic(
        key="bed",
        values=("two single beds", "a queen bed", "a king-size bed", "a bunk bed"),
        told=("I would need {v}.", "I sleep best in {v}.", "Please give us {v}."),
        asked=("Which bed did I ask for?", "What kind of bed did I want?", "What bed do I need?"),
    ),
    Topic(
        key="pillow",
        values=("buckwheat", "feather", "memory foam", "wool"),
        told=("My pillow should be {v}.", "I only sleep on a {v} pillow."),
        asked=("Which pillow did I want?", "What pillow do I sleep on?"),
        prompt="Which pillow would you like?",
        short=("{v}, please", "{v}"),
    ),
    Topic(
        key="breakfast time",
        values=("7:15", "8:30", "6:45", "9:20", "10:00"),
        told=("I will have breakfast at {v}.", "My breakfast time is {v}.", "Breakfast at {v} suits me."),
        asked=("When do I have breakfast?", "What time is my breakfast?", "At what time did I want breakfast?"),
        changed=("Better make my breakfast time {v}.", "My breakfast time is {v} now."),
        prompt="At what time would you like breakfast?",
        short=("{v}", "at {v} please"),
    ),
    Topic(
        key="diet",
        values=("vegan", "halal", "gluten-free", "lactose-free"),
        told=("My diet is {v}.", "I eat {v}.", "For the kitchen: I eat {v} only."),
        asked=("What is my diet?", "Which diet do I follow?", "What did I tell you about my food?"),
    ),
    Topic(
        key="licence plate",
        values=("AB-123-CD", "KX 77 RTO", "M-PP 4410", "55-GH-02", "W 8861 K"),
        told=(
            "My licence plate is {v}.",
            "The car has the licence plate {v}.",
            "For the garage, my licence plate is {v}.",
        ),
        asked=("What is my licence plate?", "Which licence plate does my car have?", "What plate did I give you?"),
        changed=("I come with a rental, my licence plate is {v} now.",),
    ),
    Topic(
        key="passport",
        values=("X4410921", "P0038271", "C7716620", "L5520013"),
        told=("My passport number is {v}.", "For the form: my passport number is {v}."),
        asked=("What is my passport number?", "What passport number did I tell you?"),
        changed=("I have a new passport, my passport number is {v} now.",),
    ),
    Topic(
        key="nationality",
        values=("Chilean", "Norwegian", "Kenyan", "Latvian", "Korean"),
        told=("I am {v}.", "My nationality is {v}.", "My passport is {v}, if the form asks."),
        asked=("What is my nationality?", "What nationality am I?"),
    ),
    Topic(
        key="son",
        values=("Emil", "Jonas", "Rafael", "Tariq", "Finn"),
        told=("My son {v} is four.", "My son's name is {v}.", "Our son {v} needs a cot."),
        asked=("What is my son called?", "What's my son's name?", "What is the name of my boy?"),
    ),
    Topic(
        key="sister",
        values=("Carla", "Anneke", "Priya", "Holly", "Sofie"),
        told=("My sister {v} has the room next to mine.", "My sister's name is {v}, she checks in tomorrow."),
        asked=("What is my sister's name?", "What is my sister called?", "Who has the room next to mine?"),
    ),
    Topic(
        key="anniversary",
        values=("June 6th", "July 22nd", "August 14th", "May 30th"),
        told=("Our anniversary is on {v}.", "We celebrate: our anniversary is on {v}."),
        asked=("When is our anniversary?", "What day is our anniversary?", "On which date do we celebrate?"),
    ),
    Topic(
        key="wifi name",
        values=("heron-guest", "atlas5", "blue-lobby", "terrace2"),
        told=("My laptop is called {v} in your wifi.", "The name of my laptop is {v}."),
        asked=("What is my laptop called?", "What is the name of my laptop?"),
    ),
    Topic(
        key="massage",
        values=("Wednesday at 4 pm", "Saturday at 11 am", "Thursday at 6 pm", "Sunday at 2 pm"),
        told=("My massage is on {v}.", "I booked a massage for {v}.", "The spa gave me {v} for my massage."),
        asked=("When is my massage?", "What time is my massage?", "When do I have to be at the spa?"),
        changed=("The spa called, my massage is on {v} now.",),
    ),
    Topic(
        key="safe code",
        values=("4471", "9902", "1836", "7215"),
        told=("My safe code is {v}.", "I set the safe, my safe code is {v}."),
        asked=(
            "What is my safe code?",
            "Which code did I set for the safe?",
            "How do I open my safe, what is the code?",
        ),
        changed=("I reset the safe, my safe code is {v} now.",),
    ),
    Topic(
        key="wine",
        values=("Riesling", "Malbec", "Rioja", "Vermentino"),
        told=("I love {v}.", "My favourite wine is {v}.", "A glass of {v} makes my evening, it is my favourite wine."),
        asked=("What is my favourite wine?", "Which wine do I like?", "What wine do I love?"),
        changed=("I have changed, my favourite wine is {v} now.",),
    ),
    Topic(
        key="newspaper",
        values=("the Herald", "Le Monde", "the Irish Times", "El Pais"),
        told=("I read {v} with my coffee.", "Please put {v} at my door, that is my newspaper.", "My newspaper is {v}."),
        asked=("Which newspaper do I read?", "What is my newspaper?", "What paper do I get?"),
        prompt="Which newspaper would you like?",
        short=("{v}", "{v}, thanks"),
    ),
    Topic(
        key="wheelchair",
        values=("62 cm", "66 cm", "70 cm", "74 cm"),
        told=("My wheelchair is {v} wide.", "The door must be wide enough, my wheelchair is {v} wide."),
        asked=("How wide is my wheelchair?", "What is the width of my wheelchair?"),
    ),
    Topic(
        key="doctor",
        values=("Dr Novak", "Dr Adeyemi", "Dr Laurent", "Dr Brandt"),
        told=("My doctor is {v}.", "If anything happens, my doctor is {v}."),
        asked=("Who is my doctor?", "What is my doctor's name?", "Which doctor do I have?"),
    ),
    Topic(
        key="medicine",
        values=("insulin", "heparin", "adalimumab", "eye drops"),
        told=("I need a fridge for my {v}.", "My medicine is {v} and must stay cool.", "I take {v} every evening."),
        asked=("What medicine do I take?", "Which medicine do I have with me?", "What must be kept cool for me?"),
    ),
    Topic(
        key="instrument",
        values=("cello", "tuba", "harp", "double bass"),
        told=("I travel with a {v}.", "I play the {v}, so I need a large lift.", "My {v} has to come into the room."),
        asked=("Which instrument do I play?", "What instrument do I travel with?", "What do I play?"),
    ),
    Topic(
        key="dinner",
        values=("two people", "four people", "six people", "eight people"),
        told=("We are {v} for dinner.", "Please set the table for {v}."),
        asked=(
            "How many are we for dinner?",
            "For how many people is our dinner?",
            "How many people did I say for dinner?",
        ),
        changed=("One couple joins us, we are {v} for dinner now.",),
        prompt="For how many people is the dinner?",
        short=("{v}", "we are {v}"),
    ),
    Topic(
        key="taxi",
        values=("5:30 am", "6:15 am", "7:40 am", "4:50 am"),
        told=("My taxi comes at {v}.", "I ordered a taxi for {v}."),
        asked=("When does my taxi come?", "What time is my taxi?", "At what time did I order the taxi?"),
        changed=("I called them, my taxi comes at {v} now.",),
    ),
    Topic(
        key="group",
        values=("the Lisbon choir", "a film crew", "the chess league", "a hiking club"),
        told=("I am here with {v}.", "I belong to {v}."),
        asked=("Who am I here with?", "Which group do I belong to?", "What group am I with?"),
    ),
)
