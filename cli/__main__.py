"""`python -m cli` is `messaging`."""

from cli.main import main

main()
