"""How well memory recalls: long conversations of people who move between channels, and questions about them."""
